"""`llmops doctor`: whether this machine can plan, run and judge, one line for each thing.

Must-haves that are not there make the exit code 1. With the workers' tools installed, two ranks
are really started; `--quick` leaves that out. `--github` looks at the repository's settings there
instead (`doctor_github.py`).
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Iterator
from pathlib import Path

from llmops.cli import actions, common, doctor_github
from llmops.cli.examined import as_json, as_text
from llmops.errors import GitError, LlmopsError, StoreError, UsageError
from llmops.evidence.ledger import Ledger
from llmops.executors.machine import Finding, Machine, examine
from llmops.project import Project

EXAMPLES = """\
  llmops doctor
  llmops doctor --quick --format json
  llmops doctor --github --repo acme/assistant --app 12345
  llmops doctor --ruleset target --app 12345"""
# Read beside those that stand for options.
VARIABLES = (
    "LLMOPS_ALLOW_HOSTS", "LLMOPS_CACHE", "LLMOPS_DEBUG", "LLMOPS_MIRROR", "LLMOPS_OFFLINE",
    "LLMOPS_SIGNING_KEY", "LLMOPS_WEBHOOK_SECRETS",
)  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `doctor`."""
    parser.add_argument("--quick", action="store_true", help="start no ranks")
    parser.add_argument(
        "--format", choices=doctor_github.FORMATS, default="text",
        help="output format (sarif: with --github)",
    )  # fmt: skip
    doctor_github.add(parser)


def main(args: argparse.Namespace) -> int:
    """0; 1 when a must-have is missing; with --github, 3 when the token cannot see one."""
    if args.ruleset:
        return doctor_github.ruleset(args)
    if args.github:
        return doctor_github.main(args)
    if args.format == "sarif":
        raise UsageError("--format sarif is of --github", hint="llmops doctor --format json")
    found = [*_repository(args), *examine(_machine(args), ranks=not args.quick)]
    common.say(as_json(found) if args.format == "json" else as_text(found, args.quiet))
    return 1 if any(one.state == "missing" for one in found) else 0


def _machine(args: argparse.Namespace) -> Machine:
    try:
        reports = common.project(args).reports
    except GitError:
        reports = Path(args.directory).resolve() / "reports"
    return Machine(dict(os.environ), reports, common.cache_folder(), frozenset(_known()))


def _known() -> Iterator[str]:
    """Every LLMOPS_* name that some command reads."""
    from llmops.cli.main import COMMANDS
    from llmops.cli.parser import common as of_every_command
    from llmops.cli.parser import variable

    yield from VARIABLES
    for _, module in COMMANDS.values():
        parser = argparse.ArgumentParser(add_help=False)
        of_every_command(parser)
        importlib.import_module(module).add(parser)
        for one in (parser, *actions.parsers(parser).values()):
            yield from (variable(action) for action in one._actions if action.option_strings)


def _repository(args: argparse.Namespace) -> Iterator[Finding]:
    """Whether there is a repository, and whether the evidence that it keeps is whole."""
    try:
        found: Project = common.project(args)
    except GitError as error:
        hint = "llmops init makes one" if "not a git repository" in error.message else error.hint
        yield Finding("repository", "warning", error.message, hint)
        return
    yield Finding("repository", "ok", str(found.repository.root))
    store = found.store
    kept = len(store.proven())
    for note in store.notes[:5]:
        yield Finding("evidence", "warning", note, "what is damaged is not used; llmops plan")
    if not store.notes:
        yield Finding("evidence", "ok", f"{kept} kept statements, all whole")
    yield _ledger(found)
    yield _keys(found)


def _ledger(found: Project) -> Finding:
    """Whether the ledger of attempts is as it was written."""
    try:
        count = len(Ledger(found.reports).entries())
    except StoreError as error:
        return Finding("ledger", "warning", error.message, error.hint)
    return Finding("ledger", "ok", f"{count} entries of attempts, all in their row")


def _keys(found: Project) -> Finding:
    """Whether the trust root is one, and what this machine's key may sign by it."""
    from llmops.cli.trusted import standing

    try:
        return Finding("keys", "ok", standing(found.repository, common.moment(None)))
    except LlmopsError as error:
        return Finding("keys", "warning", error.message, error.hint)
