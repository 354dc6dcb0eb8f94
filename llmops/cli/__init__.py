"""Arguments in, exit code out: parse, call the pipeline, print.

One file per command with `add(parser)` and `main(args) -> int`; the table is in `main.py`, and a
command's file is imported only when it is asked for. Nothing below this room prints. The first line
of `main`'s docstring says what its exit codes mean: the manual shows it.

To add a command: its file with `EXAMPLES` too, a line in the table, a test file of its name.
"""
