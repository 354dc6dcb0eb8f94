"""One fixed value in every format: what people see is reviewed like code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from llmops.jobs.base import Change, Plan
from llmops.reports.render import FORMATS, render_changes, render_plan, render_verdict
from llmops.rules.base import Verdict

ENDINGS = {"text": "txt", "json": "json", "markdown": "md"}
FOR_PEOPLE = ("text", "markdown")
Golden = Callable[[str, str], None]

PLAN_NAMES = (
    "first-run",
    "change",
    "nothing-to-run",
    "blocked",
    "descriptive-only",
    "partial",
    "400-gates",
    "chinese",
    "hostile",
)
VERDICT_NAMES = (
    "quiet",
    "passed",
    "failed",
    "inconclusive",
    "loosened",
    "approved",
    "partial",
    "two-sides",
    "400-gates",
    "chinese",
    "counted",
    "hostile",
)
CHANGE_NAMES = ("changes", "changes-none", "changes-chinese")


def test_every_fixed_value_is_shown(
    plans: Mapping[str, Plan],
    verdicts: Mapping[str, Verdict],
    change_sets: Mapping[str, tuple[Change, ...]],
) -> None:
    assert set(plans) == set(PLAN_NAMES)
    assert set(verdicts) == set(VERDICT_NAMES)
    assert set(change_sets) == set(CHANGE_NAMES)
    assert set(FORMATS) == set(ENDINGS)


@pytest.mark.parametrize("fmt", FOR_PEOPLE)
@pytest.mark.parametrize("name", PLAN_NAMES)
def test_plan_reads_as_agreed(
    plans: Mapping[str, Plan], golden: Golden, name: str, fmt: str
) -> None:
    golden(f"reports/plan-{name}.{ENDINGS[fmt]}", render_plan(plans[name], fmt) + "\n")


@pytest.mark.parametrize("fmt", FOR_PEOPLE)
@pytest.mark.parametrize("name", VERDICT_NAMES)
def test_verdict_reads_as_agreed(
    verdicts: Mapping[str, Verdict], golden: Golden, name: str, fmt: str
) -> None:
    golden(f"reports/verdict-{name}.{ENDINGS[fmt]}", render_verdict(verdicts[name], fmt) + "\n")


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("name", CHANGE_NAMES)
def test_changes_read_as_agreed(
    change_sets: Mapping[str, tuple[Change, ...]], golden: Golden, name: str, fmt: str
) -> None:
    golden(f"reports/{name}.{ENDINGS[fmt]}", render_changes(change_sets[name], fmt) + "\n")


@pytest.mark.parametrize("name", ["partial", "chinese"])
def test_json_keeps_its_shape(
    plans: Mapping[str, Plan], verdicts: Mapping[str, Verdict], golden: Golden, name: str
) -> None:
    golden(f"reports/plan-{name}.json", render_plan(plans[name], "json") + "\n")
    golden(f"reports/verdict-{name}.json", render_verdict(verdicts[name], "json") + "\n")


def test_narrow_plan_and_verdict_shrink_from_the_right(
    plans: Mapping[str, Plan], verdicts: Mapping[str, Verdict], golden: Golden
) -> None:
    golden("reports/plan-narrow.txt", render_plan(plans["chinese"], "text", width=60) + "\n")
    golden("reports/verdict-narrow.txt", render_verdict(verdicts["failed"], "text", width=60))


def test_colour_adds_codes_and_nothing_else(
    plans: Mapping[str, Plan], verdicts: Mapping[str, Verdict], golden: Golden
) -> None:
    painted = render_plan(plans["change"], "text", colour=True)
    golden("reports/plan-colour.txt", painted.replace("\x1b", "<ESC>") + "\n")
    for codes in ("0", "1", "2", "31", "32", "33", "36"):
        painted = painted.replace(f"\x1b[{codes}m", "")
    assert painted == render_plan(plans["change"], "text")
