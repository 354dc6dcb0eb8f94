"""Arguments in, exit code out: parse, call the pipeline, print.

One file per command with `add(parser)` and `main(args) -> int`; the table is in `main.py`, and a
command's file is imported only when it is asked for. Nothing below this room prints.
"""
