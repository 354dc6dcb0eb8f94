"""`llmops evidence ls`: every closure that something is known of, and where its artifacts are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from llmops.cli import common, sharing
from llmops.cli.output import columns
from llmops.diagnostics import printable
from llmops.digest import short
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store
from llmops.project import Project

EXAMPLES = """\
  llmops evidence ls
  llmops evidence ls Recipe/support-lora --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `evidence ls`."""
    parser.add_argument("spec", nargs="?", metavar="KIND/NAME", help="only what is about this spec")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0, also where nothing is known."""
    store = Project.of(common.repository(args)).store
    rows = list(_rows(store, args.spec))
    sharing.notes(store.notes)
    if args.format == "json":
        data = {"format_version": 1, "evidence": rows}
        common.say(json.dumps(data, ensure_ascii=False, indent=2))
        return 0
    for line in columns([_line(row) for row in rows], 60) if rows else ():
        common.say(line)
    common.say(f"{sharing.many(len(rows), 'closure')} with evidence.")
    return 0


def _rows(store: Store, spec: str | None) -> Iterator[dict[str, Any]]:
    for closure in store.closures():
        evidence = store.evidence(closure)
        if evidence is not None and spec in (None, str(evidence.subject)):
            yield _row(store, evidence)


def _row(store: Store, evidence: Evidence) -> dict[str, Any]:
    absent = store.absent(evidence.closure)
    gone = store.missing(evidence.closure)
    return {
        "type": evidence.type,
        "subject": str(evidence.subject),
        "closure": evidence.closure,
        "evidence": evidence.digest,
        "status": evidence.status,
        "finished_at": evidence.result.finished_at,
        "artifacts": len(evidence.result.artifacts),
        "elsewhere": sorted(absent - gone),
        "gone": sorted(gone),
    }


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    where = "artifacts here"
    if row["gone"]:
        where = f"{len(row['gone'])} of {row['artifacts']} artifacts gone"
    elif row["elsewhere"]:
        where = f"{len(row['elsewhere'])} of {row['artifacts']} artifacts elsewhere"
    told = (row["type"], row["subject"], short(row["closure"]), row["status"], row["finished_at"])
    return (*(printable(str(cell), 60) for cell in told), where)
