"""Whose yes counts. The dry part: reviews and what commits showed, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmops.forge.base import Review
from llmops.gating.approvals import Roll, Shown, Tally, approved, latest, shown, tally
from tests.reports.conftest import VERDICTS

TEAM = "team-compliance"
HEAD, OLD = "a" * 40, "b" * 40
PEOPLE: Mapping[str, tuple[str, ...]] = {TEAM: ("wang", "zhao"), "li": ("li",)}
SAME = Shown(frozenset({"Evaluation/quality/accuracy failed"}))


def review(
    by: str, state: Any = "APPROVED", commit: str = HEAD, at: int = 1, **more: Any
) -> Review:
    return Review(at, by, state, commit, f"2026-11-23T08:00:{at:02}Z", **more)


def roll(*authors: str, unknown: tuple[str, ...] = ()) -> Roll:
    def member(name: str, login: str) -> bool | None:
        return None if name in unknown else login.casefold() in PEOPLE.get(name, ())

    return Roll(frozenset(authors), (TEAM, "li"), member)


def counted(*reviews: Review, seen: Mapping[str, Shown | None] | None = None, **how: Any) -> Tally:
    known = {HEAD: SAME} if seen is None else seen
    return tally(reviews, how.get("roll", roll()), how.get("now", SAME), known)


def people(found: Tally) -> list[tuple[str, str]]:
    return [(one.team, one.by) for one in found.approvals]


def test_a_yes_of_the_team_counts_for_the_team() -> None:
    found = counted(review("wang"), review("li", at=2), review("stranger", at=3))
    assert people(found) == [(TEAM, "wang"), ("li", "li")]
    assert found.approvals[0].source == "review of aaaaaaa"
    assert found.left_out == ()


def test_the_latest_opinion_of_a_person_is_the_one_that_counts() -> None:
    yes, no = review("wang", at=1), review("wang", "CHANGES_REQUESTED", at=2)
    assert people(counted(yes, no)) == []
    assert people(counted(no, yes)) == [], "by time, not by order"
    again = review("Wang", at=3)
    assert people(counted(yes, no, again)) == [(TEAM, "Wang")], "in whatever case it is written"
    assert [one.id for one in approved((yes, no, again))] == [3]


def test_what_was_dismissed_is_no_yes_and_a_comment_takes_none_back() -> None:
    assert people(counted(review("wang", "DISMISSED"))) == []
    comment = review("wang", "COMMENTED", at=2)
    assert people(counted(review("wang"), comment)) == [(TEAM, "wang")]
    assert people(counted(review("wang", "PENDING"))) == []


def test_a_machine_never_says_yes() -> None:
    found = counted(review("wang", by_bot=True), review("renovate[bot]", at=2))
    assert people(found) == []
    assert found.left_out == ("wang is no person", "renovate[bot] is no person")


def test_an_author_is_told_that_it_does_not_count() -> None:
    found = counted(review("wang"), roll=roll("wang"))
    assert found.left_out == ("wang wrote part of it",)


def test_nobody_is_taken_for_a_member_who_cannot_be_asked_for() -> None:
    found = counted(review("wang"), roll=roll(unknown=(TEAM,)))
    assert people(found) == []
    assert found.left_out == ("wang approved, but who is in team-compliance cannot be read",)


def test_a_new_finding_resets_an_older_yes() -> None:
    old = review("wang", commit=OLD)
    nothing: Shown = Shown(frozenset())
    found = counted(old, seen={HEAD: SAME, OLD: nothing})
    assert people(found) == []
    assert found.left_out == (
        "wang approved bbbbbbb, which did not show Evaluation/quality/accuracy failed",
    )


def test_a_push_that_shows_nothing_new_leaves_it_alone() -> None:
    old = review("wang", commit=OLD)
    more = Shown(SAME.things | {"Policy/default/attempts 1 -> 3"})
    assert people(counted(old, seen={OLD: SAME})) == [(TEAM, "wang")]
    assert people(counted(old, seen={OLD: more})) == [(TEAM, "wang")], "less is shown now"


def test_a_commit_that_nobody_knows_any_more_showed_nothing() -> None:
    for seen in ({}, {OLD: None}):
        found = counted(review("wang", commit=OLD), seen=seen, now=Shown(frozenset()))
        assert people(found) == []
        assert "cannot be told any more" in found.left_out[0]


def test_what_a_verdict_shows_is_what_is_loosened_and_what_did_not_pass() -> None:
    for name, verdict in VERDICTS.items():
        things = shown(verdict).things
        for one in verdict.loosened:
            assert f"{one.what} {one.before} -> {one.after}" in things, name
        gates = {f.gate for f in verdict.findings if f.outcome.word != "passed"}
        for gate in gates - {"policy-looser"}:
            assert any(thing.startswith(gate) for thing in things) or "approval" in name, (
                name,
                gate,
            )


STATES = st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"])
REVIEWS = st.lists(
    st.builds(
        review,
        st.sampled_from(["wang", "zhao", "li", "eve", "x[bot]"]),
        STATES,
        st.sampled_from([HEAD, OLD]),
        st.integers(1, 50),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(REVIEWS, st.sampled_from([SAME, Shown(frozenset())]))
def test_who_counts_said_yes_last_and_saw_it_all(reviews: list[Review], then: Shown) -> None:
    found = tally(reviews, roll(), SAME, {HEAD: SAME, OLD: then})
    last = {one.by: one for one in latest(reviews)}
    for approval in found.approvals:
        own = last[approval.by]
        assert own.state == "APPROVED"
        assert own.commit == HEAD or then == SAME
        assert approval.by in PEOPLE[approval.team]


@given(REVIEWS, st.randoms())
def test_the_order_in_which_reviews_are_listed_says_nothing(reviews: list[Review], chance) -> None:
    mixed = list(reviews)
    chance.shuffle(mixed)
    assert set(tally(mixed, roll(), SAME, {HEAD: SAME}).approvals) == set(
        tally(reviews, roll(), SAME, {HEAD: SAME}).approvals
    )
