"""The family of detect gates: base's by themselves, head's own among all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from llmops.rules import detect
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts
from llmops.statistics.paired import Decision, Difference
from tests.statistics.test_gap import signs

BORDERLINE = Difference(signs(0, 12, 300), 0.02)  # failed alone, undecided among four
SILENT = Difference((), 0.02)


def member(side: str, data: Difference, alpha: float = 0.05) -> detect.Member:
    one: Any = SimpleNamespace(exam=SimpleNamespace(judged_by=side), alpha=alpha, level=alpha)

    def finding(decision: Decision) -> Finding:
        return Finding("regression", side, detect.outcome(decision, {}), decision.word)

    return detect.Member(one, data, finding)


def words(*members: detect.Member) -> list[tuple[str, str]]:
    found = detect.findings(cast(Facts, None), [lambda _facts: iter(members)])
    return [(one.gate, one.message) for one in found]


def test_gates_that_head_adds_do_not_weaken_those_of_base() -> None:
    base = member("base", BORDERLINE)
    assert words(base) == [("base", "failed")]
    many = [member("head", SILENT) for _ in range(9)]
    assert words(base, *many)[0] == ("base", "failed")


def test_an_error_rate_that_head_names_does_not_weaken_those_of_base() -> None:
    assert words(member("base", BORDERLINE), member("head", SILENT, 1e-9))[0][1] == "failed"


def test_heads_own_gates_are_judged_among_all() -> None:
    silent = [member("base", SILENT) for _ in range(3)]
    assert words(member("head", BORDERLINE)) == [("head", "failed")]
    assert words(*silent, member("head", BORDERLINE))[-1] == ("head", "undecided")


def test_the_smallest_error_rate_of_a_family_holds_for_all_of_it() -> None:
    strict = member("base", SILENT, 1e-6)
    assert words(member("base", BORDERLINE), strict)[0][1] == "undecided"


def test_the_undecided_warn_and_are_inconclusive_where_proof_is_asked() -> None:
    open_, failed = Decision("undecided", 0.5, 0.5), Decision("failed", 0.001, 0.001)
    assert detect.outcome(open_, {}) is Outcome.WARNED
    assert detect.outcome(open_, {"prove": True}) is Outcome.INCONCLUSIVE
    assert detect.outcome(failed, {"prove": True}) is Outcome.FAILED
    assert detect.outcome(Decision("passed", 1.0, 1.0), {}) is Outcome.PASSED
