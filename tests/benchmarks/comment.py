"""CPU seconds for the comment of 400 gates, for all that is published of them, and for escaping."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from llmops.reports import github_states, markdown
from llmops.reports.blocks import fit
from llmops.reports.escape import text
from llmops.rules.base import Verdict
from tests.reports.conftest import many
from tests.reports.pulls import SUBJECT

GATES = 400


def per_comment() -> tuple[float, float, float]:
    """Seconds of the comment, of the whole publication, of escaping each gate's words once."""
    verdict = many()
    assert len(verdict.findings) == GATES
    return (
        _median(lambda: _comment(verdict)),
        _median(lambda: github_states.judged(SUBJECT, verdict)),
        _median(lambda: [text(f"{f.gate} {f.message} {f.place}") for f in verdict.findings]),
    )


def _comment(verdict: Verdict) -> str:
    return fit("head", markdown.sections(verdict), markdown.foot(verdict))


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(9):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)
