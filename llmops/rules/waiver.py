"""Rule `waiver`: a gate may be missed until a day, because somebody of base answered for it.

Only waivers of base's policies count, so none helps the change that brings it. A waiver names a
gate by its id (`Evaluation/x/accuracy`), a slice with all its values (`Evaluation/x/by-language`)
or with one (`...[zh]`), or a policy's rule (`Policy/x/licences`). A gate that is failed or
inconclusive is then *warned*, with what was found still in front: waived is never hidden. It
counts until the end of its day (UTC), and not before 90 days ahead of it. After that day the gate
counts again, and where it does not hold the expired waiver fails too.

`applied` is the only place where a waiver changes anything; every page prints what it gives. Not
waivable: what is looser than base, an approval, a base that cannot be read, a tree that nothing
judges, a damaged ledger, a waiver.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from llmops.diagnostics import did_you_mean, printable
from llmops.graph.build import Graph
from llmops.jobs.base import Side
from llmops.jobs.exam import Exam, exams
from llmops.jobs.gates import gates
from llmops.jobs.parts import dataset_of
from llmops.rules.base import Finding, Outcome, Waived
from llmops.rules.facts import Facts, Info, covers
from llmops.specs.base import Ref, Spec

INFO = Info(
    id="waiver",
    why="an exception that nobody has to end becomes the rule",
    fix="mend what the gate found, or ask for a new waiver in a change of its own",
    needs_evidence=True,
    controls=("iso27001/A.8.32",),
    good="""\
kind: Policy
metadata: {name: late-labels}
spec:
  waivers:
    - name: late-labels
      gate: Evaluation/quality/by-language[zh]
      reason: the Chinese rows are rated in December
      ticket: CS-1207
      owner: lihua
      expires: "2026-12-15"
""",
    bad="""\
kind: Policy
metadata: {name: late-labels}
spec:
  waivers:
    - name: late-labels
      gate: Evaluation/quality/by-language[zh]
      reason: the Chinese rows are rated some day
      ticket: CS-1207
      owner: lihua
      expires: "2027-12-15"  # more than 90 days ahead
