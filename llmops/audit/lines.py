"""Lines of artifacts that are shown: that the seed chose them, and that they score as they did.

In: `openings.json`, public forms, the jobs that made them. Out: flaws, and how many lines were
shown and cells scored again. That a line is the one it says is `opened.problems`; here the cells of
exact metrics are computed once more from what was asked and answered, as the worker does it. What
a judge said is not asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.audit import opened
from llmops.audit.base import Flaw
from llmops.audit.opened import Line, Openings
from llmops.audit.ordered import Ran
from llmops.diagnostics import printable
from llmops.evidence import public
from llmops.evidence.disclosed import Blob
from llmops.evidence.public import Opening
from llmops.jobs.base import Job

FILE = "openings.json"


@dataclass(frozen=True, slots=True)
class Shown:
    """What openings show. `missing`: lines that were chosen and are not here."""

    flaws: tuple[Flaw, ...] = ()
    lines: int = 0
    missing: int = 0
    scored: int = 0


@dataclass(frozen=True, slots=True)
class _Form:
    """A public form, and the closure whose artifact it is of."""

    closure: str
    data: bytes


def check(
    found: Openings | None, runs: Sequence[Ran], jobs: Mapping[str, Job], blob: Blob
) -> Shown:
    """Every line that is shown."""
    if found is None:
        return Shown()
    forms = dict(_forms(runs, blob))
    flaws = [
        _flaw(line, what)
        for line, what in opened.problems(found, {of: one.data for of, one in forms.items()})
    ]
    wrong, scored = _scored(found, forms, jobs)
    missing = sum(one is None for _, one in found.lines)
    return Shown((*flaws, *wrong), len(found.lines) - missing, missing, scored)


def _forms(runs: Sequence[Ran], blob: Blob) -> Iterator[tuple[str, _Form]]:
    """The public form of each disclosed artifact, by the artifact's digest; damaged ones not."""
    for run in runs:
        for digest in run.evidence.links.disclosed.values():
            data = blob(digest)
            try:
                if data is not None and public.read(data) is not None:
                    yield public.header(data).of, _Form(run.evidence.closure, data)
            except ValueError:
                continue  # told where blobs and verdicts are checked


def _scored(
    found: Openings, forms: Mapping[str, _Form], jobs: Mapping[str, Job]
) -> tuple[list[Flaw], int]:
    """Cells that exact metrics score otherwise, and how many they scored."""
    from llmops.audit.rescored import cells, checks, said

    flaws, scored = [], 0
    for line, one in found.lines:
        form = forms.get(line.of)
        job = jobs.get(form.closure) if form is not None else None
        if one is None or job is None or job.type != "evaluate" or line.name != "rows.jsonl":
            continue
        row = _row(one)
        for check, value in cells(row, checks(job)):
            scored += 1
            if value != (claimed := said(row, check)):
                what = f"{printable(check, 80)} is {_text(value)} and not {_text(claimed)}"
                flaws.append(_flaw(line, what))
    return flaws, scored


def _row(one: Opening) -> dict[str, Any]:
    """The line as an object; an empty one where it is none, which is told elsewhere."""
    try:
        found = json.loads(one.text)
    except (ValueError, RecursionError):
        return {}
    return found if type(found) is dict else {}


def _text(value: Any) -> str:
    if value is None:
        return "invalid"
    return f"{value:g}" if type(value) in (int, float) else printable(str(value), 80)


def _flaw(line: Line | None, what: str) -> Flaw:
    if line is None:
        return Flaw("tampered", what, file=FILE)
    where = f"line {line.line + 1} of {printable(line.name, 80)} ({line.of})"
    return Flaw("tampered", f"{where}: {what}", file=FILE)
