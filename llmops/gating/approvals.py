"""Whose yes counts: reviews, who belongs to which team, what each commit showed. Dry.

In: the reviews of a pull request, who wrote it, the names that base's policies ask, and for every
commit that somebody approved what its verdict showed (recomputed, not remembered). Out: the
`Approval`s that count, and for everybody else who approved the reason why theirs does not.

An approval is for what was there to be seen. It is reset by a finding that has not passed, or a
loosened item, which the approved commit did not have; a push that adds neither leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmops.forge.base import Review
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.rules.facts import Approval

_WAITING = ("policy-looser", "approval")  # rules that speak of approvals themselves
_OPINIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What a verdict shows that somebody has to have seen: in words, one for each thing."""

    things: frozenset[str]

    def beyond(self, other: Shown) -> tuple[str, ...]:
        """What this shows and the other does not, sorted."""
        return tuple(sorted(self.things - other.things))


def shown(verdict: Verdict) -> Shown:
    """What a verdict shows: everything loosened, and every finding that is not passed."""
    loosened = (f"{one.what} {one.before} -> {one.after}" for one in verdict.loosened)
    found = (_words(f) for f in verdict.findings if f.outcome is not Outcome.PASSED)
    return Shown(frozenset((*loosened, *(words for words in found if words))))


def _words(finding: Finding) -> str:
    if finding.rule in _WAITING:
        return ""
    side = " (base's)" if finding.judged_by == "base" else ""
    number = f" at attempt {finding.attempt}" if finding.refused is not None else ""
    return f"{finding.gate} {finding.outcome.word}{number}{side}"


def waits(verdict: Verdict) -> bool:
    """Whether an approval is missing."""
    return any(
        finding.outcome is Outcome.INCONCLUSIVE
        and (finding.rule in _WAITING or finding.refused is not None)
        for finding in verdict.findings
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """What the reviews of a change come to. `left_out`: one line for each yes that is none."""

    approvals: tuple[Approval, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roll:
    """Who is who. `authors` wrote the change (logins, in small letters); `names` are asked.

    `member(name, login)` tells whether a person is of a team, or is the person so called; None
    where nobody may ask.
    """

    authors: frozenset[str]
    names: Sequence[str]
    member: Callable[[str, str], bool | None]


def latest(reviews: Iterable[Review]) -> tuple[Review, ...]:
    """The last opinion of each person. A comment is none; one not sent yet is nobody's."""
    last: dict[str, Review] = {}
    for review in sorted(reviews, key=lambda one: (one.submitted_at, one.id)):
        if review.state in _OPINIONS:
            last[review.by.casefold()] = review
    return tuple(last.values())


def approved(reviews: Iterable[Review]) -> tuple[Review, ...]:
    """The reviews that say yes by now, people's and machines'."""
    return tuple(review for review in latest(reviews) if review.state == "APPROVED")


def tally(
    reviews: Iterable[Review], roll: Roll, now: Shown, seen: Mapping[str, Shown | None]
) -> Tally:
    """Which of the reviews count towards what is shown now.

    `seen`: commit -> what its verdict shows, None where that cannot be told any more.
    """
    counted: list[Approval] = []
    left_out: list[str] = []
    for review in approved(reviews):
        reason = _reset(review, roll, now, seen)
        if reason:
            left_out.append(reason)
            continue
        found = tuple(_given(review, roll, left_out))
        counted += found
    return Tally(tuple(counted), tuple(left_out))


def _reset(review: Review, roll: Roll, now: Shown, seen: Mapping[str, Shown | None]) -> str:
    """Why a yes is none whoever is asked, "" where it may be one."""
    if review.by_bot or review.by.casefold().endswith("[bot]"):
        return f"{review.by} is no person"
    then = seen.get(review.commit)
    short = review.commit[:7]
    if then is None:
        return f"{review.by} approved {short}, and what that showed cannot be told any more"
    new = now.beyond(then)
    if new:
        more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
        what = ", ".join(new[:_NAMED])
        return f"{review.by} approved {short}, which did not show {what}{more}"
    return ""


def _given(review: Review, roll: Roll, left_out: list[str]) -> Iterator[Approval]:
    """One approval for each asked name that a reviewer answers for."""
    own = review.by.casefold() in roll.authors
    source = f"review of {review.commit[:7]}"
    unsure = [name for name in roll.names if roll.member(name, review.by) is None]
    names = [name for name in roll.names if roll.member(name, review.by)]
    if own and names:
        left_out.append(f"{review.by} wrote part of it")
    elif not names and unsure:
        asked = ", ".join(unsure)
        left_out.append(f"{review.by} approved, but who is in {asked} cannot be read")
    for name in names:
        yield Approval(name, review.by, source)
