"""Which claims an exam makes, each once: base's first, head's only where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from llmops.digest import of_value
from llmops.jobs.attempts import ClaimName, Refusal, Standing
from llmops.jobs.exam import Exam
from llmops.jobs.gates import alpha_of, bound_words
from llmops.jobs.make import Made
from llmops.jobs.metrics import METRICS
from llmops.jobs.parts import Part, dataset_of
from llmops.rules import attempts, holdout, profile
from llmops.rules.base import Finding, Outcome, Terms
from llmops.rules.claims import INVALID_HINT, Claim, Question, scale_of
from llmops.rules.facts import Facts, Loc

T = TypeVar("T", str, int)


@dataclass(frozen=True, slots=True)
class Asked:
    """One declared claim of one exam: `entry` is the check or slice, `check` what it reads.

    `alpha` is the error rate of the claim over all its attempts, `level` that of this one.
    """

    exam: Exam
    head: Made
    entry: Mapping[str, Any]
    check: Mapping[str, Any]
    loc: Loc
    kind: str  # checks | slices
    alpha: float
    standing: Standing | None = None  # None where nothing is counted

    @property
    def level(self) -> float:
        """The error rate at which this attempt is tested: all of alpha where nothing is counted."""
        return self.standing.level if self.standing is not None else self.alpha

    @property
    def gate(self) -> str:
        """The gate's id."""
        return f"{self.exam.asker.ref}/{self.entry['name']}"

    def question(self, bound: Mapping[str, float]) -> Question:
        """The claim `bound` on this check, ready to be decided."""
        dataset = dataset_of(self.exam.asker, self.exam.part)
        return Question(
            gate=self.gate,
            metric=self.check["metric"],
            scale=scale_of(self.check),
            bound=bound,
            alpha=self.level,
            more_alpha=self.standing.next_level if self.standing is not None else None,
            dataset=dataset.target.name,
            split=dataset.part or "all",
            errors_allowed=float(_errors(self.exam).get("max", 0.0)),
            statistic=str(self.check.get("statistic", "")),
        )


def _errors(exam: Exam) -> Mapping[str, Any]:
    found: Mapping[str, Any] = exam.asker.spec.get("on_case_error", {})
    return found


def asked(facts: Facts, kind: str, claim: str = "require") -> Iterator[Asked]:
    """Every `claim` of the entries of `checks` or `slices` of some exam, without equal twins."""
    seen: set[str] = set()
    for exam in facts.exams:
        if exam.head is None or not exam.part.gating:
            continue
        for entry in exam.part.entries(kind):
            given = entry.given
            check = given if kind == "checks" else exam.part.check(given["check"])
            alpha = alpha_of(exam.part, facts.judging())
            one = Asked(exam, exam.head, given, check, entry.loc, kind, alpha)
            if claim in given and (key := _meaning(one, claim)) not in seen:
                seen.add(key)
                yield replace(one, standing=_standing(facts, one, claim))


def _standing(facts: Facts, one: Asked, claim: str) -> Standing | None:
    """Which attempt of its claim it is; a gate's id is that of the plan's gate."""
    gate = one.gate if claim == "require" else f"{one.gate}/{claim}"
    name = ClaimName(str(one.exam.target), gate)
    return attempts.standing(facts, name, one.head.job.closure, one.alpha)


def suites(facts: Facts, claim: Callable[[Part], T | None]) -> Iterator[tuple[Exam, Made, T]]:
    """Each gating suite with what it claims as a whole (None: nothing), without equal twins."""
    seen: set[tuple[str, T, str]] = set()
    for exam in facts.exams:
        said = claim(exam.part)
        if exam.head is None or said is None or not exam.part.gating:
            continue
        key = (exam.name, said, exam.head.job.closure)
        if key not in seen:
            seen.add(key)
            yield exam, exam.head, said


def of_suite(facts: Facts, exam: Exam, rule: str, outcome: Outcome, message: str) -> Finding:
    """A finding about a suite as a whole, at its place."""
    assert exam.head is not None
    proof = facts.proven.get(exam.head.job.closure)
    return Finding(
        rule=rule,
        gate=exam.name,
        outcome=outcome,
        message=f"{exam.part.name}: {message}",
        place=facts.place(exam.judged_by, exam.asker.ref, exam.part.loc),
        judged_by=exam.judged_by,
        evidence=proof.evidence if proof else "",
    )


def _meaning(one: Asked, claim: str) -> str:
    """Digest of all that decides one claim: what is claimed of which rows, and how it is tested."""
    other = {"require", "regression", "gap"} - {claim}
    entry = {k: v for k, v in one.entry.items() if k not in other}
    check = {k: v for k, v in one.check.items() if k not in ("require", "regression")}
    rows, judge = one.head.job.closure, one.exam.asker.spec.get("judge", {}).get("calibration")
    return of_value(
        [str(one.exam.asker.ref), entry, check, one.alpha, _errors(one.exam), judge, rows]
    )


def absent(facts: Facts, made: Made) -> tuple[Outcome, str, str] | None:
    """Why a made job's rows cannot be judged: outcome, words, hint; None when they are there."""
    for step in made.all():
        proof = facts.proven.get(step.job.closure)
        if proof is not None and proof.status != "ok":
            return Outcome.FAILED, f"{step.job.id} failed: {proof.reason}", ""
    rows = facts.rows(made.job.closure)
    if rows is None:
        short = made.job.closure[:15]
        return Outcome.INCONCLUSIVE, f"no evidence for {made.job.id} ({short})", "llmops run"
    planned = _planned(facts, made)
    if planned is not None and len(rows) != planned:
        why = f"{made.job.id} judged {len(rows)} cases, {planned} were planned"
        return Outcome.INCONCLUSIVE, why, "cases that were left out may be the bad ones"
    return None


