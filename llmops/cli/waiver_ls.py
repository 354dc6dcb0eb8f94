"""`llmops waiver ls`: every waiver of base and of head, whether it counts, and for how long.

Whether one is in use is what the verdict on kept evidence says; nothing runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from llmops.cli import common
from llmops.cli.output import columns, complain
from llmops.diagnostics import printable
from llmops.pipeline import Planned, make_plan, verdict
from llmops.rules.base import Outcome, Verdict, Waived

EXAMPLES = """\
  llmops waiver ls
  llmops waiver ls --base origin/main --format json"""
HEAD = ("waiver", "gate", "state", "last day", "days left", "owner", "ticket")


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `waiver ls`."""
    common.add_trees(parser)
    common.add_environment(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to judge at (for tests)")


@dataclass(frozen=True, slots=True)
class Line:
    """One waiver. `side`: "base", or "head" for one that this change would bring."""

    waived: Waived
    side: str
    fails: bool  # expired, and its gate does not hold


def main(args: argparse.Namespace) -> int:
    """0; 1 when an expired one is in use."""
    found = common.project(args)
    planned = make_plan(found, common.both(found, args), environment=args.env)
    for note in planned.damaged:
        complain(f"llmops: warning: {printable(note, 600)}")
    now = common.moment(args.now)
    lines = list(_lines(planned, verdict(found, planned, now=now), now.date()))
    common.say(_json(lines) if args.format == "json" else _text(lines))
    return 1 if any(line.fails for line in lines) else 0


def _lines(planned: Planned, judged: Verdict, today: date) -> Iterator[Line]:
    """Base's first, as the verdict tells them, then those that only head has."""
    from llmops.rules.waiver import declared, told_of

    failed = {f.gate for f in judged.findings if f.rule == "waiver" and f.outcome is Outcome.FAILED}
    for one in judged.waivers:
        yield Line(one, "base", one.name in failed)
    told = {(one.name, one.gate, one.expires) for one in judged.waivers}
    base = planned.both.base.graph if planned.both.base is not None else None
    before = {(one.name, one.gate, one.given["expires"]) for one in declared(base)}
    for one in told_of(base, planned.both.head.graph, today):
        key = (one.name, one.gate, one.expires)
        if key in before and key not in told:  # its policy is for another Application
            yield Line(replace(one, state="does not apply"), "base", False)
        elif key not in before:
            yield Line(one, "head", False)


def _text(lines: Sequence[Line]) -> str:
    if not lines:
        return "No waiver: every gate counts."
    rows = [HEAD, *map(_row, lines)]
    brought = [line for line in lines if line.side == "head"]
    note = "new in this change: counts once it is merged" if brought else ""
    return "\n".join([*columns(rows), *([f"* {note}"] if note else [])])


def _row(line: Line) -> tuple[str, ...]:
    one = line.waived
    state = f"{one.state}, in use" if line.fails else one.state
    mark = "* " if line.side == "head" else ""
    cells = (f"{mark}{one.name}", one.gate, state, one.expires, str(one.days_left), one.owner)
    return tuple(printable(cell, 120) for cell in (*cells, one.ticket))


def _json(lines: Sequence[Line]) -> str:
    from llmops.reports.data import dumps, plain

    rows = [
        {**plain(line.waived), "side": line.side, "expired_in_use": line.fails} for line in lines
    ]
    return dumps({"format_version": 1, "waivers": rows})
