"""What a rule may look at, and what every rule says about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs.attempts import Counting
from llmops.jobs.audits import Audit
from llmops.jobs.base import Plan, Proof, Side
from llmops.jobs.exam import Exam
from llmops.rules.base import Finding, Loosened
from llmops.specs.base import Ref, Spec

Row = Mapping[str, Any]
# What a policy says without saying it.
DEFAULTS: Mapping[str, Any] = {"on_inconclusive": "fail", "profile": "assured"}
Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody of a team said yes. `source` tells how we know (printed with the verdict)."""

    team: str
    by: str
    source: str = "given on the command line"


@dataclass(frozen=True, slots=True)
class Looked:
    """The rows that a deciding job was given, by their digest, and how many such jobs there are."""

    digest: str
    count: int


@dataclass(frozen=True)
class Facts:
    """Everything a verdict depends on.

    `rows` gives the kept rows of a closure, None when they are absent or damaged; `findings` the
    same for what the detectors of a scan said, `anchors` for the rated rows that a judge graded,
    `digests` for what each row of a curated part asks (digest, id).
    `place` gives `path:line:col` of a field on one side. `authors` wrote the change: their own
    approval counts only where a policy says so. `owners` are the CODEOWNERS lines of head.
    `base_problem` is why base's specs cannot be read, if so. `now` is when it is judged. `counting`
    is the ledger, None where nothing is counted; `looked` tells of a deciding closure which rows it
    was given.
    """

    base: Graph | None
    head: Graph
    plan: Plan
    exams: tuple[Exam, ...]
    proven: Mapping[str, Proof]
    rows: Callable[[str], Sequence[Row] | None]
    place: Callable[[Side, Ref, Loc], str]
    approvals: tuple[Approval, ...] = ()
    authors: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    base_problem: str = ""
    loosened: tuple[Loosened, ...] = field(default=())
    findings: Callable[[str], Sequence[Row] | None] = lambda _closure: None
    anchors: Callable[[str], Sequence[Row] | None] = lambda _closure: None
    now: str = ""  # UTC, RFC 3339
    counting: Counting | None = None
    looked: Callable[[str], Looked | None] = lambda _closure: None
    digests: Callable[[str, str], Sequence[tuple[str, str]] | None] = lambda _closure, _part: None
    text: Callable[[str], str | None] = lambda _path: None  # a file of head's tree, None without
    audits: tuple[Audit, ...] = ()  # reused jobs that were run once more, all that are kept
    columns: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # see claims

    @property
    def policies(self) -> tuple[Config, ...]:
        """The rule settings that apply: base's first, then head's where they differ."""
        found: dict[tuple[str, str], Config] = {}
        for side, graph in (("base", self.base), ("head", self.head)):
            for config in _configs(graph, "base" if side == "base" else "head", self):
                found.setdefault((config.gate, repr(config.given)), config)
        return tuple(found.values())

    def judging(self) -> Graph:
        """The graph whose policies decide: base's, or head's own when there is no base."""
        return self.base if self.base is not None else self.head


@dataclass(frozen=True, slots=True)
class Config:
    """One entry of a policy's `rules`."""

    gate: str  # Policy/name/rule-name
    rule: str
    given: Mapping[str, Any]
    severity: str
    controls: tuple[str, ...]
    place: str
    judged_by: Side
    labels: Mapping[str, str] = field(default_factory=dict)  # of the policy's applies_to


def _configs(graph: Graph | None, side: Side, facts: Facts) -> Iterator[Config]:
    for policy in graph.of_kind("Policy") if graph else ():
        if not applies(policy.spec, facts):
            continue
        for i, rule in enumerate(policy.spec.get("rules", [])):
            yield Config(
                gate=f"{policy.ref}/{rule['name']}",
                rule=rule["rule"],
                given=rule.get("with", {}),
                severity=rule.get("severity", "error"),
                controls=tuple(rule.get("controls", ())),
                place=facts.place(side, policy.ref, ("spec", "rules", i, "rule")),
                judged_by=side,
                labels=policy.spec.get("applies_to", {}).get("labels", {}),
            )


def applies(policy: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a policy's labels match an Application of base or head (no labels: always)."""
    return any(covers(policy, graph) for graph in (facts.base, facts.head) if graph is not None)


def covers(policy: Mapping[str, Any], graph: Graph) -> bool:
    """Whether a policy is for something in one tree: an Application, or all without labels."""
    labelled = policy.get("applies_to", {}).get("labels", {})
    return not labelled or any(matches(policy, app) for app in graph.of_kind("Application"))


def asking(graph: Graph) -> tuple[Spec, ...]:
    """The policies of a tree that ask for something; one that only waives is none of them."""
    return tuple(policy for policy in graph.of_kind("Policy") if not only_waives(policy.spec))


def only_waives(policy: Mapping[str, Any]) -> bool:
    """Whether a policy holds waivers and nothing else (tests of policies ask for nothing)."""
    said = {k: v for k, v in policy.items() if v and k not in ("waivers", "tests", "applies_to")}
    return bool(policy.get("waivers")) and said.items() <= DEFAULTS.items()


def matches(policy: Mapping[str, Any], app: Spec) -> bool:
    """Whether an Application has all the labels that a policy is for."""
    wanted = policy.get("applies_to", {}).get("labels", {})
    return bool(wanted.items() <= app.labels.items())


@dataclass(frozen=True, slots=True)
class Info:
    """What a rule is for, and what to do when it does not hold.

    `controls`: clauses of laws and standards that a finding of it is evidence for, `body/clause`;
    a policy's own stand beside them. `good` and `bad`: what holds and what does not, as the parts
    of specs that matter, one YAML document each.
    """

    id: str
    why: str
    fix: str
    needs_evidence: bool = False
    controls: tuple[str, ...] = ()
    good: str = ""
    bad: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table: what `check` finds under one policy entry; nothing means it holds."""

    info: Info
    check: Callable[[Facts, Config], Iterator[Finding]]
