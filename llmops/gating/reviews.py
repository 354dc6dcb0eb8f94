"""What people said of a change at the forge -> the approvals that its verdict counts.

Asked only where base's policies ask for approvals. Teams are the organisation's, as base's
CODEOWNERS and the forge know them; a name that is no team is a person who may write here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from llmops.errors import GitError, UsageError
from llmops.forge.base import Forge, Pull, Review
from llmops.gating import judging, scenes
from llmops.gating.approvals import Roll, Shown, approved, shown, tally, waits
from llmops.gating.base import Desk
from llmops.gating.judging import Given
from llmops.gating.permits import WRITERS
from llmops.gating.scenes import Scene
from llmops.pipeline import Planned
from llmops.static import owners

_COMMITS = 250  # as many as GitHub lists of a pull request
_LOOKED_BACK = 10  # other commits whose verdicts are recomputed
_TRAILER = re.compile(r"^co-authored-by:\s*(.*?)\s*<([^<>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_PRIVATE = re.compile(r"(?:\d+\+)?([A-Za-z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com")
_OWNER = re.compile(r"@([A-Za-z0-9][\w.-]*(?:/[\w.-]+)?)")


@dataclass(frozen=True)
class People:
    """Who belongs to which name, asked once each. `listed`: owners that base's CODEOWNERS names."""

    forge: Forge
    listed: frozenset[str]
    known: dict[tuple[str, str], bool | None] = field(default_factory=dict, repr=False)

    def member(self, name: str, login: str) -> bool | None:
        """Whether a person is in the team called so, or is the person called so."""
        key = (name.casefold(), login.casefold())
        if key not in self.known:
            self.known[key] = self._asked(name.lstrip("@"), login)
        return self.known[key]

    def _asked(self, name: str, login: str) -> bool | None:
        team = name if "/" in name else f"{self.forge.repo.owner}/{name}"
        found = self.forge.in_team(team, login)
        same = login.casefold() == name.casefold() and team.casefold() not in self.listed
        if not found and same and self.forge.permission(login) in WRITERS:
            return True
        return found


def given(desk: Desk, scene: Scene, made: Planned) -> Given:
    """The approvals that count for a scene, who wrote it, and whose yes is none and why."""
    names = _asked(made)
    if not names or not scene.pulls:
        return Given()
    if len(scene.pulls) == 1:
        return _of_pull(desk, scene, made, scene.pulls[0], names)
    return _of_several(desk, scene, made, names)


def _asked(made: Planned) -> tuple[str, ...]:
    """The names that base's policies ask for approval, whatever for."""
    graph = made.both.base.graph if made.both.base is not None else None
    policies = graph.of_kind("Policy") if graph is not None else ()
    rules = (rule for policy in policies for rule in policy.spec.get("approvals", ()))
    return tuple(dict.fromkeys(name for rule in rules for name in rule["from"]))


def _of_several(desk: Desk, scene: Scene, made: Planned, names: tuple[str, ...]) -> Given:
    """What was said of several changes that land together.

    A yes counts for all only where each of them, alone on the same base, has every yes it needs,
    and where together they show nothing that none of them shows alone.
    """
    parts: list[Given] = []
    alone: set[str] = set()
    for pull in scene.pulls:
        part = _at(desk, scene, pull.head_sha)
        if part is None:
            return Given(left_out=(f"#{pull.number} cannot be judged without those before it",))
        found = _of_pull(desk, *part, pull, names)
        judged = judging.judge(desk, part[1], found)
        if waits(judged):
            return Given(authors=found.authors, left_out=(f"#{pull.number} waits for approval",))
        parts.append(found)
        alone |= shown(judged).things
    together = _together(parts)
    new = shown(judging.judge(desk, made, Given(authors=together.authors))).beyond(
        Shown(frozenset(alone))
    )
    if new:
        line = f"together they show what none shows alone: {', '.join(new[:3])}"
        return Given(authors=together.authors, left_out=(*together.left_out, line))
    return together


def _together(parts: Sequence[Given]) -> Given:
    return Given(
        tuple(dict.fromkeys(one for part in parts for one in part.approvals)),
        frozenset(name for part in parts for name in part.authors),
        tuple(line for part in parts for line in part.left_out),
    )


def _of_pull(desk: Desk, scene: Scene, made: Planned, pull: Pull, names: tuple[str, ...]) -> Given:
    """What was said of one change, held against what is shown of it now."""
    authors = frozenset(_authors(desk, pull))
    reviews = desk.forge.reviews(pull.number)
    if not approved(reviews):
        return Given(authors=authors)
    assert made.both.base is not None
    people = People(desk.forge, _listed(owners(made.both.base.tree)))
    roll = Roll(frozenset(one.casefold() for one in authors), names, people.member)
    now = shown(judging.judge(desk, made, Given(authors=authors)))
    found = tally(reviews, roll, now, _seen(desk, scene, pull, reviews, now))
    return Given(found.approvals, authors, found.left_out)


def _seen(
    desk: Desk, scene: Scene, pull: Pull, reviews: Iterable[Review], now: Shown
) -> dict[str, Shown | None]:
    """What each approved commit shows, judged as of now with what is kept."""
    commits = dict.fromkeys(review.commit for review in approved(reviews))
    others = [commit for commit in commits if commit != pull.head_sha]
    seen: dict[str, Shown | None] = {pull.head_sha: now}
    for commit in others[-_LOOKED_BACK:]:
        part = _at(desk, scene, commit)
        judged = judging.judge(desk, part[1], Given()) if part is not None else None
        seen[commit] = shown(judged) if judged is not None else None
    return seen


def _at(desk: Desk, scene: Scene, commit: str) -> tuple[Scene, Planned] | None:
    """Another commit on the same base with its plan, None where that cannot be had."""
    try:
        there = scenes.at(desk, scene, commit)
        return there, judging.planned(desk, there, judging.read(desk, there))
    except (GitError, UsageError):
        return None


# ---- who wrote it ------------------------------------------------------------------------------


def _authors(desk: Desk, pull: Pull) -> Iterator[str]:
    """Logins, names and addresses of whoever wrote a pull request or a part of it."""
    yield pull.author
    path = f"repos/{desk.forge.repo}/pulls/{pull.number}/commits"
    for commit in islice(desk.forge.every(path), _COMMITS):
        yield from filter(None, _of_commit(commit))


def _of_commit(commit: Any) -> Iterator[str]:
    for role in ("author", "committer"):
        login = _text(commit.get(role), "login")
        if login != "web-flow":  # GitHub itself, where a button was pressed
            yield login
    said = commit.get("commit") or {}
    yield from _person(_text(said.get("author"), "name"), _text(said.get("author"), "email"))
    for name, email in _TRAILER.findall(_text(said, "message")):
        yield from _person(name, email)


def _person(name: str, email: str) -> Iterator[str]:
    """A name, an address, and the login where the address is GitHub's private one."""
    yield name
    yield email
    private = _PRIVATE.fullmatch(email)
    yield private[1] if private else email.partition("@")[0]


def _text(data: Any, key: str) -> str:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""


def _listed(lines: Iterable[str]) -> frozenset[str]:
    """The owners that CODEOWNERS names, in small letters, without their @."""
    said = (line.partition("#")[0] for line in lines)
    return frozenset(name.casefold() for line in said for name in _OWNER.findall(line))
