"""Estimates held against the peaks of real trainings on this machine."""

from __future__ import annotations

import pytest

from llmops.jobs.estimate import score
from tests.benchmarks.memory import Case, estimated_mb, measured

OFF = 0.25


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        Case("full", hidden=256, layers=4, vocab=4096),
        Case("lora", hidden=256, layers=4, vocab=4096, lora=True),
        Case("full zero 2", hidden=256, layers=4, vocab=4096, stage=2, ranks=2),
        Case("lora zero 3", hidden=256, layers=4, vocab=4096, stage=3, ranks=2, lora=True),
    ],
    ids=lambda case: case.name,
)
def test_an_estimate_is_at_most_a_quarter_off_the_measured_peak(case: Case) -> None:
    off = score(estimated_mb(case), float(measured(case)["peak_memory_mb"]))
    assert off is not None
    assert abs(off) <= OFF
