"""`llmops evidence pull`: statements, the ledger and where artifacts lie, from the branch."""

from __future__ import annotations

import argparse

from llmops.cli import common, sharing

EXAMPLES = """\
  llmops evidence pull
  llmops evidence pull --remote upstream"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `evidence pull`."""
    sharing.add_remote(parser)


def main(args: argparse.Namespace) -> int:
    """0, also where there is no such branch yet; 3 where it cannot be reached."""
    from llmops.evidence.branch import pull
    from llmops.project import Project

    found = Project.of(common.repository(args))
    pulled = pull(found.store, sharing.remote(args, found), branch=args.branch)
    sharing.notes(pulled.notes)
    if pulled.tip is None:
        common.say(f"No evidence is shared yet: there is no branch {args.branch}.")
        return 0
    new = f"{sharing.many(pulled.statements, 'statement')} and "
    new += sharing.many(pulled.entries, "entry of the ledger", "entries of the ledger")
    common.say(f"Evidence of {args.branch} at {pulled.tip[:7]}: {new} new here.")
    return 0
