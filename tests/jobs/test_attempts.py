"""Attempts at a claim: what entries mean, as laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.jobs.attempts import (
    Allowed,
    Attempt,
    ClaimName,
    Counting,
    Decided,
    Deciding,
    Entry,
    Granted,
    allowed,
    attempts_at,
    deciding,
    landed,
)
from llmops.jobs.exam import exams
from llmops.jobs.gates import gates
from llmops.specs.base import Ref, Spec
from tests.trees import BANK, graph

CLAIM = ClaimName("Application/bot", "Evaluation/quality/accuracy")
OTHER = ClaimName("Application/bot", "Evaluation/quality/kind")
CLOSURES = "abcdefgh"


def attempt(*closures: str, claim: ClaimName = CLAIM, change: str = "", number: int = 1) -> Attempt:
    return Attempt(
        claim,
        closures,
        number,
        3,
        "0.025",
        300,
        "Policy/default",
        "",
        "head",
        "base",
        change,
        "now",
    )


def decided(closure: str, outcome: str = "passed", claim: ClaimName = CLAIM) -> Decided:
    return Decided(claim, closure, outcome, "head", "now")


def granted(closure: str) -> Granted:
    return Granted(CLAIM, closure, 4, "Policy/default/more", ("wang",), "now")


def counting(*entries: Entry, base: str | None = None, most: int = 3, **more: object) -> Counting:
    found = Counting(entries, Allowed(most), {CLAIM: base} if base else {})
    return replace(found, **more)  # type: ignore[arg-type]


def number(found: Counting, closure: str) -> int | None:
    return found.standing(CLAIM, closure, 0.05).attempt


ENTRIES = st.lists(
    st.one_of(
        st.builds(
            lambda closures, claim, change: attempt(*closures, claim=claim, change=change),
            st.lists(st.sampled_from(CLOSURES), min_size=1, max_size=2, unique=True),
            st.sampled_from([CLAIM, OTHER]),
            st.sampled_from(["", "pr-1", "pr-2"]),
        ),
        st.builds(
            decided,
            st.sampled_from(CLOSURES),
            st.sampled_from(["passed", "warned", "inconclusive", "failed"]),
            st.sampled_from([CLAIM, OTHER]),
        ),
        st.builds(granted, st.sampled_from(CLOSURES)),
    ),
    max_size=20,
).map(tuple)


@given(ENTRIES, ENTRIES, st.sampled_from([None, *CLOSURES]))
def test_no_entry_but_a_pass_of_base_lowers_a_number(
    first: tuple[Entry, ...], more: tuple[Entry, ...], base: str | None
) -> None:
    """The next attempt never gets cheaper by writing on, unless what base stands on passes."""
    passes = [e for e in more if isinstance(e, Decided) and (e.claim, e.closure) == (CLAIM, base)]
    if any(e.outcome in ("passed", "warned") for e in passes):
        return
    before, after = counting(*first, base=base), counting(*first, *more, base=base)
    assert after.made(CLAIM) >= before.made(CLAIM)
    for closure in CLOSURES:
        known = number(before, closure)
        assert known is None or number(after, closure) == known


@given(ENTRIES, st.sampled_from([None, *CLOSURES]))
def test_the_same_closure_again_is_the_same_attempt(
    entries: tuple[Entry, ...], base: str | None
) -> None:
    found = counting(*entries, base=base)
    for closure in CLOSURES:
        if number(found, closure) is not None:
            again = counting(*entries, attempt(closure), attempt(closure), base=base)
            assert number(again, closure) == number(found, closure)
            assert again.made(CLAIM) == found.made(CLAIM)


@given(ENTRIES, st.sampled_from(CLOSURES), st.lists(st.sampled_from(CLOSURES), max_size=5))
def test_judging_what_landed_again_and_again_gives_nothing_back(
    entries: tuple[Entry, ...], base: str, again: list[str]
) -> None:
    once = counting(*entries, attempt(base), decided(base), base=base)
    more = counting(*once.entries, *(decided(base) for _ in again), base=base)
    assert more.made(CLAIM) == once.made(CLAIM)


@given(st.integers(1, 20), st.integers(0, 30), st.floats(0.001, 0.4))
def test_levels_of_all_attempts_together_are_at_most_alpha(
    most: int, made: int, alpha: float
) -> None:
    closures = [f"c{i}" for i in range(made)]
    found = counting(*(attempt(closure) for closure in closures), most=most)
    standings = [found.standing(CLAIM, closure, alpha) for closure in closures]
    assert [s.attempt for s in standings] == list(range(1, made + 1))
    assert sum(s.level for s in standings if s.refused is None) <= alpha * (1 + 1e-12)
    assert all((s.refused is not None) is (s.attempt > most) for s in standings)  # type: ignore[operator]


@given(ENTRIES, st.sampled_from([None, *CLOSURES]), st.sampled_from(["", "pr-1", "pr-2"]))
def test_what_was_recorded_is_never_recorded_again(
    entries: tuple[Entry, ...], base: str | None, change: str
) -> None:
    """Recording a plan twice writes nothing the second time, and its numbers are those written."""
    found = counting(*entries, base=base, change=change, allowed=Allowed(3, "pull_request"))
    planned = [Deciding(CLAIM, closure, "head", 0.05, 300) for closure in ("a", "new")]
    made = attempts_at(found, planned, head="t", base=None, recorded_at="now")
    assert [one.claim for one in made] == [CLAIM]
    after = replace(found, entries=(*entries, *made))
    assert attempts_at(after, planned, head="t", base=None, recorded_at="now") == ()
    assert number(after, "new") == made[0].attempt == found.made(CLAIM) + 1


def test_base_and_head_version_of_a_gate_are_one_attempt() -> None:
    planned = [
        Deciding(CLAIM, "base's", "base", 0.05, None), Deciding(CLAIM, "head's", "head", 0.04, 300)
    ]  # fmt: skip
    (made,) = attempts_at(counting(), planned, head="t", base="b", recorded_at="now")
    assert (made.closures, made.cases, made.level) == (("base's", "head's"), 300, "0.02")
    after = counting(made)
    assert [number(after, closure) for closure in made.closures] == [1, 1]
    assert after.made(CLAIM) == 1


def test_numbers_start_again_after_what_base_stands_on() -> None:
    entries = (attempt("a"), decided("a"), attempt("b"), attempt("c", number=3), decided("c"))
    assert number(counting(*entries, base=None), "c") == 3
    assert counting(*entries, base="a").made(CLAIM) == 2
    assert counting(*entries, base="c").made(CLAIM) == 0
    assert number(counting(*entries, attempt("d"), base="c"), "d") == 1


def test_to_record_what_landed_once_more_gives_nothing_back() -> None:
    """As another pull request does that finds its evidence there."""
    entries = (attempt("a", change="1"), decided("a"), attempt("b"), attempt("a", change="2"))
    assert counting(*entries, base="a").made(CLAIM) == 1
    assert number(counting(*entries, attempt("c"), base="a"), "c") == 2


def test_base_gives_nothing_back_where_it_did_not_pass() -> None:
    for word in ("inconclusive", "failed"):
        found = counting(attempt("a"), decided("a", word), attempt("b"), base="a")
        assert number(found, "b") == 2
    assert number(counting(attempt("a"), attempt("b"), base="a"), "b") == 2
    of_another = counting(attempt("a"), decided("a", claim=OTHER), attempt("b"), base="a")
    assert number(of_another, "b") == 2
    assert number(counting(attempt("a"), decided("a", "warned"), attempt("b"), base="a"), "b") == 1


def test_what_is_older_than_base_stands_as_it_was_judged() -> None:
    """Also what base stands on: judged again, it is no new attempt and never one too many."""
    old = replace(attempt("x"), attempt=2, level="0.0125")
    entries = (*(attempt(c) for c in "abcd"), old, attempt("e"), decided("e"))
    for closure in ("x", "e"):
        found = counting(*entries, base="e").standing(CLAIM, closure, 0.05)
        assert found.refused is None
    assert counting(*entries, base="e").standing(CLAIM, "x", 0.05).level == 0.0125
    assert counting(*entries, base="e").standing(CLAIM, "x", 0.01).level == 0.01


def test_one_attempt_too_many_is_refused_until_it_is_granted() -> None:
    entries = tuple(attempt(closure) for closure in "abcd")
    refused = counting(*entries).standing(CLAIM, "d", 0.05)
    assert refused.used_up
    assert refused.refused is not None
    assert "3 of 3 on Application/bot" in refused.refused.why
    found = counting(*entries, granted("d")).standing(CLAIM, "d", 0.05)
    assert (found.refused, found.attempt, found.level) == (None, 4, 0.0125)
    assert counting(*entries, attempt("e"), granted("d")).standing(CLAIM, "e", 0.05).used_up


@given(entries=ENTRIES, most=st.integers(1, 4), base=st.sampled_from(CLOSURES))
def test_what_base_has_already_is_never_one_too_many_and_never_a_new_attempt(
    entries: list[Entry], most: int, base: str
) -> None:
    found = counting(*entries, base=base, most=most)
    standing = found.standing(CLAIM, base, 0.05)
    assert standing.refused is None
    assert not standing.used_up
    assert 0 < standing.level <= 0.05
    assert found.level(CLAIM, base, 0.05) == standing.level
    own = Deciding(CLAIM, base, "base", 0.05, 300, base)
    assert attempts_at(found, [own], head="h", base="b", recorded_at="now") == ()


def test_a_change_elsewhere_does_not_pay_for_what_others_tried() -> None:
    tried = counting(attempt("b"), decided("b"), base="a", most=1)
    assert tried.standing(CLAIM, "a", 0.05).refused is None
    assert tried.standing(CLAIM, "c", 0.05).refused is not None


def test_what_was_never_recorded_may_not_be_decided() -> None:
    found = counting(attempt("a")).standing(CLAIM, "b", 0.05)
    assert found.attempt is None
    assert found.refused is not None
    assert not found.used_up
    assert found.refused.hint == "llmops run --counted"


def test_a_damaged_ledger_refuses_every_claim() -> None:
    found = counting(attempt("a"), problem="it is torn").standing(CLAIM, "a", 0.05)
    assert found.refused is not None
    assert "it is torn" in found.refused.why
    assert not found.used_up, "no approval mends a ledger"


def test_a_pull_request_counts_its_own() -> None:
    entries = (attempt("a", change="1"), attempt("b", change="2"), attempt("c", change="1"))
    within = Allowed(3, "pull_request")
    one = counting(*entries, allowed=within, change="1")
    assert [number(one, closure) for closure in "abc"] == [1, None, 2]
    unnamed = counting(*entries, allowed=within)
    assert unnamed.by == "claim"
    assert number(unnamed, "c") == 3


def test_what_base_stands_on_is_nobodys_attempt_in_a_pull_request() -> None:
    entries = (attempt("a", change="1"), decided("a"), attempt("b", change="2"))
    found = counting(*entries, base="a", allowed=Allowed(3, "pull_request"), change="2")
    assert number(found, "a") == 1
    assert number(found, "b") == 1
    assert found.made(CLAIM) == 1


def test_what_another_pull_request_landed_is_no_attempt_of_this_one() -> None:
    entries = (attempt("a", change="1"), attempt("a", change="2"), decided("a"))
    found = counting(*entries, base="a", allowed=Allowed(3, "pull_request"), change="2")
    assert found.made(CLAIM) == 0


def test_the_level_of_what_is_not_recorded_is_that_of_the_next_attempt() -> None:
    found = counting(attempt("a"), attempt("b"))
    assert found.level(CLAIM, "a", 0.05) == 0.025
    assert found.level(CLAIM, "new", 0.05) == 0.0125
    assert counting(*(attempt(c) for c in "abcde")).level(CLAIM, "new", 0.05) == 0.0125


def policy(name: str, **spec: object) -> Spec:
    return Spec(Ref("Policy", name), f"policies/{name}.yaml", {"metadata": {}, "spec": spec})


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ((), (1, "claim", "")),
        (({},), (1, "claim", "")),
        (({"attempts": 3},), (3, "claim", "Policy/p0")),
        (({"attempts": 3}, {"attempts": 2}, {}), (2, "claim", "Policy/p1")),
        (({"attempts": 3, "count": "pull_request"}, {}), (3, "pull_request", "Policy/p0")),
        (({"count": "pull_request"}, {"count": "claim"}), (1, "claim", "")),
    ],
)
def test_the_smallest_number_wins_and_the_claim_over_the_pull_request(policies, expected) -> None:
    found = allowed([policy(f"p{i}", **spec) for i, spec in enumerate(policies)])
    assert (found.attempts, found.by, found.policy) == expected


def test_every_gate_with_an_error_rate_is_a_claim_of_its_target() -> None:
    base, head = graph(BANK), graph(BANK)
    asked = exams(base, head)
    planned = gates(asked, {})
    found = deciding(asked, {}, base)
    assert {one.claim.gate for one in found} == {g.id for g in planned}
    assert {one.claim.target for one in found} == {"Application/bot"}
    own = {exam.before.job.closure for exam in asked if exam.before is not None}
    assert set(landed(found).values()) == own
