"""`llmops evidence push`: what is here, added to the branch; nobody's work is lost by it."""

from __future__ import annotations

import argparse

from llmops.cli import common, sharing
from llmops.evidence.branch import push
from llmops.project import Project

EXAMPLES = """\
  llmops evidence push
  llmops evidence push --remote upstream"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `evidence push`."""
    sharing.add_remote(parser)


def main(args: argparse.Namespace) -> int:
    """0; 3 where the branch cannot be reached, or may not be written."""
    found = Project.of(common.repository(args))
    pushed = push(found.store, sharing.remote(args, found), branch=args.branch)
    sharing.notes(pushed.notes)
    if not pushed.statements and not pushed.entries:
        common.say(f"Nothing to add to {args.branch}.")
        return 0
    new = f"{sharing.many(pushed.statements, 'statement')} and "
    new += sharing.many(pushed.entries, "entry of the ledger", "entries of the ledger")
    common.say(f"Added to {args.branch}: {new}.")
    return 0
