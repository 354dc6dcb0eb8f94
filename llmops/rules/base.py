"""The nouns of judging: Outcome, Finding, Facts, Rule, Verdict.

In: graphs at base and head, the plan, kept evidence with its rows, approvals, a date. Out: a
Verdict, a pure function of those. `passed` is always said positively: absent, invalid or
non-finite data is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

from llmops.jobs.attempts import Refusal
from llmops.jobs.base import FORMAT_VERSION, Change, Plan, Side, TreeName


class Outcome(IntEnum):
    """passed < warned < inconclusive < failed; the worst wins."""

    PASSED = 0
    WARNED = 1
    INCONCLUSIVE = 2
    FAILED = 3

    @property
    def word(self) -> str:
        """The word that every surface prints."""
        return self.name.lower()

    @property
    def mark(self) -> str:
        """The sign beside the word, never instead of it."""
        return {0: "✅", 1: "⚠️", 2: "⏸", 3: "❌"}[self.value]


@dataclass(frozen=True, slots=True)
class Case:
    """One case before and after, for the worst-cases table."""

    id: str
    input: str
    expected: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Outputs:
    """Answers that a changed Prompt changed: the first `cases` of `changed` among `compared`."""

    prompts: tuple[str, ...]
    cases: tuple[Case, ...]
    changed: int
    compared: int


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """How often a judge is right on anchors that people rated, and on planted control items.

    Sensitivity: the share of good answers that it passes; specificity: the share of bad ones that
    it fails; each with its exact two-sided interval at the level that the corrected bound uses.
    `consistency`: the share of anchors on which all repeats agree. `early`, `late`: the share that
    it graded as people did, in the first and the second half of the batch. `injected` counts
    control items that try to talk the judge round. Shares are in 0 to 1, None where nothing was
    asked.
    """

    anchors: int
    sensitivity: float | None = None
    sensitivity_interval: tuple[float, float] | None = None
    specificity: float | None = None
    specificity_interval: tuple[float, float] | None = None
    controls: int = 0
    control_errors: int = 0
    injected: int = 0
    injected_errors: int = 0
    consistency: float | None = None
    early: float | None = None
    late: float | None = None
    raw: float | None = None  # the judged share before it was corrected
    raw_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """A changed line that a finding may rest on."""

    about: str  # Kind/name
    field: str  # path of the field, or what became of the whole
    place: str  # path:line:col at head


@dataclass(frozen=True, slots=True)
class Terms:
    """How a claim on rows was tested: all that somebody needs to do it again from the rows alone.

    The values are those of cell `check`, of the rows whose `column` says `group` where these are
    named; at least `pass_at` counts as 1, less as 0. A mean is tested in the order of sha256 of
    [dataset, split, gate, case].
    """

    check: str  # name of the cell
    metric: str
    kind: Literal["binary", "score", "unbounded"]
    lower: float | None  # range of the values, before `pass_at`
    upper: float | None
    at_least: float | None  # the bounds; None where that side is open
    at_most: float | None
    gate: str
    dataset: str
    split: str
    errors_allowed: float  # share of invalid cells that count as the worst value
    pass_at: float | None = None
    statistic: str = ""  # p95, ...; "" for the mean
    column: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found about one gate.

    `value`, `bound`, `interval` are in the metric's own unit; `interval` is two-sided 95 %;
    `n` counts cases. `difference` is head minus base over the same cases.
    """

    rule: str  # rule id: require, regression, evidence-present, ...
    gate: str  # Kind/name/check, or Policy/name/rule
    outcome: Outcome
    message: str
    hint: str = ""
    place: str = ""  # path:line:col of the claim
    judged_by: Side = "head"
    metric: str = ""
    value: float | None = None
    bound: str = ""  # "min 0.80"
    interval: tuple[float, float] | None = None
    n: int | None = None
    base_value: float | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    about_more: int | None = None
    evidence: str = ""  # digest of the statement it rests on
    controls: tuple[str, ...] = ()
    waived_by: str = ""  # name of the waiver under which `outcome` is what it is
    unwaived: str = ""  # the outcome's word without that waiver
    judge: str = ""  # who judged the metric, and how often: "Model/judge, mean of 3"
    quality: JudgeQuality | None = None  # what is known of that judge from rated anchors
    assured: str = ""  # what its one-sided bound says, whatever decides
    literal: str = ""  # what the point rule says of the same number, "passed" or "failed"
    level: float | None = None  # the error rate at which it was decided (alpha, less for attempts)
    attempt: int | None = None  # which attempt of its claim this is, counted from 1
    attempts: int | None = None  # how many the policy allows
    refused: Refusal | None = None  # why it may not be decided, whatever its rows say
    not_shown: str = ""  # why it is let through although nothing shows it
    causes: tuple[Cause, ...] = ()  # of one that did not pass, the first few
    tested: Terms | None = None  # of a claim on rows that was decided


