"""What guards a gate on GitHub -> text, JSON and SARIF: what `llmops doctor --github` prints.

In: `Guard`s. Out: a line for each with the setting to change below it; or data; or a SARIF run, in
which a result closes itself once the setting is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from llmops.columns import width_of
from llmops.forge.guards import Guard
from llmops.reports import sarif
from llmops.reports.data import dumps
from llmops.reports.escape import visible
from llmops.reports.notes import Level, Note
from llmops.reports.words import plural

SIGNS = {"ok": " ", "warning": "!", "missing": "x", "unknown": "?"}
_LEVELS: dict[str, Level] = {
    "ok": "none", "warning": "warning", "missing": "error", "unknown": "warning",
}  # fmt: skip


def text(found: Sequence[Guard], where: str, *, quiet: bool = False) -> str:
    """A line for each guard, the setting below it where it is not ok, and the sum."""
    shown = [one for one in found if not quiet or one.state != "ok"]
    wide = max((width_of(one.id) for one in shown), default=0)
    lines = []
    for one in shown:
        lines.append(
            f"{SIGNS[one.state]} {one.id:<{wide}}  {one.state:<7}  {visible(one.message, 400)}"
        )
        if one.hint and one.state != "ok":
            lines.append(f"     hint: {visible(one.hint, 600)}")
    return "\n".join([*lines, _last(found, where)])


def _last(found: Sequence[Guard], where: str) -> str:
    missing = sum(one.state == "missing" for one in found)
    unknown = sum(one.state == "unknown" and one.must for one in found)
    if missing:
        unseen = f", {unknown} cannot be seen by this token" if unknown else ""
        return f"{visible(where, 200)}: {missing} of the must-haves missing{unseen}"
    if unknown:
        return f"{visible(where, 200)}: {plural(unknown, 'must-have')} cannot be seen by this token"
    return f"{visible(where, 200)}: all must-haves are there"


def json(found: Sequence[Guard], where: str) -> str:
    """All of them as data."""
    rows: list[dict[str, Any]] = [asdict(one) for one in found]
    return dumps({"format_version": 1, "subject": where, "guards": rows})


def as_sarif(found: Sequence[Guard], where: str) -> str:
    """Those that are not ok, as one SARIF run."""
    notes = [
        Note(one.id, where, _LEVELS[one.state], one.state, one.message, one.hint, same=one.message)
        for one in found
        if one.state != "ok"
    ]
    return sarif.document(notes, "doctor")
