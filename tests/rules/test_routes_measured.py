"""Rule routes-measured: a routed model that no exam is put to is warned of."""

from __future__ import annotations

from llmops.rules.base import Outcome
from tests.rules.world import World, right
from tests.trees import BANK, spec

APP, POLICY = "specs/applications/bot.yaml", "policies/default.yaml"
ROUTED = spec(
    "Application", "bot",
    "model: Recipe/adapter\nprompt: ask\nroutes:\n"
    "  - {when: {intent: hard}, model: Recipe/base}\n"
    "  - {when: {tokens_over: 99}, model: Recipe/base}\n"
    "  - {default: true, model: Recipe/adapter}",
)  # fmt: skip
MEASURED = spec(
    "Evaluation", "second",
    "target: Recipe/base\ndataset: bank#test\nsample: {rows: 200}\n"
    "checks: [{name: accuracy, metric: builtin/accuracy, require: {min: 0.8}}]",
)  # fmt: skip


def world(files: dict[str, str]) -> World:
    """Base and head alike, everything right."""
    return World(files, files, lambda made: right(199, 200))


def test_a_routed_model_that_nothing_measures_is_warned_of_once() -> None:
    judged = world({**BANK, APP: ROUTED})
    (one,) = judged.found("routes-measured")
    assert one.outcome is Outcome.WARNED
    assert one.gate == "Application/bot/routes/base"
    assert one.place.startswith(f"{APP}:8:")
    assert "Recipe/base, which nothing measures" in one.message
    assert judged.verdict().outcome is Outcome.WARNED


def test_a_measured_one_is_not() -> None:
    files = {**BANK, APP: ROUTED, "specs/evaluations/second.yaml": MEASURED}
    assert world(files).found("routes-measured") == []


def test_a_policy_can_ask_for_more() -> None:
    text = "rules:\n    - {name: routes, rule: routes-measured, severity: error}"
    files = {**BANK, APP: ROUTED, POLICY: BANK[POLICY].replace("rules:", text)}
    (one,) = world(files).found("routes-measured")
    assert one.outcome is Outcome.INCONCLUSIVE