@dataclass(frozen=True, slots=True)
class Loosened:
    """A bound or rule that head holds weaker than base, and whose approval that needs."""

    what: str  # gate id or path of the field
    before: str
    after: str
    place: str = ""
    approval: str = ""  # name of base's approval, "" if base asks for none
    approved_by: tuple[str, ...] = ()
    newly_passes: tuple[str, ...] = ()  # gates (or cases) that pass by head's version only


@dataclass(frozen=True, slots=True)
class Look:
    """How often the held-out rows of one digest were looked at, and how often they may be."""

    dataset: str  # Dataset/name#part
    digest: str  # sha256 of the rows
    count: int
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Waived:
    """One waiver of base's policies on the day of judging.

    `state`: "in use" (some gate would not hold without it), "unused", "expired" (its day has
    passed), "too long" (more than 90 days ahead, so it does not count), "unknown gate", or
    "not waivable".
    """

    name: str  # Policy/name/waiver
    gate: str
    owner: str
    reason: Mapping[str, str]  # language -> text; "" where no language is named
    ticket: str
    expires: str  # YYYY-MM-DD, the last day on which it counts
    state: str
    days_left: int = 0


@dataclass(frozen=True, slots=True)
class Unshown:
    """Something that a verdict does not show, whatever its outcome.

    `kind`: "gate" (let through although its rows do not show it), "route" and "target" (nothing
    measures it), "reported" (a suite or check that decides nothing).
    """

    kind: str
    what: str = ""  # gate id, Kind/name, ...
    why: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How attempts were counted, and the end of the ledger that a verdict rests on."""

    by: Literal["claim", "pull_request"]
    change: str  # the name given for it, "" for none
    entries: int
    last: str  # digest of the last entry, "" where there is none
    note: str = ""  # why it is not counted as a policy says, or what is wrong with the ledger
    approval: str = ""  # names of base's approvals that grant one attempt more than is allowed
    approved_by: tuple[str, ...] = ()  # who gave all of them


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this tree be merged? The worst of its findings, with all that it rests on."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    base: TreeName | None
    head: TreeName
    policy_tree: str | None
    changes: tuple[Change, ...]
    plan: Plan
    loosened: tuple[Loosened, ...] = ()
    worst_cases: tuple[Case, ...] = ()
    worse_count: int = 0  # cases right at base and wrong at head
    better_count: int = 0
    outputs: Outputs | None = None  # None: no Prompt changed, or nothing to compare with
    slices: tuple[Mapping[str, Any], ...] = ()
    advisory: bool = True  # nothing was counted: never enough to merge or to release
    profile: str = "assured"  # or "literal": the point rule decides
    counted: Counted | None = None  # None: advisory
    looks: tuple[Look, ...] = ()
    waivers: tuple[Waived, ...] = ()
    unshown: tuple[Unshown, ...] = ()
    notes: tuple[str, ...] = ()  # e.g. "no policy at base", "partial: --select"
    judged_at: str = ""
    tool_version: str = ""
    format_version: int = FORMAT_VERSION
    extra: Mapping[str, Any] = field(default_factory=dict)
