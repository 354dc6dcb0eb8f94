"""Kind `Policy`: what must hold, for whom, and who may loosen it.

A rule is a built-in rule id with parameters typed for it; one class below each id that takes any.
Policies are read from base, so everything here has role gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from llmops.specs.blocks import (
    DAY_PATTERN,
    LIST,
    SET,
    Day,
    License,
    NonEmpty,
    Number,
    Share,
    Text,
    Verbatim,
)
from llmops.specs.fields import Block, Name, field, group
from llmops.specs.problem import Loc, Problem, block, duplicates, items, quoted


class NoParameters(Block):
    """The rule takes none."""


class EvidencePresent(Block):
    """Which kinds must have evidence."""

    kinds: Annotated[tuple[Literal["Evaluation", "SafetyTest", "Guardrail"], ...], SET] = field(
        role="gate", doc="Kinds whose gates need evidence.", min_length=1
    )


class Licenses(Block):
    """Which licences may be used."""

    allow: Annotated[tuple[License, ...], SET] = field((), role="gate", doc="Only these.")
    deny_use: Annotated[tuple[License, ...], SET] = field((), role="gate", doc="Never these.")


class Range(Block):
    """A number of a spec between bounds."""

    field_: NonEmpty = field(
        role="gate", doc="Kind.path, as in Recipe.training.max_steps.", alias="field"
    )
    min: Number | None = field(None, role="gate", doc="Lowest allowed value.")
    max: Number | None = field(None, role="gate", doc="Highest allowed value.")


class SplitOverlap(Block):
    """How much of what is asked may have been learned."""

    max_share: Share | None = field(
        None, role="gate", doc="Share of the asked rows that the target may have seen."
    )
    datasets: Annotated[tuple[Name, ...], SET] | None = field(
        None, role="gate", doc="For rows of these Datasets only; of all without it.", min_length=1
    )


LintId = Literal[
    "unused-input",
    "untyped-input",
    "unbounded-input",
    "untrusted-in-system",
    "undelimited-input",
    "trailing-space",
    "constraint-unread",
    "constraint-twice",
    "constraint-clash",
]


class PromptLint(Block):
    """Which warnings about prompts count."""

    ignore: Annotated[tuple[LintId, ...], SET] | None = field(
        None, role="gate", doc="Ids of warnings that do not count.", min_length=1
    )


class _Rule(Block):
    name: Name = field(role="gate", doc="Name of the rule; the gate's id ends in it.")
    rule: str = field(role="gate", doc="Built-in rule id.")  # its place: each rule says which
    with_: Block | None = group(None, doc="Its parameters.", alias="with")
    severity: Literal["error", "warning"] = field("error", role="gate", doc="What a miss is.")
    controls: Annotated[tuple[NonEmpty, ...], SET] = field(
        (), role="static", doc="Clauses it is evidence for."
    )
    because: Text | None = field(None, role="descriptive", doc="Why it is asked.")


class EvidencePresentRule(_Rule):
    """Rule `evidence-present`."""

    rule: Literal["evidence-present"] = field(role="gate", doc="Built-in rule id.")
    with_: EvidencePresent | None = group(None, doc="Its parameters.", alias="with")


class LicenseRule(_Rule):
    """Rule `license`."""

    rule: Literal["license"] = field(role="gate", doc="Built-in rule id.")
    with_: Licenses = group(doc="Its parameters.", alias="with")


class RangeRule(_Rule):
    """Rule `range`."""

    rule: Literal["range"] = field(role="gate", doc="Built-in rule id.")
    with_: Range = group(doc="Its parameters.", alias="with")


class SplitOverlapRule(_Rule):
    """Rule `split-overlap`."""

    rule: Literal["split-overlap"] = field(role="gate", doc="Built-in rule id.")
    with_: SplitOverlap | None = group(None, doc="Its parameters.", alias="with")


class PromptLintRule(_Rule):
    """Rule `prompt-lint`."""

    rule: Literal["prompt-lint"] = field(role="gate", doc="Built-in rule id.")
    with_: PromptLint | None = group(None, doc="Its parameters.", alias="with")


class PlainRule(_Rule):
    """Rules without parameters."""

    rule: Literal[
        "require",
        "regression",
        "slices",
        "gap",
        "fail-on",
        "bank-classes",
        "evidence-fresh",
        "pinned-revision",
        "secret",
        "residency",
        "owner",
        "routes-measured",
        "budget",
        "holdout",
        "judge-calibrated",
        "prompt-tests",
        "reuse-audit",
    ] = field(role="gate", doc="Built-in rule id.")
    with_: NoParameters | None = group(None, doc="It takes none.", alias="with")


Rule = Annotated[
    EvidencePresentRule | LicenseRule | RangeRule | SplitOverlapRule | PromptLintRule | PlainRule,
    Field(discriminator="rule"),
]

RULE_PARAMETERS: Mapping[str, type[Block]] = {
    "evidence-present": EvidencePresent,
    "license": Licenses,
    "range": Range,
    "split-overlap": SplitOverlap,
    "require": NoParameters,
    "regression": NoParameters,
    "slices": NoParameters,
    "gap": NoParameters,
    "fail-on": NoParameters,
    "bank-classes": NoParameters,
    "evidence-fresh": NoParameters,
    "pinned-revision": NoParameters,
    "secret": NoParameters,
    "residency": NoParameters,
    "owner": NoParameters,
    "routes-measured": NoParameters,
    "budget": NoParameters,
    "holdout": NoParameters,
    "judge-calibrated": NoParameters,
    "prompt-tests": NoParameters,
    "reuse-audit": NoParameters,
    "prompt-lint": PromptLint,
}


# Rules that judge whatever a policy says: naming one could only make it a warning.
ALWAYS_JUDGED = ("policy-looser", "approval", "waiver")


class AppliesTo(Block):
    """Which specs the policy is for."""

    labels: dict[str, str] | None = field(None, role="gate", doc="Labels that must all match.")


class Approval(Block):
    """Who must agree to what."""

    name: Name = field(role="gate", doc="Name of the approval.")
    when: Literal["policy_looser", "machine_author", "attempts"] = field(
        role="gate", doc="What needs it: something looser, a machine's commit, one more attempt."
    )
    from_: Annotated[tuple[NonEmpty, ...], SET] = field(
        role="gate", doc="Teams or people.", alias="from", min_length=1
    )
    count: int = field(1, role="gate", doc="How many of them.", ge=1)
    allow_author: bool = field(False, role="gate", doc="Whether the author's own counts.")


class Spending(Block):
    """What the jobs of one change may take."""

    usd: Number | None = field(None, role="gate", doc="US dollars, by gpu_classes.", ge=0)
    gpu_hours: Number | None = field(None, role="gate", doc="Hours, over all GPUs.", ge=0)
    cpu_hours: Number | None = field(None, role="gate", doc="Hours, over all cores.", ge=0)


class Budgets(Block):
    """What may be spent."""

    per_pull_request: Spending | None = group(None, doc="Each change by itself.")
    holdout_looks_per_dataset: int | None = field(
        None, role="gate", doc="How often the same test rows may be looked at.", ge=1
    )


class Waiver(Block):
    """A gate that may be missed until a day, and who answers for it; counts only from base."""

    name: Name = field(role="gate", doc="Name of the waiver.")
    gate: NonEmpty = field(role="gate", doc="A gate's id, or Policy/name/rule.")
    reason: Text = field(role="descriptive", doc="Why the gate is missed, or one per language.")
    ticket: NonEmpty = field(role="descriptive", doc="Where the work on it is followed.")
    owner: NonEmpty = field(role="descriptive", doc="Who answers for it.")
    expires: Day = field(role="gate", doc="Last day on which it counts; 90 days ahead at most.")


class Counts(Block):
    """Rows that a test makes up for one check or one value of a slice."""

    right: int = field(role="static", doc="Cases as the check wants them.", ge=0)
    of: int = field(role="static", doc="All cases.", ge=1, le=20_000)


def _expected(value: Any) -> Any:
    words = list(value.values()) if isinstance(value, dict) and value else [value]
    if not all(isinstance(word, str) and word in OUTCOMES for word in words):
        raise PydanticCustomError(
            "words", f"one of {', '.join(OUTCOMES)}, or {{GATE: one of them}}"
        )
    return value


OUTCOMES = ("passed", "warned", "inconclusive", "failed")


class PolicyTest(Block):
    """What the policies of a tree make of a change or of counts; it changes no verdict."""

    name: Name = field(role="static", doc="Name of the test.")
    set_: Verbatim = field(
        {}, role="static", doc="Values by Kind/name.path, as in Model/tiny.license.", alias="set"
    )
    remove: Annotated[tuple[NonEmpty, ...], SET] = field(
        (), role="static", doc="Specs, or entries by Kind/name.path[name], that are gone."
    )
    counts: dict[str, Counts] = field({}, role="static", doc="GATE: {right, of}.")
    expect: Annotated[Any, AfterValidator(_expected)] = field(
        role="static", doc="An outcome, or one for each gate or rule that is named."
    )


class Policy(Block):
    """What must hold."""

    applies_to: AppliesTo | None = group(None, doc="Which specs; all without it.")
    alpha: float | None = field(
        None, role="gate", doc="Error rate allowed to each claim.", gt=0, lt=0.5
    )
    attempts: int | None = field(
        None, role="gate", doc="Attempts at each claim that share its alpha; 1 without it.",
        ge=1, le=20,
    )  # fmt: skip
    count: Literal["claim", "pull_request"] | None = field(
        None, role="gate", doc="What attempts are counted over: the claim (as without it), or a"
        " pull request by itself.",
    )  # fmt: skip
    on_inconclusive: Literal["fail", "warn"] = field(
        "fail", role="gate", doc="What an undecided gate is."
    )
    profile: Literal["assured", "literal"] = field(
        "assured", role="gate", doc="What decides a claim: its bound, or the measured number."
    )
    max_evidence_age_days: Number | None = field(
        None, role="gate", doc="Older measurements of a target decide nothing.", gt=0
    )
    budgets: Budgets | None = group(None, doc="What may be spent.")
    reuse_audit: Share | None = field(
        None, role="gate", doc="Share of reused jobs that are run once more, drawn by lot."
    )
    rules: Annotated[tuple[Rule, ...], LIST] = group((), doc="What must hold.")
    approvals: Annotated[tuple[Approval, ...], LIST] = group((), doc="Who must agree.")
    waivers: Annotated[tuple[Waiver, ...], LIST] = group((), doc="What may be missed for a time.")
    tests: Annotated[tuple[PolicyTest, ...], LIST] = group((), doc="What policies must find.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: names once, ranges with a bound."""
    yield from duplicates(spec, ("spec",), "rules")
    yield from duplicates(spec, ("spec",), "approvals")
    yield from duplicates(spec, ("spec",), "waivers")
    yield from duplicates(spec, ("spec",), "tests")
    for i, test in items(spec, "tests"):
        yield from _counts(block(test, "counts"), ("spec", "tests", i, "counts"))
    for i, waiver in items(spec, "waivers"):
        yield from _waiver(waiver, ("spec", "waivers", i))
    if spec.get("budgets") == {}:
        what = "budgets need per_pull_request, holdout_looks_per_dataset or both"
        yield Problem(("spec", "budgets"), "missing-field", what, key=True)
    for i, rule in items(spec, "rules"):
        if rule.get("rule") == "range":
            yield from _range(block(rule, "with"), ("spec", "rules", i, "with"))
        elif rule.get("rule") == "license" and block(rule, "with"):
            yield from _licenses(block(rule, "with"), ("spec", "rules", i, "with"))


