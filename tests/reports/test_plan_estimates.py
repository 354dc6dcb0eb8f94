"""Estimates in words: what is unknown says so, and the columns stay short."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmops.jobs.base import Budget, Estimate, Job, Plan, Resources, Step, TreeName
from llmops.reports import plan_estimates as estimates
from llmops.specs.base import Ref


def step(found: Estimate | None, **asked: Any) -> Step:
    job = Job("train", Ref("Recipe", "one"), "sha256:1", {}, resources=Resources(**asked))
    return Step(job, "run", "", estimate=found)


def plan(*steps: Step, budgets: tuple[Budget, ...] = ()) -> Plan:
    return replace(Plan(None, TreeName("head", "t"), None, (), steps, ()), budgets=budgets)


@pytest.mark.parametrize(
    ("found", "asked", "words"),
    [
        (None, {}, "?"),
        (Estimate(), {}, "?"),
        (Estimate(612.0), {}, "612 MiB"),
        (Estimate(612.0, bound="most"), {"processes": 2}, "<612 MiB"),
        (Estimate(1536.0, bound="least"), {}, ">1.5 GiB"),
        (Estimate(62_464.0, "device"), {"gpu": "H100"}, "61 GiB GPU"),
        (Estimate(614.4), {"memory": "2Gi", "processes": 2}, "1.2 of 2 GiB"),
        (Estimate(3072.0), {"memory": "2Gi"}, "3.0 of 2 GiB !"),
    ],
)
def test_what_a_job_needs(found: Estimate | None, asked: dict[str, Any], words: str) -> None:
    assert estimates.needs(step(found, **asked)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "?"), (0.4, "1s"), (41, "41s"), (130, "2m10s"), (3600, "1h00m"), (11_700, "3h15m")],
)
def test_time_on_the_clock(seconds: float | None, words: str) -> None:
    assert estimates.duration(seconds) == words


def test_a_column_in_which_nothing_is_known_is_not_there() -> None:
    assert estimates.columns([step(Estimate(600.0)), step(None)]) == ("needs",)
    assert estimates.columns([step(Estimate(None, seconds=3.0, usd=2.0))]) == ("time", "cost")
    assert estimates.columns([step(None)]) == ()


def test_the_total_counts_the_jobs_for_which_it_is_unknown() -> None:
    known, unknown = step(Estimate(seconds=80.0)), step(Estimate())
    assert estimates.sentence(plan(known, known), "2 jobs.") == "2 jobs; 2m40s in all."
    said = estimates.sentence(plan(known, unknown), "2 jobs.")
    assert said == "2 jobs; 1m20s in all and unknown for 1 of 2 jobs."
    assert estimates.sentence(plan(unknown), "1 job.") == "1 job; time unknown."
    assert estimates.sentence(plan(step(None)), "1 job.") == "1 job."


def test_the_total_of_a_budget_stands_beside_its_limit_with_what_was_used() -> None:
    one = step(Estimate(seconds=3600.0, gpu_hours=1.0, usd=3.0), gpu="H100")
    limits = (Budget("Policy/p/usd", "usd", 150.0, used=40.0),)
    said = estimates.sentence(plan(one, budgets=limits), "1 job.")
    assert said == "1 job; 1h00m in all, 43 USD (limit 150), 1 GPU-hours."
