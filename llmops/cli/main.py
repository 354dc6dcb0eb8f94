"""The table of commands, the options they share, and the only place that catches an error."""

from __future__ import annotations

import argparse
import errno
import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from llmops import __version__
from llmops.cli.output import as_data, complain, harmless, mute
from llmops.errors import LlmopsError

# command: (one line, module)
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("a repository of your own, from an example", "llmops.cli.init"),
    "validate": ("parse, types, references, static rules", "llmops.cli.validate"),
    "diff": ("the semantic change list", "llmops.cli.diff"),
    "plan": ("changes, jobs, gates", "llmops.cli.plan"),
    "why": ("the reason for a job, or for its reuse", "llmops.cli.why"),
    "why-not": ("the equal digests that make a job unneeded", "llmops.cli.why_not"),
    "run": ("run the jobs of a plan, keep their evidence", "llmops.cli.run"),
    "gate": ("evidence to verdict, as a comment or JSON", "llmops.cli.gate"),
    "report": ("pages from evidence, in English and Chinese", "llmops.cli.report"),
    "policy": ("rules, unit tests, tighter or looser", "llmops.cli.policy"),
    "waiver": ("ask for a waiver on a branch of its own, or list them", "llmops.cli.waiver"),
    "import": ("rows that people rated, for measuring a judge", "llmops.cli.import"),
    "guard": ("what a guardrail makes of a text", "llmops.cli.guard"),
    "ls": ("the specs, chosen by selectors", "llmops.cli.ls"),
    "show": ("one run, one piece of evidence, one case", "llmops.cli.show"),
    "explain": ("a kind's fields, or a spec with the origin of each value", "llmops.cli.explain"),
    "schema": ("the kinds as JSON Schema, for editors", "llmops.cli.schema"),
    "docs": ("the manual, a page or a search", "llmops.cli.docs"),
    "doctor": ("whether this machine can plan, run and judge", "llmops.cli.doctor"),
    "gc": ("remove old runs and blobs, never evidence", "llmops.cli.gc"),
    "completion": ("a script for bash, zsh or fish", "llmops.cli.completion"),
    "demo": ("a story: a repository, its pull requests, each run and judged", "llmops.cli.demo"),
}
EXITS = """\
exit codes:
  0 passed or warned   1 failed, inconclusive, or an error-level finding
  2 wrong usage, or specs that do not parse or resolve   3 not judged: the world failed
  130 interrupted (run again: work resumes)"""


def run() -> NoReturn:
    """The console entry point.

    A command builds many small values and ends: collecting garbage seldom saves a fifth of `plan`.
    """
    gc.set_threshold(100_000, 50, 50)
    raise SystemExit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one command line. Returns the exit code; prints what went wrong in one line."""
    try:
        return _dispatch(list(argv))
    except LlmopsError as error:
        return _failed(error)
    except KeyboardInterrupt:
        complain("llmops: interrupted; run again to go on")
        return 130
    except OSError as error:
        if error.errno == errno.EPIPE:
            mute(sys.stdout)  # --help into a reader that stopped reading
            return 0
        where = f" {error.filename}" if error.filename else ""
        return _failed(LlmopsError(f"{error.strerror or error}{where}"))
    except Exception as error:
        # A mistake of ours is no verdict: never exit code 1, never a page of code for a user.
        if os.environ.get("LLMOPS_DEBUG"):
            raise
        hint = "this is a mistake in llmops, please report it; LLMOPS_DEBUG=1 shows all of it"
        what = f"llmops itself failed, nothing was judged: {_summary(error)}"
        return _failed(LlmopsError(what, hint=hint))


def _summary(error: Exception) -> str:
    """`KeyError in wire.py:12: 'x'`."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    code = step.tb_frame.f_code.co_filename if step else ""
    place = f" in {os.path.basename(code)}:{step.tb_lineno}" if step else ""
    return f"{type(error).__name__}{place}: {error}"


def _dispatch(argv: list[str]) -> int:
    name = next((word for word in argv if word in COMMANDS), None)
    parser = _parser(name)
    args = parser.parse_args(argv)
    if name is None or args.command is None:
        parser.print_help()
        return 2
    if args.offline:
        os.environ["LLMOPS_OFFLINE"] = "1"
    if getattr(args, "format", "text") != "text":
        as_data()
    module = importlib.import_module(COMMANDS[name][1])
    code: int = module.main(args)
    return code


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole parser; only the chosen command's file is imported, for its own options."""
    parser = argparse.ArgumentParser(
        prog="llmops",
        description="GitOps for LLM systems: two git trees in, one verdict out, with its evidence.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"llmops {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (line, module) in COMMANDS.items():
        if chosen not in (None, name):
            commands.add_parser(name, help=line)
            continue
        sub = commands.add_parser(
            name, help=line, description=line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == chosen:
            plugin = importlib.import_module(module)
            sub.epilog = f"examples:\n{plugin.EXAMPLES}\n\n{EXITS}"
            _common(sub)
            plugin.add(sub)
            _from_environment(sub)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    """Options of every command."""
    parser.add_argument("-C", "--directory", default=".", metavar="DIR", help="work in DIR")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what matters")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour the output"
    )
    parser.add_argument("--width", type=int, default=None, metavar="N", help="columns of text")
    parser.add_argument("--offline", action="store_true", help="any use of the network is an error")


def _from_environment(parser: argparse.ArgumentParser) -> None:
    """`LLMOPS_BASE=main` is `--base main`: an option's default comes from its variable."""
    for action in parser._actions:
        name = f"LLMOPS_{action.dest.upper()}"
        given = os.environ.get(name)
        if given is None or not action.option_strings or action.dest == "help":
            continue
        choices = action.choices
        if isinstance(action, argparse._StoreTrueAction):
            action.default = given not in ("", "0", "false")
        elif given == "":
            continue
        elif choices is not None and given not in choices:
            parser.error(f'{name}: "{given}" is none of {", ".join(choices)}')
        elif isinstance(action, argparse._AppendAction):
            action.default = [given]
        else:
            action.default = given  # argparse applies the option's type to it


def _failed(error: LlmopsError) -> int:
    complain(f"llmops: error: {harmless(error.message)}")
    if error.hint:
        complain(f"  hint: {harmless(error.hint)}")
    return error.exit_code
