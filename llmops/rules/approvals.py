"""Who of base's named teams said yes: one answer for every rule that waits for people.

In: Facts and an occasion (`approvals[].when`). Out: each approval that base's policies ask for on
that occasion, with the people who gave it. Only base's policies are read, so no change can name
its own approvers, and an author's own word counts only where base says `allow_author`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.rules.facts import Facts, applies

# What marks an author as a machine: a name or an address that ends in [bot] (GitHub's mark of an
# app), a name that is `bot` or ends in `-bot`, an address whose first part is one of these words.
# GitHub's private addresses of people (12+name@users.noreply.github.com) have none of the three.
_BOT_NAME = re.compile(r"(.*[-_. ])?bot", re.IGNORECASE)
_MACHINE_MAILS = (
    "action", "actions", "automation", "bot", "ci", "do-not-reply", "donotreply", "github-actions",
    "no-reply", "noreply",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval that base's policies ask for, and who gave it."""

    name: str  # Policy/name/approval
    teams: tuple[str, ...]
    count: int
    by: frozenset[str]
    place: str = ""

    @property
    def words(self) -> str:
        """`1 of 2 approvals from team-compliance (Policy/default/looser)`."""
        return (
            f"{len(self.by)} of {self.count} approvals from {', '.join(self.teams)} ({self.name})"
        )

    @property
    def given(self) -> bool:
        """Whether enough of them said yes."""
        return len(self.by) >= self.count


def asked(facts: Facts, when: str) -> tuple[Asked, ...]:
    """The approvals that base's policies name for an occasion: all of them are needed."""
    return tuple(
        _asked(facts, f"{policy.ref}/{one['name']}", one, ("spec", "approvals", i), policy)
        for policy in (facts.base.of_kind("Policy") if facts.base is not None else ())
        if applies(policy.spec, facts)
        for i, one in enumerate(policy.spec.get("approvals", []))
        if one["when"] == when
    )


def _asked(
    facts: Facts, name: str, rule: Mapping[str, Any], loc: tuple[str | int, ...], policy: Any
) -> Asked:
    """Who of the named teams agreed; an author's own word counts only with `allow_author`.

    A person is one person in whatever case the name is written.
    """
    teams = tuple(rule["from"])
    said = {a.by.casefold(): a.by for a in facts.approvals if a.team in teams}
    own = () if rule.get("allow_author", False) else (one.casefold() for one in facts.authors)
    left = said.keys() - set(own)
    by = frozenset(said[one] for one in left)
    place = facts.place("base", policy.ref, loc)
    return Asked(name, teams, int(rule.get("count", 1)), by, place)


def machines(authors: Iterable[str]) -> tuple[str, ...]:
    """Those of the names and addresses of authors that mark a machine, sorted."""
    return tuple(sorted({one for one in authors if _is_machine(one)}))


def _is_machine(author: str) -> bool:
    name, at, _ = author.strip().rpartition("@")
    if at:
        return name.casefold().endswith("[bot]") or name.casefold() in _MACHINE_MAILS
    return author.casefold().endswith("[bot]") or _BOT_NAME.fullmatch(author) is not None
