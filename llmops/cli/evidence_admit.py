"""`llmops evidence admit`: a pack of another machine, taken in as far as it holds.

Nothing of a pack is believed or executed. What is taken must be of a job of the change's own plan,
told and given what that plan says, with numbers that its rows give when they are computed again,
and signed by a key that base's trust root lets speak for runners, if base has one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from llmops.cli import common, sharing
from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.evidence.admit import Expecting, admit
from llmops.evidence.trusted import of_tree
from llmops.gating.rescore import rescored
from llmops.pipeline import jobs_of, make_plan

EXAMPLES = """\
  llmops evidence admit incoming
  llmops evidence admit shard-1.zip shard-2.zip --base main --head my-branch"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `evidence admit`."""
    parser.add_argument("packs", nargs="+", metavar="PACK", help="a folder or a zip")
    common.add_trees(parser)
    common.add_environment(parser)
    sharing.add_origin(parser)


def main(args: argparse.Namespace) -> int:
    """0 all of it holds, 1 something was refused."""
    found = common.project(args)
    both = common.both(found, args)
    planned = make_plan(found, both, environment=args.env)
    expected = jobs_of(planned)
    base = both.base.tree if both.base is not None else None
    trust = of_tree(base, common.moment(None))
    who = Expecting(args.run_id, args.repository or None, args.head_sha or None)
    kept, known, refused = 0, 0, 0
    for pack in args.packs:
        made = admit(
            found.store, Path(args.directory, pack), expected, who,
            check=rescored, trust=trust, columns=planned.columns,
        )  # fmt: skip
        kept, known = kept + len(made.kept), known + len(made.known)
        refused += len(made.refused)
        for reason in made.refused:
            complain(f"{printable(pack, 200)}: error[refused]: {printable(reason, 400)}")
    told = f"{kept} taken, {known} known already, {refused} refused"
    common.say(f"Evidence: {told}.")
    return 1 if refused else 0
