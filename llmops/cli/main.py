"""The table of commands, the options they share, and the only place that catches an error."""

from __future__ import annotations

import argparse
import errno
import gc
import importlib
import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from llmops import __version__
from llmops.cli.output import as_data, complain, harmless, mute
from llmops.cli.parser import Parser, common, common_again, first, fitted, from_environment
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import LlmopsError, UsageError

# command: (one line, module), in the four groups of `llmops --help`
DAILY: Mapping[str, tuple[str, str]] = {
    "validate": ("parse, types, references, static rules", "llmops.cli.validate"),
    "diff": ("the semantic change list", "llmops.cli.diff"),
    "plan": ("changes, jobs, gates", "llmops.cli.plan"),
    "why": ("the reason for a job, or for its reuse", "llmops.cli.why"),
    "why-not": ("the equal digests that make a job unneeded", "llmops.cli.why_not"),
    "run": ("run the jobs of a plan, keep their evidence", "llmops.cli.run"),
    "gate": ("evidence to verdict, as a comment or JSON", "llmops.cli.gate"),
    "ls": ("the specs, chosen by selectors", "llmops.cli.ls"),
}
AUTHOR: Mapping[str, tuple[str, str]] = {
    "init": ("a repository of your own, from an example", "llmops.cli.init"),
    "demo": ("a story: a repository, its pull requests, each run and judged", "llmops.cli.demo"),
    "explain": ("a kind's fields, or a spec with the origin of each value", "llmops.cli.explain"),
    "fmt": ("specs in one order and style, comments kept", "llmops.cli.fmt"),
    "migrate": ("specs written for older words, in today's", "llmops.cli.migrate"),
    "schema": ("the kinds as JSON Schema, for editors", "llmops.cli.schema"),
    "docs": ("the manual, a page or a search", "llmops.cli.docs"),
    "import": ("rated rows of people, or another tool's configuration", "llmops.cli.import"),
    "prompt": ("what a model will read: render it, test it", "llmops.cli.prompt"),
    "guard": ("what a guardrail makes of a text", "llmops.cli.guard"),
}
AUDIT: Mapping[str, tuple[str, str]] = {
    "verify": ("whether a log holds and each verdict follows, offline", "llmops.cli.verify"),
    "report": ("pages from evidence, in English and Chinese", "llmops.cli.report"),
    "export": ("kept evidence and its verdict, for other tools", "llmops.cli.export"),
    "evidence": ("what runs found, shared between machines", "llmops.cli.evidence"),
    "log": ("what was signed, in an order that nobody can change unseen", "llmops.cli.log"),
    "bundle": ("what an auditor receives: the log and all it rests on", "llmops.cli.bundle"),
    "show": ("one run, one piece of evidence, one case", "llmops.cli.show"),
    "policy": ("rules, unit tests, tighter or looser", "llmops.cli.policy"),
    "keys": ("whose signature counts: keys, roles, the trust root", "llmops.cli.keys"),
    "waiver": ("ask for a waiver on a branch of its own, or list them", "llmops.cli.waiver"),
}
MACHINE: Mapping[str, tuple[str, str]] = {
    "lint-ci": ("mistakes in CI files that let a change around the gate", "llmops.cli.lint_ci"),
    "app": ("the gate as a GitHub App, woken by webhooks", "llmops.cli.app"),
    "doctor": ("whether this machine, or the repository on GitHub, is fit", "llmops.cli.doctor"),
    "gc": ("remove old runs and blobs, never evidence", "llmops.cli.gc"),
    "completion": ("a script for bash, zsh or fish", "llmops.cli.completion"),
}
# modules that the core does without, and the extra that brings them
EXTRAS: Mapping[str, str] = {
    "github3": "github",
    "requests": "github",
    "jwt": "github",
    "cryptography": "github",
    "starlette": "app",
    "uvicorn": "app",
    "fsspec": "store",
}
GROUPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "daily": DAILY,
    "for authors of specs": AUTHOR,
    "for reviewers and auditors": AUDIT,
    "this machine": MACHINE,
}
COMMANDS: Mapping[str, tuple[str, str]] = {**DAILY, **AUTHOR, **AUDIT, **MACHINE}
# what people type who come from elsewhere: what they mean
MEANT: Mapping[str, str] = {
    "apply": "run", "build": "run", "check": "validate", "compile": "plan", "eval": "run",
    "format": "fmt", "judge": "gate", "lint": "validate", "list": "ls", "new": "init",
    "parse": "validate", "status": "plan", "test": "run", "train": "run",
}  # fmt: skip
BEGIN = """\
begin with:
  llmops demo
  llmops init my-assistant
  llmops help plan"""
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
    try:
        code = main(sys.argv[1:])
    except Exception:  # asked for with LLMOPS_DEBUG: all of it, but for secrets
        complain(traceback.format_exc().rstrip())
        code = LlmopsError.exit_code
    raise SystemExit(code)


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
        extra = EXTRAS.get((getattr(error, "name", None) or "").partition(".")[0])
        if isinstance(error, ModuleNotFoundError) and extra:
            return _failed(_not_installed(str(error.name), extra))
        # A mistake of ours is no verdict: never exit code 1, never a page of code for a user.
        if os.environ.get("LLMOPS_DEBUG"):
            raise
        hint = "this is a mistake in llmops, please report it; LLMOPS_DEBUG=1 shows all of it"
        what = f"llmops itself failed, nothing was judged: {_summary(error)}"
        return _failed(LlmopsError(what, hint=hint))