""",
)
MOST_DAYS = 90
# Rules whose findings no waiver reaches, and the gates under which they are told.
NEVER = ("policy-looser", "approval", "base-unreadable", INFO.id)
NEVER_GATES = ("policy-looser", "base", "evidence")
AGE = "max_evidence_age_days"
Standing = Literal["counts", "expired", "too long", "unknown gate", "not waivable"]


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver of one tree: `labels` are those of the Applications that its policy is for."""

    name: str  # Policy/name/waiver
    given: Mapping[str, Any]
    labels: Mapping[str, str]
    ref: Ref
    index: int

    @property
    def gate(self) -> str:
        """What it waives."""
        return str(self.given["gate"])

    @property
    def expires(self) -> date:
        """The last day on which it counts."""
        return date.fromisoformat(self.given["expires"])

    @property
    def reason(self) -> Mapping[str, str]:
        """Language -> text; "" where no language is named."""
        reason = self.given["reason"]
        return {"": reason} if isinstance(reason, str) else dict(reason)

    def place(self, facts: Facts, side: Side) -> str:
        """Where it stands."""
        return facts.place(side, self.ref, ("spec", "waivers", self.index, "gate"))

    def holds(self, other: Waiver) -> bool:
        """Whether it lets by all that another one does, for as long and as many."""
        same = self.gate in _names(other.gate)
        return (
            same and self.expires >= other.expires and self.labels.items() <= other.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """Findings under base's waivers, with what is to be said of the waivers themselves."""

    findings: tuple[Finding, ...]
    waivers: tuple[Waived, ...]


def declared(graph: Graph | None) -> tuple[Waiver, ...]:
    """Every waiver of one tree's policies."""
    return tuple(
        Waiver(f"{policy.ref}/{given['name']}", given, _labels(policy), policy.ref, i)
        for policy in (graph.of_kind("Policy") if graph is not None else ())
        for i, given in enumerate(policy.spec.get("waivers", ()))
    )


def _labels(policy: Spec) -> Mapping[str, str]:
    found: Mapping[str, str] = policy.spec.get("applies_to", {}).get("labels", {})
    return found


def applied(facts: Facts, found: Sequence[Finding], today: date) -> Applied:
    """The findings as base's waivers leave them. Pure: the day is given."""
    own = [w for w in declared(facts.base) if _for_base(facts, w)]
    if not own and not declared(facts.head):
        return Applied(tuple(found), ())
    known = {*gates_of(facts.head), *gates_of(facts.base), *(f.gate for f in found)}
    standing = {w.name: stands(w, known, today) for w in own}
    counting = [w for w in own if standing[w.name] == "counts"]
    counting.sort(key=lambda w: (w.expires, w.name), reverse=True)  # the longest counts
    damaged = facts.counting is not None and facts.counting.problem != ""
    left = tuple(
        one if damaged and one.refused is not None else _under(one, counting, today)
        for one in found
    )
    told = tuple(_told(w, standing[w.name], left, today) for w in own)
    said = [*_of_base(facts, own, standing, left, today), *_of_head(facts, known, today)]
    return Applied((*left, *said), told)


def _for_base(facts: Facts, waiver: Waiver) -> bool:
    """Whether its policy is for an Application of base: head cannot relabel itself into it."""
    assert facts.base is not None
    return covers(facts.base.specs[waiver.ref].spec, facts.base)


def stands(waiver: Waiver, known: Iterable[str], today: date) -> Standing:
    """Whether a waiver counts today, and why not. `known` are the gates of both trees."""
    if not waivable(waiver.gate):
        return "not waivable"
    if not is_known(waiver.gate, known):
        return "unknown gate"
    days = (waiver.expires - today).days
    return "expired" if days < 0 else "too long" if days > MOST_DAYS else "counts"


def waivable(gate: str) -> bool:
    """Whether a gate may be waived at all."""
    return gate not in NEVER_GATES


def is_known(gate: str, known: Iterable[str]) -> bool:
    """Whether a name is that of a gate or rule, or may be that of one value of a slice."""
    names = {name for one in known for name in _names(one)}
    return gate in names or f"{_whole(gate)}{_ANY}" in names


_ANY = "[]"  # ends the name of a slice whose values only its rows tell


def _names(gate: str) -> tuple[str, ...]:
    """By which names a gate is waived: its own, and a slice's without its value."""
    return (gate, _whole(gate))


def _whole(gate: str) -> str:
    return re.sub(r"\[[^\]]*\]$", "", gate)


def _under(finding: Finding, counting: Sequence[Waiver], today: date) -> Finding:
    """A finding that does not hold, under the longest waiver of its gate."""
    if not reached(finding):
        return finding
    waiver = next((w for w in counting if w.gate in _names(finding.gate)), None)
    if waiver is None:
        return finding
    message = f"{finding.message}; {_words(waiver, today)}"
    return replace(
        finding, outcome=Outcome.WARNED, unwaived=finding.outcome.word, message=message,
        waived_by=waiver.name,
    )  # fmt: skip


def reached(finding: Finding) -> bool:
    """Whether a finding needs a waiver, and may have one."""
    never = finding.rule in NEVER or finding.gate in NEVER_GATES
    return finding.outcome > Outcome.WARNED and not never


def _words(waiver: Waiver, today: date) -> str:
    """`waived until 2026-12-15 by Policy/x/w-1 (CS-1207, lihua, 23 days left): why`."""
    given = waiver.given
    who = f"{printable(given['ticket'], 80)}, {printable(given['owner'], 80)}"
    left = f"{_days((waiver.expires - today).days)} left"
    why = printable(reason_in(waiver.reason, "en"), 200)
    return f"waived until {given['expires']} by {waiver.name} ({who}, {left}): {why}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def reason_in(reason: Mapping[str, str], language: str) -> str:
    """The reason in a language, or in one that there is."""
    return reason.get(language) or reason.get("") or next(iter(reason.values()), "")


def _told(waiver: Waiver, standing: Standing, found: Sequence[Finding], today: date) -> Waived:
    used = any(finding.waived_by == waiver.name for finding in found)
    given = waiver.given
    state = ("in use" if used else "unused") if standing == "counts" else standing
    days = (waiver.expires - today).days
    return Waived(
        waiver.name, waiver.gate, given["owner"], waiver.reason, given["ticket"],
        given["expires"], state, days,
    )  # fmt: skip


def told_of(base: Graph | None, head: Graph | None, today: date) -> tuple[Waived, ...]:
    """Head's waivers as they would stand on a day; none of them is in use before it is base's."""
    known = gates_of(base) | gates_of(head)
    return tuple(_told(one, stands(one, known, today), (), today) for one in declared(head))


# ---- what is said of the waivers themselves ---------------------------------------------------


def _of_base(
    facts: Facts, own: Sequence[Waiver], standing: Mapping[str, Standing],
    left: Sequence[Finding], today: date,
) -> Iterator[Finding]:  # fmt: skip
    """Base's waivers that no longer count: failed where the gate needs one, else to be removed."""
    kept = {waiver.name for waiver in declared(facts.head)}
    for waiver in own:
        state = standing[waiver.name]
        missed = [f for f in left if _is_of(waiver.gate, f.gate) and reached(f)]
        if state == "counts" or (waiver.name not in kept and not missed):
            continue
        message, hint = _wrong(waiver, state, (), today)
        outcome = Outcome.WARNED
        if state == "expired":
            outcome = Outcome.FAILED if missed else Outcome.WARNED
            hint = INFO.fix if missed else "remove it"
            holds = f"is {missed[0].outcome.word}" if missed else "does not need it"
            message = f"{message}, and {waiver.gate} {holds}"
        yield _finding(facts, waiver, "base", outcome, message, hint)


def _is_of(waived: str, gate: str) -> bool:
    """Whether a gate needs what is waived: a slice without evidence says nothing of its values."""
    return waived in _names(gate) or gate == _whole(waived)


def _of_head(facts: Facts, known: Iterable[str], today: date) -> Iterator[Finding]:
    """Head's new waivers that would never count: for nothing, or for too long."""
    before = {(waiver.name, waiver.gate, waiver.expires) for waiver in declared(facts.base)}
    for waiver in declared(facts.head):
        state = stands(waiver, known, today)
        new = (waiver.name, waiver.gate, waiver.expires) not in before
        if state == "counts" or not new:
            continue
        message, hint = _wrong(waiver, state, known, today)
        nothing = state in ("unknown gate", "not waivable")
        outcome = Outcome.FAILED if nothing else Outcome.WARNED
        yield _finding(facts, waiver, "head", outcome, message, hint)


def _finding(
    facts: Facts, waiver: Waiver, side: Side, outcome: Outcome, message: str, hint: str
) -> Finding:
    place = waiver.place(facts, side)
    return Finding(INFO.id, waiver.name, outcome, message, hint, place, side)


def _wrong(waiver: Waiver, state: Standing, known: Iterable[str], today: date) -> tuple[str, str]:
    """Why a waiver does not count, and what to do."""
    gate = printable(waiver.gate, 160)
    if state == "not waivable":
        return f"{gate} cannot be waived", "ask for the approval, or mend what stands in the way"
    if state == "unknown gate":
        names = sorted({name for one in known for name in _names(one) if not name.endswith(_ANY)})
        return f'no gate or rule is called "{gate}"', did_you_mean(
            gate, names, otherwise="remove it"
        )
    if state == "expired":
        return f"the waiver of {gate} expired on {waiver.given['expires']}", "remove it"
    ahead = (waiver.expires - today).days
    message = (
        f"the waiver of {gate} ends {ahead} days ahead, on {waiver.given['expires']}; "
        f"more than {MOST_DAYS} do not count"
    )
    return message, f"let it end within {MOST_DAYS} days"


RULES: Mapping[Standing, str] = {
    "unknown gate": "unknown-gate",
    "not waivable": "not-waivable",
    "expired": "waiver-expired",
    "too long": "waiver-too-long",
}


def static(
    facts: Facts, elsewhere: Callable[[], Iterable[str]], today: date
) -> Iterator[tuple[str, Finding]]:
    """What `validate` says of head's waivers: a rule id and a finding for each that cannot count.

    `elsewhere` gives the gates of base, asked for only when a name is not known here.
    """
    waivers = declared(facts.head)
    known: set[str] = set(gates_of(facts.head)) if waivers else set()
    if not all(is_known(w.gate, known) for w in waivers if waivable(w.gate)):
        known |= set(elsewhere())
    for waiver in waivers:
        state = stands(waiver, known, today)
        if state != "counts":
            message, hint = _wrong(waiver, state, known, today)
            nothing = state in ("unknown gate", "not waivable")
            outcome = Outcome.FAILED if nothing else Outcome.WARNED
            yield RULES[state], _finding(facts, waiver, "head", outcome, message, hint)


def gates_of(graph: Graph | None) -> frozenset[str]:
    """Every name that a waiver of a tree may give: gates that are planned, rules of policies."""
    if graph is None:
        return frozenset()
    if "gates" not in graph.memo:
        asked = exams(None, graph)
        planned = (gate.id for gate in gates(asked, {}))
        names = (
            *planned,
            *map(_cases, asked),
            *map(_overlap, asked),
            *_slices(graph),
            *_named(graph),
        )
        graph.memo["gates"] = frozenset(names)
    found: frozenset[str] = graph.memo["gates"]
    return found


def _cases(exam: Exam) -> str:
    """The rows that an exam looks at, as their budget of looks is called."""
    used = dataset_of(exam.asker, exam.part)
    return f"{used.target}#{used.part}" if used.part else str(used.target)


def _overlap(exam: Exam) -> str:
    """What an exam asks, held against what its target learned."""
    return f"{exam.name}/split-overlap"


def _slices(graph: Graph) -> Iterator[str]:
    """The values of slices: those that are named, else any."""
    for spec in graph.of_kind("Evaluation"):
        for one in spec.spec.get("slices", ()):
            name, values = f"{spec.ref}/{one['name']}", one.get("values", ())
            yield from [f"{name}[{value}]" for value in values] or [f"{name}{_ANY}"]


def _named(graph: Graph) -> Iterator[str]:
    """What is no claim on rows: rules of policies, and the models that are routed to."""
    for policy in graph.of_kind("Policy"):
        yield from (f"{policy.ref}/{rule['name']}" for rule in policy.spec.get("rules", ()))
        if policy.spec.get(AGE) is not None:
            yield f"{policy.ref}/{AGE}"
    for app in graph.of_kind("Application"):
        for route in app.spec.get("routes", ()):
            yield f"{app.ref}/routes/{Ref.parse(route['model']).name}"
