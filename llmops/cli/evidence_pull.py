"""`llmops evidence pull`: statements, the ledger and where artifacts lie, from the branch.

With a plan also the artifacts that its jobs and gates read and that are on no disk here: from the
Environment's store, or out of what workflow runs uploaded. So `run` needs no token for it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from llmops.cli import common, sharing

if TYPE_CHECKING:
    from llmops.evidence.branch import Pulled

EXAMPLES = """\
  llmops evidence pull
  llmops evidence pull --plan plan.json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `evidence pull`."""
    sharing.add_remote(parser)
    sharing.add_plan(parser, "bring also the artifacts that this plan's jobs and gates read")


def main(args: argparse.Namespace) -> int:
    """0, also where there is no such branch yet; 3 where it cannot be reached."""
    from llmops.evidence.branch import pull
    from llmops.project import Project

    found = Project.of(common.repository(args))
    pulled = pull(found.store, sharing.remote(args, found), branch=args.branch)
    sharing.notes(pulled.notes)
    _say(args, pulled)
    if args.plan:
        from llmops.cli.bringing import bring

        bring(args, common.project_of(found.repository))
    return 0


def _say(args: argparse.Namespace, pulled: Pulled) -> None:
    if pulled.tip is None:
        common.say(f"No evidence is shared yet: there is no branch {args.branch}.")
        return
    new = f"{sharing.many(pulled.statements, 'statement')} and "
    new += sharing.many(pulled.entries, "entry of the ledger", "entries of the ledger")
    common.say(f"Evidence of {args.branch} at {pulled.tip[:7]}: {new} new here.")