def _not_installed(module: str, extra: str) -> UsageError:
    """What is missing where only the core was installed."""
    hint = f"in a clone of llmops: pip install '.[{extra}]'"
    return UsageError(f'this needs "{module}", which is not installed', hint=hint)


def _summary(error: Exception) -> str:
    """`KeyError in wire.py:12: 'x'`."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    code = step.tb_frame.f_code.co_filename if step else ""
    place = f" in {os.path.basename(code)}:{step.tb_lineno}" if step else ""
    return f"{type(error).__name__}{place}: {error}"


def _dispatch(argv: list[str]) -> int:
    argv = _asking(argv)
    name = first(argv)
    if name is not None and name not in COMMANDS:
        hint = f'did you mean "{MEANT[name]}"?' if name in MEANT else ""
        hint = hint or did_you_mean(name, COMMANDS, otherwise="llmops --help lists the commands")
        raise UsageError(f'there is no command "{printable(name, 60)}"', hint=hint)
    parser = _parser(name)
    args = parser.parse_args(argv)
    if name is None:
        parser.print_help()
        return 2
    if args.offline:
        os.environ["LLMOPS_OFFLINE"] = "1"
    if getattr(args, "format", "text") != "text":
        as_data()
    module = importlib.import_module(COMMANDS[name][1])
    code: int = module.main(args)
    return code


def _asking(argv: list[str]) -> list[str]:
    """`help plan` is `plan --help`."""
    return [*argv[1:], "--help"] if argv[:1] == ["help"] else argv


class _Overview(Parser):
    """The parser of the whole line; its help has the commands in their groups."""

    def format_help(self) -> str:
        """What there is, where to begin, and what exit codes say."""
        width = max(20, shutil.get_terminal_size((100, 24)).columns - 1)
        usage = "usage: llmops COMMAND [options]"
        lines = [*fitted(usage, width), "", *fitted(str(self.description), width), ""]
        for title, table in GROUPS.items():
            lines += [*fitted(f"{title}:", width), *_rows(table, width), ""]
        lines += [part for line in str(self.epilog).splitlines() for part in fitted(line, width)]
        return "\n".join(lines) + "\n"


def _rows(table: Mapping[str, tuple[str, str]], width: int) -> Iterator[str]:
    """Commands with their lines, beside each other where that fits."""
    left = max(map(len, COMMANDS)) + 4
    for name, (line, _) in table.items():
        if left + len(line) <= width:
            yield f"  {name:<{left - 2}}{line}"
        else:
            yield f"  {name}"
            yield from fitted(f"    {line}", width)


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole parser; only the chosen command's file is imported, for its own options."""
    parser = _Overview(
        prog="llmops",
        description="GitOps for LLM systems: two git trees in, one verdict out, with its evidence.",
        epilog=f"{BEGIN}\n\n{EXITS}",
    )
    parser.add_argument("--version", action="version", version=f"llmops {__version__}")
    common(parser)
    from_environment(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, (line, module) in COMMANDS.items():
        if name != chosen:
            commands.add_parser(name)
            continue
        plugin = importlib.import_module(module)
        sub = commands.add_parser(
            name, description=line, epilog=f"examples:\n{plugin.EXAMPLES}\n\n{EXITS}"
        )
        common_again(sub)
        plugin.add(sub)
        from_environment(sub)
    return parser


def _failed(error: LlmopsError) -> int:
    complain(f"llmops: error: {harmless(error.message)}")
    if error.hint:
        complain(f"  hint: {harmless(error.hint)}")
    return error.exit_code
