"""The one-line verdict, the counts, and what decides that there is nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from llmops.jobs.base import Plan
from llmops.reports.markdown import quiet
from llmops.reports.render import render_plan, render_verdict
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.reports.verdict_words import (
    approval,
    attempts,
    headline,
    measured,
    next_steps,
    short_gate,
    tally,
    waits,
)
from llmops.rules.base import Finding, Loosened, Outcome, Verdict

Verdicts = Mapping[str, Verdict]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("failed", "failed — 2 of 4 gates, 1 inconclusive"),
        ("passed", "passed — 2 gates"),
        ("partial", "warned — no policy at base, 1 gate"),
        ("loosened", "inconclusive — 1 of 2 gates"),
        ("two-sides", "failed — 1 of 1 gate"),
    ],
)
def test_the_headline_counts_gates(verdicts: Verdicts, name: str, said: str) -> None:
    assert headline(verdicts[name]) == said
    assert render_verdict(verdicts[name], "text").endswith(f"\nVerdict: {said}")


def test_nothing_judged_is_said(verdicts: Verdicts) -> None:
    empty = replace(verdicts["passed"], findings=(), outcome=Outcome.INCONCLUSIVE)
    assert headline(empty) == "inconclusive — not by a gate, 0 gates"


def test_a_gate_judged_twice_counts_once_by_its_worst(verdicts: Verdicts) -> None:
    found = tally(verdicts["two-sides"].findings)
    assert found[Outcome.FAILED] == 1
    assert found[Outcome.PASSED] == 0


def test_quiet_is_passed_without_anything_to_tell(verdicts: Verdicts) -> None:
    still = verdicts["quiet"]
    loose = (Loosened("x", "min 1", "min 0"),)
    waived = (replace(still.findings[0], waived_by="w-1"),)
    assert quiet(still)
    assert not quiet(replace(still, notes=("no policy at base",)))
    assert not quiet(replace(still, loosened=loose))
    assert not quiet(replace(still, findings=waived))
    assert not quiet(replace(still, worse_count=1))
    assert not quiet(replace(still, outcome=Outcome.WARNED))
    assert not quiet(verdicts["passed"])
    assert render_verdict(still, "markdown").count("\n") == 3


def test_approval_waits_until_the_rule_says_it_has_enough(verdicts: Verdicts) -> None:
    asked = verdicts["loosened"]
    assert waits(asked)
    assert approval(asked) == "needs approval Policy/default/looser: not given yet"
    one = tuple(replace(x, approved_by=("lihua",)) for x in asked.loosened)
    assert approval(replace(asked, loosened=one)).endswith("given by lihua, more needed")
    assert not waits(verdicts["approved"])


def test_a_note_is_visible_in_every_format(verdicts: Verdicts, plans: Mapping[str, Plan]) -> None:
    for fmt in ("text", "json", "markdown"):
        shown = render_verdict(verdicts["partial"], fmt)
        assert "no policy at base" in shown
        assert "partial: only Evaluation/support-quality was judged" in shown
    for fmt in ("text", "markdown"):
        shown = render_plan(plans["partial"], fmt)
        assert "no policy at base" in shown
        assert "partial: --select Evaluation/support-quality" in shown
    assert '"selected": {' in render_plan(plans["partial"], "json")


def test_a_verdict_says_where_it_stands_in_the_log_or_that_nobody_signed_it(
    verdicts: Verdicts,
) -> None:
    seal = {"size": 1070, "root": "9xk=", "entry": 67, "trust": "sha256:39db", "origin": "x"}
    signed = replace(verdicts["passed"], extra={SEAL: seal})
    unsigned = replace(verdicts["passed"], extra={NOT_SIGNED: "no key is here"})
    for form in ("text", "markdown"):
        told = render_verdict(signed, form, width=400)
        assert "entry 67 of log 1070 9xk=" in told.replace("\\", "")
        assert "trust root sha256:39db" in told
        assert "not signed: no key is here" in render_verdict(unsigned, form, width=400)
    assert '"root": "9xk="' in render_verdict(signed, "json")


def test_next_steps_fit_what_happened(verdicts: Verdicts) -> None:
    assert next_steps(verdicts["passed"]) == ()
    assert any("running again changes nothing" in s for s in next_steps(verdicts["failed"]))
    assert any("About 600 more" in s for s in next_steps(verdicts["inconclusive"]))
    assert any("llmops run" in s for s in next_steps(verdicts["inconclusive"]))
    assert any("approval" in s for s in next_steps(verdicts["loosened"]))


def test_a_place_is_a_link_only_to_a_plain_https_address(verdicts: Verdicts) -> None:
    failed = verdicts["failed"]
    link = "](https://git.example/acme/support/blob/4c1e9ab/specs/evaluations/support-quality.yaml#L14)"
    assert link in render_verdict(failed, "markdown")
    for url in ("javascript:alert(1)", "http://git.example/a/b", "https://x/a) [y](z", 7):
        assert "](" not in render_verdict(replace(failed, extra={"source_url": url}), "markdown")


def test_short_gates_and_values(verdicts: Verdicts) -> None:
    assert short_gate("Evaluation/support/accuracy") == "support/accuracy"
    assert short_gate("policy-looser") == "policy-looser"
    assert measured(verdicts["failed"].findings[2]) == "0.79999 [0.780, 0.820]"


def test_many_gates_at_one_attempt_are_counted_not_listed() -> None:
    found = [
        Finding(
            "require", f"Evaluation/q/{i}", Outcome.PASSED, "", attempt=1, attempts=3, level=0.025
        )
        for i in range(15)
    ]
    assert attempts(found) == ["attempt 1 of 3 at 0.025: all 15 gates that are counted"]
    assert attempts(found[:2]) == ["attempt 1 of 3 at 0.025: q/0, q/1"]
