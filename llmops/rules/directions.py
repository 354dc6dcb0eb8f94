"""Two graphs -> what the second asks more, less or otherwise than the first.

Looser is what `policy-looser` finds; tighter is what it finds the other way round; what it finds
both ways (other cases, another judge) is unknown, and unknown counts as looser. A field of a gate
or a policy that changed and that it finds in neither direction is neutral: a reason, an owner, a
name for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from llmops.graph.base import Change
from llmops.graph.build import EMPTY
from llmops.rules.base import Loosened
from llmops.rules.facts import Facts
from llmops.rules.looser import short
from llmops.rules.policy_looser import loosened

Direction = Literal["looser", "tighter", "neutral"]
JUDGING = ("Policy", "Evaluation", "SafetyTest", "Guardrail", "Release")
_ENTRY = re.compile(r"\w+\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that a change asks otherwise: from base's words to head's."""

    direction: Direction
    what: str  # a gate's id, a policy's entry, or a field
    before: str
    after: str
    place: str = ""


def moved(facts: Facts, changes: Sequence[Change]) -> tuple[Moved, ...]:
    """Looser first, then tighter, then neutral; each as `policy-looser` orders it."""
    facts = replace(facts, base=facts.base if facts.base is not None else EMPTY)
    looser, back = loosened(facts), loosened(_turned(facts))
    tighter = [one for one in back if not any(_same(one, known) for known in looser)]
    told = {one.what for one in (*looser, *tighter)}
    return (
        *(Moved("looser", o.what, o.before, o.after, o.place) for o in looser),
        *map(_tighter, tighter),
        *_neutral(changes, told),
    )


def _same(one: Loosened, known: Loosened) -> bool:
    """Whether both are one change, found in each direction: so nobody knows which way it goes.

    The words before may begin with the name of the field.
    """
    ends = known.before.endswith(one.after) and one.before.endswith(known.after)
    return one.what == known.what and ends


def _turned(facts: Facts) -> Facts:
    """Head as base and base as head; places are told of head only, where a reader looks."""

    def place(side: str, ref: Any, loc: Any) -> str:
        return facts.place("head", ref, loc) if side == "base" else ""

    base = facts.base if facts.base is not None else EMPTY
    return replace(facts, base=facts.head, head=base, place=place)


def _tighter(one: Loosened) -> Moved:
    before = "absent" if one.after == "removed" else one.after
    return Moved("tighter", one.what, before, one.before, one.place)


def _neutral(changes: Sequence[Change], told: set[str]) -> Iterator[Moved]:
    for change in changes:
        if change.ref.kind not in JUDGING or change.action == "follows":
            continue
        if change.action in ("added", "removed") and not _explained(str(change.ref), told):
            words = ("absent", "declared") if change.action == "added" else ("declared", "removed")
            yield Moved("neutral", str(change.ref), *words, change.path)
        for field in change.fields if change.action == "changed" else ():
            what = _subject(str(change.ref), field.path)
            if not _explained(what, told) and str(change.ref) not in told:
                before, after = short(field.before), short(field.after)
                yield Moved("neutral", f"{change.ref} {field.path}", before, after, change.path)


def _subject(ref: str, path: str) -> str:
    """`Evaluation/x/accuracy` of a field of that check; else `Evaluation/x`, the spec itself."""
    entry = _ENTRY.match(path)
    return f"{ref}/{entry[1]}" if entry else ref


def _explained(what: str, told: set[str]) -> bool:
    return any(one == what or one.startswith((f"{what} ", f"{what}/")) for one in told)
