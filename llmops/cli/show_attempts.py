"""`llmops show attempts`: every claim with its attempts, and how often rows were looked at."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmops.cli.output import columns
from llmops.diagnostics import printable
from llmops.digest import short
from llmops.evidence.ledger import Ledger
from llmops.evidence.rows import looks
from llmops.jobs.attempts import Attempt, ClaimName, Decided, Entry, Granted, Judged
from llmops.project import Project

_HEAD = ("attempt", "level", "recorded", "change", "tree", "rests on", "became")


def found(project: Project, args: argparse.Namespace) -> dict[str, Any]:
    """The ledger by claim, as data. Raises StoreError where it is damaged."""
    ledger = Ledger(project.reports)
    entries = ledger.entries()
    claims: dict[ClaimName, list[Entry]] = {}
    for entry in entries:
        if not isinstance(entry, Judged) and (args.id or "") in entry.claim.gate:
            claims.setdefault(entry.claim, []).append(entry)
    rows = Counter(kept.inputs["cases"] for _, kept in looks(project.store))
    return {
        "entries": len(entries),
        "last": ledger.tip.digest,
        "claims": [_claim(claim, own) for claim, own in claims.items()],
        "looks": [{"rows": digest, "count": count} for digest, count in rows.most_common()],
    }


def _claim(claim: ClaimName, entries: Sequence[Entry]) -> dict[str, Any]:
    became = {e.closure: e.outcome for e in entries if isinstance(e, Decided)}
    granted = {e.closure: list(e.by) for e in entries if isinstance(e, Granted)}
    return {
        "gate": claim.gate,
        "target": claim.target,
        "attempts": [
            {
                "attempt": e.attempt,
                "attempts": e.attempts,
                "level": e.level,
                "cases": e.cases,
                "change": e.change,
                "head": e.head,
                "recorded_at": e.recorded_at,
                "closures": {c: became.get(c, "") for c in e.closures},
                "granted_by": sorted({who for c in e.closures for who in granted.get(c, ())}),
            }
            for e in entries
            if isinstance(e, Attempt)
        ],
    }


def text(shown: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    if not shown["entries"]:
        yield "No attempt is recorded: llmops run --counted does it."
    for claim in shown["claims"]:
        yield printable(f"{claim['gate']} on {claim['target']}", 200)
        rows = [_HEAD, *(_row(one) for one in claim["attempts"])]
        yield from (f"  {line}" for line in columns(rows, 60))
    if shown["entries"]:
        yield f"{shown['entries']:,} entries, the last {short(shown['last'])}"
    for one in shown["looks"]:
        times = "once" if one["count"] == 1 else f"{one['count']:,} times"
        yield f"rows {short(one['rows'])} looked at {times}"


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    became = ", ".join(dict.fromkeys(word for word in one["closures"].values() if word))
    by = f" (granted by {', '.join(one['granted_by'])})" if one["granted_by"] else ""
    told = (
        f"{one['attempt']} of {one['attempts']}", one["level"], one["recorded_at"],
        one["change"] or "-", one["head"][:7], ", ".join(map(short, one["closures"])),
        f"{became or 'not judged yet'}{by}",
    )  # fmt: skip
    return tuple(printable(cell, 80) for cell in told)
