"""What a pull request shows in every state: reviewed like code, looked at with `tools/look`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from llmops.reports import github_outputs
from tests.reports import pulls
from tests.reports.conftest import PLANS

Golden = Callable[[str, str], None]
SHORT = {"400-gates", "60-findings-in-one-file", "running-400-gates"}  # of whose parts a few do


@pytest.mark.parametrize("name", pulls.every())
def test_a_state_looks_as_agreed(golden: Golden, name: str) -> None:
    found = pulls.every()[name]
    check = dict(found.check or {})
    output = check.pop("output")
    golden(f"pull-request/{name}.md", f"{found.comment or output['summary']}\n")
    notes = found.annotations[:3] if name in SHORT else found.annotations
    told = {
        "check": check, "title": output["title"], "annotations": [dict(one) for one in notes],
        "status": found.status, "labels": found.labels,
    }  # fmt: skip
    golden(f"pull-request/{name}.json", json.dumps(told, ensure_ascii=False, indent=1) + "\n")


@pytest.mark.parametrize("name", ["failed", "hostile", "waiting-for-approval"])
def test_a_check_reads_as_agreed(golden: Golden, name: str) -> None:
    output = (pulls.every()[name].check or {})["output"]
    text = f"{output['summary']}\n\n{output.get('text', '')}\n"
    golden(f"pull-request/check-{name}.md", text)


@pytest.mark.parametrize("name", ["failed", "all-reused", "hostile"])
def test_a_step_summary_reads_as_agreed(golden: Golden, name: str) -> None:
    golden(f"pull-request/step-{name}.md", github_outputs.step_summary(pulls.JUDGED[name]) + "\n")


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_jobs_summary_is_the_plan(golden: Golden, name: str) -> None:
    golden(f"reports/plan-{name}.md", github_outputs.plan_summary(PLANS[name]) + "\n")
