from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from llmops.jobs.attempts import Attempt, ClaimName, Decided, Entry, Granted
from llmops.jobs.rebase import rebased
from llmops.statistics.attempts import level

CLAIM = ClaimName("Application/bot", "Evaluation/quality/accuracy")
OTHER = ClaimName("Application/bot", "Evaluation/quality/tone")


def attempt(closure: str, number: int = 1, most: int = 3, claim: ClaimName = CLAIM) -> Attempt:
    own = repr(level(0.05, min(number, most), most))
    return Attempt(claim, (closure,), number, most, own, 300, "", "", "tree", None, "", "now")


def decided(closure: str, outcome: str = "passed") -> Decided:
    return Decided(CLAIM, closure, outcome, "tree", "now")


@given(st.integers(1, 5), st.integers(0, 4), st.integers(1, 6))
def test_an_attempt_after_others_has_the_level_of_its_place(
    number: int, meanwhile: int, most: int
) -> None:
    known: list[Entry] = [attempt(f"seen{n}") for n in range(number - 1)]
    seen = len(known)
    known += [attempt(f"new{n}") for n in range(meanwhile)]
    found = rebased(attempt("own", number, most), known, seen)
    assert isinstance(found, Attempt)
    assert found.attempt == number + meanwhile
    assert float(found.level) == level(0.05, min(found.attempt, most), most)


def test_what_others_recorded_of_the_same_closure_is_not_said_twice() -> None:
    assert rebased(attempt("x"), [attempt("x")], 0) is None
    assert rebased(decided("x"), [decided("x")], 0) is None
    assert rebased(decided("x"), [decided("x", "failed")], 0) == decided("x")
    granted = Granted(CLAIM, "x", 4, "Policy/default/more", ("wang",), "now")
    assert rebased(granted, [granted], 0) is None


def test_attempts_at_other_claims_and_at_closures_seen_before_push_nobody_back() -> None:
    known = [attempt("a"), attempt("b", claim=OTHER), attempt("a", 2)]
    found = rebased(attempt("own", 2), known, 1)
    assert found == attempt("own", 2)


def test_a_grant_names_the_attempt_that_it_was_given_to_wherever_that_came_to_stand() -> None:
    granted = Granted(CLAIM, "own", 4, "Policy/default/more", ("wang",), "now")
    known = [attempt("theirs", 4), replace(attempt("own"), attempt=5)]
    assert rebased(granted, known, 0) == replace(granted, attempt=5)
    assert rebased(granted, known, 2) == granted
