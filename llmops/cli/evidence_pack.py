"""`llmops evidence pack`: what this machine found, in a folder that another one may take in."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from llmops.cli import common, sharing
from llmops.evidence import layout
from llmops.evidence.branch import REF
from llmops.evidence.pack import pack
from llmops.evidence.statement import hex_of
from llmops.jobs.audits import Audit
from llmops.project import Project

EXAMPLES = """\
  llmops evidence pack outgoing
  llmops evidence pack outgoing --plan plan.json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `evidence pack`."""
    parser.add_argument("folder", metavar="FOLDER", help="a folder that is not there yet")
    sharing.add_plan(parser, "pack what its jobs found, and nothing else")
    sharing.add_origin(parser)


def main(args: argparse.Namespace) -> int:
    """0, also where nothing is new: then the pack is empty; 2 for a folder that is in use."""
    found = Project.of(common.repository(args))
    made = pack(
        found.store, _closures(args, found), Path(args.directory, args.folder),
        sharing.origin(args, os.environ), audits=_audits(found),
    )  # fmt: skip
    statements = sum(name.startswith("evidence/") for name in made.files)
    size = sum(file.size_bytes for file in made.files.values())
    told = f"{sharing.many(statements, 'statement')}, {sharing.many(len(made.files), 'file')}"
    common.say(f"Packed into {args.folder}: {told}, {size:,} bytes.")
    return 0


def _audits(found: Project) -> Iterator[Audit]:
    """Reused jobs that were run once more, as far as the branch did not have that."""
    paths = found.repository.tree(REF).blobs() if found.repository.commit(REF) else {}
    there = {at[1] for path in paths if (at := layout.audit_on_branch(path)) is not None}
    return (one for one in found.store.audits.all() if hex_of(one.digest) not in there)


def _closures(args: argparse.Namespace, found: Project) -> Iterator[str]:
    """Those that the branch did not have when it was pulled last, of the plan if one is named."""
    wanted = None
    if args.plan:
        wanted = {step.job.closure for step in sharing.plan_file(args).steps}
    there: set[str] = set()
    if found.repository.commit(REF):
        paths = found.repository.tree(REF).blobs()
        there = {at[1] for path in paths if (at := layout.statement_at(path)) is not None}
    for closure in found.store.closures():
        evidence = found.store.evidence(closure)
        new = evidence is not None and hex_of(evidence.digest) not in there
        if new and (wanted is None or closure in wanted):
            yield closure
