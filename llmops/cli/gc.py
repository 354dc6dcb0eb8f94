"""`llmops gc`: old runs and blobs go; evidence, and what the current plan needs, stays.

Kept whatever its age: every statement, each run that head's or base's plan needs, or that of a
revision named with `--also` (a release's tag), each run that works now and what it reads. The rest
goes once it is older than `--keep-days`; with `--store` also out of the Environment's store, for
every machine. The evidence branch only grows: statements are small.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from llmops.cli import common, sharing
from llmops.cli.output import columns
from llmops.diagnostics import printable
from llmops.errors import GitError, UsageError
from llmops.executors.clean import InUse, Litter, litter, remove
from llmops.graph.build import Graph
from llmops.jobs.exam import exams, made_of
from llmops.jobs.make import Made
from llmops.pipeline import both_graphs, environment_of, lent
from llmops.project import Pair, Project, read

EXAMPLES = """\
  llmops gc --dry-run
  llmops gc --keep-days 7 --also v1.2"""
KEEP_DAYS = 30.0


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `gc`."""
    common.add_trees(parser)
    parser.add_argument(
        "--keep-days", type=float, default=KEEP_DAYS, metavar="N",
        help="keep what was written in the last N days (default: 30)",
    )  # fmt: skip
    parser.add_argument(
        "--also", metavar="REV", action="append", default=[],
        help="keep what this revision needs as well, as a release's tag (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--store", action="store_true",
        help="remove old artifacts from the Environment's store too, which all machines share",
    )  # fmt: skip
    common.add_environment(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would go, remove nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 2 when the specs cannot be read, since then nobody knows what is needed."""
    if not args.keep_days >= 0:
        raise UsageError("--keep-days must be 0 or more")
    found = common.project(args)
    both = common.both(found, args)
    used = _in_use(both, _also(found, args.also))
    ripe = litter(found.store, used, args.keep_days, time.time())
    gone = ripe if args.dry_run else _remove(found, ripe)
    if args.store:
        gone = (*gone, *_shared(found, both, used, args))
    common.say(_json(args, found, gone) if args.format == "json" else _text(args, found, gone))
    return 0


def _also(found: Project, revisions: Sequence[str]) -> tuple[Graph, ...]:
    """The graphs of further revisions. UsageError for one that cannot be read."""
    graphs = []
    for name in revisions:
        state = read(found, found.repository.tree(name))
        if state.graph is None:
            what = f"{printable(name, 80)} cannot be read, so what it needs is not known"
            raise UsageError(what, hint="leave it out of --also")
        graphs.append(state.graph)
    return tuple(graphs)


def _shared(found: Project, both: Pair, used: InUse, args: argparse.Namespace) -> list[Litter]:
    """What goes out of the store that all machines share, or would."""
    assert both.head.graph is not None
    where = environment_of(both.head.graph, args.env)
    shared = lent(found, both_graphs(both), where.ref.name if where else "").shared
    if shared is None:
        what = "no store is shared here: the Environment of the target branch names none"
        raise UsageError(what, hint="spec.store of an Environment names one, once it is merged")
    _pull(found)
    known = [one for closure in used.closures for one in found.store.made_by(closure)]
    needed = set(known).union(*(shared.inside(digest) for digest in set(known)))
    old = [
        one for one in shared.laid(datetime.now(UTC))
        if one.digest not in needed and one.days >= args.keep_days
    ]  # fmt: skip
    for one in () if args.dry_run else old:
        shared.remove(one)
    return [
        Litter(f"artifact in {shared.uri}", Path(one.path), one.size_bytes, one.days) for one in old
    ]


def _pull(found: Project) -> None:
    """Evidence of other machines first: what they need is known by it."""
    from llmops.evidence.branch import pull
    from llmops.source.remote import Remote

    plain = Remote(found.repository)
    try:
        address = plain.address
    except GitError:
        return  # no remote, so nobody shares anything
    pull(found.store, replace(plain, secret=sharing.secret_for(address, os.environ)))


def _in_use(both: Pair, also: Sequence[Graph]) -> InUse:
    """All that head, base, further revisions, and the comparison of the first two need."""
    if both.base_problem:
        raise UsageError(
            f"base cannot be read, so what it needs is not known: {both.base_problem}",
            hint="name another one with --base",
        )
    head, base = both.head.graph, both.base.graph if both.base else None
    assert head is not None
    asked = [exams(base, head), exams(None, head), exams(None, base) if base else ()]
    asked += [exams(None, graph) for graph in also]
    made: list[Made] = [
        one for found in asked for side in (made_of(found, "head"), made_of(found, "base"))
        for one in side
    ]  # fmt: skip
    blobs = {i.digest for one in made for i in one.job.inputs if i.digest is not None}
    return InUse({one.job.closure for one in made}, blobs)


def _remove(found: Project, ripe: Sequence[Litter]) -> tuple[Litter, ...]:
    return tuple(one for one in ripe if remove(found.store, one))


def _text(args: argparse.Namespace, found: Project, gone: Sequence[Litter]) -> str:
    rows = [(_bytes(one.size_bytes), f"{one.days:.0f} d", *_named(found, one)) for one in gone]
    total = _bytes(sum(one.size_bytes for one in gone))
    verb = "would go" if args.dry_run else "gone"
    if not gone:
        return f"Nothing to remove that is older than {args.keep_days:g} days and not needed."
    lines = [] if args.quiet else columns(rows, 100)
    return "\n".join([*lines, f"{len(gone)} {verb}, {total}. Evidence stays."])


def _named(found: Project, one: Litter) -> tuple[str, str]:
    inside = one.path.is_absolute()
    where = one.path.relative_to(found.repository.root).as_posix() if inside else str(one.path)
    return printable(one.what, 80), printable(where, 120)


def _bytes(size: int) -> str:
    amount, units = float(size), ["B", "KiB", "MiB", "GiB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:,.0f} {units[0]}" if units[0] == "B" else f"{amount:,.1f} {units[0]}"


def _json(args: argparse.Namespace, found: Project, gone: Sequence[Litter]) -> str:
    rows = [
        {"what": what, "path": path, "size_bytes": one.size_bytes, "days": round(one.days, 2)}
        for one in gone
        for what, path in [_named(found, one)]
    ]
    total = sum(one.size_bytes for one in gone)
    data = {"format_version": 1, "dry_run": args.dry_run, "size_bytes": total, "removed": rows}
    return json.dumps(data, ensure_ascii=False, indent=2)
