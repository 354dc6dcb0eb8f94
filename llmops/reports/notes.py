"""Findings and diagnostics -> Notes: what machines are told about one place, in one shape.

In: a Verdict, or the diagnostics of `validate`. Out: one Note for each rule and gate (the worst of
several), which `sarif.py`, `junit.py` and `github.py` write down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmops.diagnostics import Diagnostic, Severity
from llmops.digest import of_bytes
from llmops.reports.data import plain
from llmops.rules.base import Cause, Finding, Outcome, Verdict

Level = Literal["error", "warning", "none"]
Place = tuple[str, int, int]  # path, line, column
_PLACE = re.compile(r"(.+):(\d{1,9}):(\d{1,9})", re.DOTALL)
_LEVELS: Mapping[Outcome, Level] = {
    Outcome.PASSED: "none",
    Outcome.WARNED: "warning",
    Outcome.INCONCLUSIVE: "error",
    Outcome.FAILED: "error",
}
_NUMBERS = (
    "judged_by", "metric", "value", "bound", "interval", "n", "base_value", "difference",
    "difference_interval", "about_more", "evidence", "controls", "waived_by", "unwaived", "judge",
    "assured", "literal", "level", "attempt", "attempts", "not_shown",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to say about one subject. `path` is "" where it stands nowhere; line from 1."""

    rule: str
    subject: str  # the gate, or the file
    level: Level
    word: str  # passed, failed, ... error, warning
    message: str
    hint: str = ""
    path: str = ""
    line: int = 1
    column: int = 1
    numbers: Mapping[str, Any] = field(default_factory=dict)
    same: str = ""  # what else tells it from others of this rule and subject
    causes: tuple[Cause, ...] = ()  # changed lines that it may rest on

    @property
    def place(self) -> Place:
        """Where it stands."""
        return (self.path, self.line, self.column)

    @property
    def fingerprint(self) -> str:
        """64 hex digits that stay while the same rule speaks of the same subject."""
        named = "\0".join((self.rule, self.subject, self.same))
        return of_bytes(named.encode("utf-8", "backslashreplace")).removeprefix("sha256:")


def of_verdict(verdict: Verdict) -> tuple[Note, ...]:
    """One note for each rule and gate, the worst first."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in sorted(verdict.findings, key=lambda f: (-f.outcome, f.gate, f.judged_by)):
        found.setdefault((finding.rule, finding.gate), finding)
    return tuple(_of_finding(finding) for finding in found.values())


def _of_finding(finding: Finding) -> Note:
    path, line, column = placed(finding.place)
    numbers = {name: getattr(finding, name) for name in _NUMBERS}
    return Note(
        rule=finding.rule,
        subject=finding.gate,
        level=_LEVELS[finding.outcome],
        word=finding.outcome.word,
        message=finding.message,
        hint=finding.hint,
        path=path,
        line=line,
        column=column,
        numbers={k: plain(v) for k, v in numbers.items() if v not in (None, "", ())},
        causes=finding.causes,
    )


def placed(place: str) -> Place:
    """`path:line:col` in parts; no path where it is something else."""
    found = _PLACE.fullmatch(place)
    return (found[1], max(1, int(found[2])), max(1, int(found[3]))) if found else ("", 1, 1)


def of_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Note, ...]:
    """One note for each diagnostic, by place."""
    return tuple(_of_diagnostic(d) for d in sorted(set(diagnostics), key=lambda d: d.sort_key))


def _of_diagnostic(d: Diagnostic) -> Note:
    level: Level = "error" if d.severity is Severity.ERROR else "warning"
    span = d.span
    return Note(
        d.rule, span.path, level, d.severity.value, d.message, d.hint, span.path, span.line,
        span.column, same=d.message,
    )  # fmt: skip
