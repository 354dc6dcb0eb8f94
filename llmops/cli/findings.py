"""Diagnostics -> what `validate` and `lint-ci` print of them: how many, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from llmops.diagnostics import Diagnostic, Severity


def many(count: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def tally(found: Iterable[Diagnostic]) -> str:
    """`1 error, 2 warnings`."""
    found = list(found)
    errors = sum(d.severity is Severity.ERROR for d in found)
    warnings = sum(d.severity is Severity.WARNING for d in found)
    return f"{many(errors, 'error')}, {many(warnings, 'warning')}"


def as_json(found: Iterable[Diagnostic]) -> str:
    """All of them, by place."""
    rows = [
        {
            "path": d.span.path,
            "line": d.span.line,
            "column": d.span.column,
            "severity": d.severity.value,
            "rule": d.rule,
            "message": d.message,
            "hint": d.hint,
        }
        for d in sorted(set(found), key=lambda d: d.sort_key)
    ]
    return json.dumps({"format_version": 1, "diagnostics": rows}, ensure_ascii=False, indent=2)