def _range(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    low, high = given.get("min"), given.get("max")
    if given and low is None and high is None:
        what = "a range needs min, max or both"
        yield Problem(loc, "missing-field", what, key=True)
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield Problem((*loc, "max"), "wrong-value", f"max {high:g} is below min {low:g}")


def _licenses(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    allow, deny = given.get("allow"), given.get("deny_use")
    if isinstance(allow, list) and isinstance(deny, list):
        for i, name in enumerate(deny):
            if isinstance(name, str) and name in allow:
                what = f'"{name}" is both allowed and denied'
                yield Problem((*loc, "deny_use", i), "one-of", what, "keep one of them")


def _waiver(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """A day that the calendar has, and a reason that says something."""
    day, reason = given.get("expires"), given.get("reason")
    if isinstance(day, str) and not _is_day(day):
        yield Problem((*loc, "expires"), "wrong-value", f"there is no day {quoted(day)}")
    texts = reason.values() if isinstance(reason, dict) else [reason]
    if any(isinstance(text, str) and not text.strip() for text in texts):
        what = "a waiver's reason says nothing"
        yield Problem((*loc, "reason"), "wrong-value", what, "say why the gate is missed")


def _counts(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """No more cases are right than there are."""
    for gate in given:
        one = block(given, gate)
        right, of = one.get("right"), one.get("of")
        if isinstance(right, int) and isinstance(of, int) and right > of:
            yield Problem((*loc, gate, "right"), "wrong-value", f"{right} of {of} are right")


def _is_day(text: str) -> bool:
    """Whether the calendar has this day; a text of another form is told by its type."""
    if re.fullmatch(DAY_PATTERN, text) is None:
        return True
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