def _planned(facts: Facts, made: Made) -> int | None:
    """The cases that must have been judged, once curation has counted them."""
    for step in (made, *made.before):
        cases = next((i.job for i in step.job.inputs if i.name == "cases"), None)
        proof = facts.proven.get(cases) if cases else None
        asked_of = step.job.spec if "split" in step.job.spec else step.job.spec.get("asked", {})
        held = proof.measured.get(f"rows_{asked_of.get('split')}") if proof else None
        if held is not None:
            return min(int(held), asked_of.get("rows") or int(held))
    return None


def finding(facts: Facts, one: Asked, rule: str, outcome: Outcome, message: str) -> Finding:
    """A finding at the place of a claim, with what is known before any number."""
    proof = facts.proven.get(one.head.job.closure)
    return Finding(
        rule=rule,
        gate=one.gate,
        outcome=outcome,
        message=message,
        place=facts.place(one.exam.judged_by, one.exam.asker.ref, one.loc),
        judged_by=one.exam.judged_by,
        metric=str(one.check["metric"]),
        evidence=proof.evidence if proof else "",
        judge=_judge(one),
        level=one.level,
        attempt=one.standing.attempt if one.standing is not None else None,
        attempts=one.standing.attempts if one.standing is not None else None,
        refused=_refused(facts, one),
    )


def _refused(facts: Facts, one: Asked) -> Refusal | None:
    """Why the claim may not be decided: an attempt that does not count, or rows seen too often."""
    if one.standing is not None and one.standing.refused is not None:
        return one.standing.refused
    return holdout.refusal(facts, one.head.job.closure)


def _judge(one: Asked) -> str:
    """Who judged, and of how many judgements of a case the mean counts; "" for other metrics."""
    spec, known = one.head.job.spec, METRICS.get(str(one.check["metric"]))
    if known is None or not known.judged or "judge" not in spec:
        return ""
    repeats = spec["judge"]["repeats"]
    return f"{spec['judge_name']}{f', mean of {repeats}' if repeats > 1 else ''}"


def claimed(
    facts: Facts, one: Asked, rule: str, claim: Claim, bound: Mapping[str, float], label: str
) -> Finding:
    """A decided claim as a finding, with its numbers and the base's value beside it."""
    message = label_words(f"{label} {one.check.get('statistic', '')}".strip(), claim, bound)
    found = finding(facts, one, rule, claim.outcome, message)
    return replace(
        found,
        hint=_hint(claim),
        value=claim.value,
        bound=bound_words(bound),
        interval=claim.interval,
        n=claim.n,
        about_more=claim.about_more,
        quality=claim.quality,
        not_shown=claim.not_shown,
        assured=claim.outcome.word if claim.value is not None else "",
        literal=claim.literal or profile.said(claim.value, bound),
        tested=_tested(one, bound),
    )


def _tested(one: Asked, bound: Mapping[str, float]) -> Terms:
    """How it is tested, for whoever does it again; the scale is that of the cells as kept."""
    question, scale = one.question(bound), METRICS[one.check["metric"]]
    return Terms(
        check=str(one.check["name"]),
        metric=question.metric,
        kind=question.scale.kind,
        lower=scale.lower,
        upper=scale.upper,
        at_least=bound.get("min"),
        at_most=bound.get("max"),
        gate=question.gate,
        dataset=question.dataset,
        split=question.split,
        errors_allowed=question.errors_allowed,
        pass_at=one.check.get("pass_at"),
        statistic=question.statistic,
    )


def label_words(label: str, claim: Claim, bound: Mapping[str, float]) -> str:
    """`accuracy 0.81 is below the minimum 0.84 (n = 600, 95 % interval 0.78 to 0.84)`."""
    if claim.value is None:
        return f"{label} {bound_words(bound)}: {claim.why}"
    numbers = f"n = {claim.n}"
    if claim.interval is not None:
        low, high = claim.interval
        numbers += f", 95 % interval {_number(low)} to {_number(high)}"
    verb = "is " if claim.outcome is not Outcome.PASSED else ""
    said = claim.why if claim.outcome is not Outcome.PASSED else f"meets {bound_words(bound)}"
    return f"{label} {_number(claim.value)} {verb}{said} ({numbers}){_corrected(claim)}"


def _corrected(claim: Claim) -> str:
    """What the judge alone said, where people's ratings corrected it."""
    if claim.quality is None or claim.quality.raw is None:
        return ""
    anchors = claim.quality.anchors
    return f"; the judge alone said {claim.quality.raw:.3f}, corrected by {anchors} anchors"


def _number(value: float) -> str:
    """Three places where a value may be a share, one where it surely is none."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _hint(claim: Claim) -> str:
    if claim.hint:
        return claim.hint
    if claim.outcome is Outcome.INCONCLUSIVE and claim.value is not None:
        if claim.about_more is None:
            return "no number of cases will show this at the observed rate"
        return f"about {claim.about_more} more cases would decide"
    if "cells invalid" in claim.why:
        return INVALID_HINT
    return ""
