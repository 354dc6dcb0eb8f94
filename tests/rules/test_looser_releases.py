"""Weaker Releases and wider Environments are loosened; stronger ones are not."""

from __future__ import annotations

import pytest

from tests.rules.world import World, right
from tests.trees import BANK, spec

REL, ENV = "specs/releases/bot.yaml", "specs/environments/local.yaml"
RELEASE = spec(
    "Release", "bot",
    "application: bot\nenvironments: [local]\nstrategy:\n  canary:\n    split_by: user\n"
    "    steps:\n      - setWeight: 5\n"
    "      - analysis: {templates: [wrong, few], duration: 2h}\n      - setWeight: 100\n"
    "    analysis:\n"
    "      - {name: wrong, metric: otel/down, compare: baseline, max_ratio: 1.25, alpha: 0.01}\n"
    "      - {name: few, metric: otel/resolved, min: 0.7}\n"
    "    max_hold_hours: 48\nrollback: {max_seconds: 60}\nmonitors:\n"
    "  - {name: old, refresh: bank, max_age_days: 7, on_alarm: fail_main}\n"
    "  - {name: dear, metric: otel/tokens, max_usd_per_day: 120, on_alarm: open_issue}\n"
    "lifecycle: {previous: keep_30_days}",
)  # fmt: skip
ENVIRONMENT = spec(
    "Environment", "local",
    "residency: [CN]\negress: [a.example.org, b.example.org]\nsecrets: {names: [KEY]}",
)  # fmt: skip
FILES = {**BANK, REL: RELEASE, ENV: ENVIRONMENT}


def loosened(head: dict[str, str]) -> list[tuple[str, str, str]]:
    """What head holds weaker than base."""
    return said(FILES, head)


def said(base: dict[str, str], head: dict[str, str]) -> list[tuple[str, str, str]]:
    """What one tree holds weaker than another."""
    found = World(head, base, lambda made: right(199, 200)).verdict().loosened
    return [(one.what, one.before, one.after) for one in found]


def moved(path: str, old: str, new: str) -> list[tuple[str, str, str]]:
    """What is loosened by one replacement."""
    assert old in FILES[path]
    return loosened({**FILES, path: FILES[path].replace(old, new)})


CANARY = "Release/bot strategy.canary"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.25", "1.5", (f"{CANARY}.analysis[wrong].max_ratio", "1.25", "1.5")),
        ("0.01", "0.05", (f"{CANARY}.analysis[wrong].alpha", "0.01", "0.05")),
        ("min: 0.7}", "min: 0.7, alpha: 0.4}",
         (f"{CANARY}.analysis[few].alpha", "nothing", "0.4")),
        ("min: 0.7", "min: 0.6", (f"{CANARY}.analysis[few].min", "0.7", "0.6")),
        ("otel/down", "otel/up", (f"{CANARY}.analysis[wrong].metric", "otel/down", "otel/up")),
        ("hours: 48", "hours: 96", (f"{CANARY}.max_hold_hours", "48.0", "96.0")),
        ("seconds: 60", "seconds: 600", ("Release/bot rollback.max_seconds", "60", "600")),
        ("split_by: user", "split_by: header", (f"{CANARY}.split_by", "user", "header")),
        ("days: 7", "days: 30", ("Release/bot monitors[old].max_age_days", "7", "30")),
        ("fail_main", "open_issue",
         ("Release/bot monitors[old].on_alarm", "fail_main", "open_issue")),
        ("    - {name: dear, metric: otel/tokens, max_usd_per_day: 120, on_alarm: open_issue}\n",
         "", ("Release/bot monitors[dear]", "declared", "removed")),
    ],
)  # fmt: skip
def test_a_release_that_watches_less_is_loosened(
    old: str, new: str, said: tuple[str, str, str]
) -> None:
    assert moved(REL, old, new) == [said]


def test_other_steps_and_a_lost_analysis_are_loosened() -> None:
    assert [what for what, _, _ in moved(REL, "setWeight: 5", "setWeight: 50")] == [
        f"{CANARY}.steps"
    ]
    text = RELEASE.replace("templates: [wrong, few]", "templates: [wrong]").replace(
        "        - {name: few, metric: otel/resolved, min: 0.7}\n", ""
    )
    assert (f"{CANARY}.analysis[few]", "declared", "removed") in loosened({**FILES, REL: text})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.25", "1.1"),
        ("0.01", "0.005"),
        ("min: 0.7", "min: 0.8"),
        ("min: 0.7}", "min: 0.7, alpha: 0.01}"),
        ("hours: 48", "hours: 24"),
        ("days: 7", "days: 3"),
        ("keep_30_days", "keep_60_days"),
        ("  monitors:\n",
         "  monitors:\n    - {name: load, metric: otel/n, max: 9, on_alarm: open_issue}\n"),
        ("max_seconds: 60", "max_seconds: 60, drill_every_days: 30"),
    ],
)  # fmt: skip
def test_a_release_that_watches_more_is_not(old: str, new: str) -> None:
    assert moved(REL, old, new) == []


def test_a_removed_release_is_loosened() -> None:
    head = {path: text for path, text in FILES.items() if path != REL}
    assert loosened(head) == [("Release/bot", "declared", "removed")]


def test_an_environment_that_lets_more_out_is_loosened() -> None:
    assert moved(ENV, "b.example.org]", "b.example.org, c.example.org]") == [
        ("Environment/local egress", "a.example.org, b.example.org", "also c.example.org")
    ]
    assert moved(ENV, "  egress: [a.example.org, b.example.org]\n", "")[0][2] == "any public host"
    assert moved(ENV, "[KEY]", "[KEY, TOKEN]") == [
        ("Environment/local secrets", "KEY", "also TOKEN")
    ]
    assert moved(ENV, "[CN]", "[EU]") == [("Environment/local residency", "CN", "EU")]


def test_an_environment_that_lets_less_out_is_not() -> None:
    assert moved(ENV, "a.example.org, ", "") == []
    assert moved(ENV, "  secrets: {names: [KEY]}\n", "") == []


def test_another_environment_in_use_is_loosened() -> None:
    other = {"specs/environments/other.yaml": spec("Environment", "other", "residency: [US]")}
    here = spec("Environment", "here", "residency: [CN]")
    base = {**BANK, "specs/environments/here.yaml": here}
    in_use = ("Environment in use", "Environment/here", "none without --env")
    assert said(base, {**base, **other}) == [in_use]
    assert said(base, BANK) == [in_use]
    assert said(base, {**BANK, **other}) == [(*in_use[:2], "Environment/other")]
    assert said(FILES, {**FILES, **other}) == []  # `local` stays in use


def test_a_lower_price_is_loosened_where_a_budget_counts_with_it() -> None:
    def priced(price: str, budget: str = "usd: 10") -> dict[str, str]:
        env = spec("Environment", "local", f"gpu_classes: {{H100: {{{price}}}}}")
        money = spec("Policy", "money", f"budgets: {{per_pull_request: {{{budget}}}}}")
        return {**BANK, ENV: env, "policies/money.yaml": money}

    dear = priced("usd_per_hour: 4")
    told = "Environment/local usd_per_hour of H100"
    assert said(dear, priced("usd_per_hour: 0.1")) == [(told, "4", "0.1")]
    assert said(dear, priced("constraint: h100")) == [(told, "4", "nothing")]
    assert said(dear, priced("usd_per_hour: 5")) == []
    hours = priced("usd_per_hour: 4", "gpu_hours: 3")
    assert said(hours, priced("usd_per_hour: 1", "gpu_hours: 3")) == []
