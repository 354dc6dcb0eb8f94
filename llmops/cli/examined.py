"""Findings about a machine or a service -> what `doctor` and `app --check` print of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from llmops.cli.output import columns
from llmops.diagnostics import printable
from llmops.executors.machine import Finding

SIGNS = {"ok": " ", "warning": "!", "missing": "x"}


def as_text(found: Sequence[Finding], quiet: bool, good: str = "all must-haves are there") -> str:
    """A line for each, hints below what is not well; the last line is the whole in a phrase."""
    shown = [one for one in found if not quiet or one.state != "ok"]
    rows = [(SIGNS[o.state], o.name, o.state, printable(o.message, 400)) for o in shown]
    lines: list[str] = []
    for line, one in zip(columns(rows) if rows else (), shown, strict=True):
        lines.append(line)
        if one.hint and one.state != "ok":
            lines.append(f"     hint: {printable(one.hint, 400)}")
    bad = sum(one.state == "missing" for one in found)
    last = good if not bad else f"{bad} of the must-haves missing"
    return "\n".join([*lines, last])


def as_json(found: Sequence[Finding]) -> str:
    """All of them."""
    data = {"format_version": 1, "findings": [asdict(one) for one in found]}
    return json.dumps(data, ensure_ascii=False, indent=2)
