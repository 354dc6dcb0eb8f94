"""Facts -> Verdict: the table of rules, severities, and the fold in which the worst wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

from llmops.jobs.base import Selection
from llmops.jobs.exam import Exam
from llmops.rules import (
    approval,
    attempts,
    bank_classes,
    budget,
    causes,
    detect,
    evidence_fresh,
    evidence_present,
    fail_on,
    gap,
    holdout,
    judge_calibrated,
    license,
    outputs,
    owner,
    pinned_revision,
    policy_looser,
    profile,
    prompt_lint,
    prompt_tests,
    range,
    ratchet,
    regression,
    require,
    residency,
    reuse_audit,
    routes_measured,
    secret,
    slices,
    split_overlap,
    unshown,
    waiver,
)
from llmops.rules.base import Case, Finding, Outcome, Verdict
from llmops.rules.claims import kept_cells, scale_of
from llmops.rules.facts import Config, Facts, Info, Row, Rule, asking

# What a policy's `rules` switch on, by id.
RULES: Mapping[str, Rule] = {
    rule.info.id: rule
    for rule in (
        Rule(evidence_present.INFO, evidence_present.check),
        Rule(judge_calibrated.INFO, judge_calibrated.check),
        Rule(license.INFO, license.check),
        Rule(owner.INFO, owner.check),
        Rule(prompt_lint.INFO, prompt_lint.check),
        Rule(pinned_revision.INFO, pinned_revision.check),
        Rule(range.INFO, range.check),
        Rule(residency.INFO, residency.check),
        Rule(secret.INFO, secret.check),
    )
}
# What is judged together, in one family.
DETECT: tuple[Any, ...] = (regression, gap)
# What is judged whenever it is declared; a policy may set its severity.
GATES: Mapping[str, Any] = {
    module.INFO.id: module
    for module in (
        require, slices, *DETECT, fail_on, bank_classes, evidence_fresh, split_overlap,
        routes_measured, prompt_tests, budget, policy_looser, approval, holdout,
        reuse_audit,
    )
}  # fmt: skip
INFOS: Mapping[str, Info] = {
    **{name: rule.info for name, rule in RULES.items()},
    **{name: gate.INFO for name, gate in GATES.items()},
    waiver.INFO.id: waiver.INFO,
}
# What claims something of rows or findings.
ON_ROWS = tuple(m.INFO.id for m in (require, slices, *DETECT, fail_on, bank_classes))
# What no policy names, so that none makes it a warning.
ALWAYS = (policy_looser.INFO.id, approval.INFO.id, waiver.INFO.id)
_NAMED = 5  # specs that a partial verdict lists


def static_findings(facts: Facts) -> tuple[Finding, ...]:
    """What the policies find without any evidence: `validate` shows these."""
    ruled = (
        found
        for config in facts.policies
        if config.rule in RULES and not RULES[config.rule].info.needs_evidence
        for found in _under(config, facts)
    )
    return (*ruled, *_gates(facts, {prompt_tests.INFO.id: prompt_tests}))


def judge(facts: Facts, *, judged_at: str, tool_version: str) -> Verdict:
    """The verdict. Pure: the same facts give the same verdict."""
    facts = replace(facts, now=judged_at, loosened=policy_looser.loosened(facts))
    ruled = chain.from_iterable(
        _under(config, facts) for config in facts.policies if config.rule in RULES
    )
    found = list(_gates(facts, GATES))
    facts = replace(facts, loosened=ratchet.with_gains(facts, found, _merged))
    found += [*ruled, *_nothing(facts)]
    waived = waiver.applied(facts, found, date.fromisoformat(judged_at[:10]))
    found = list(causes.explained(facts, waived.findings))
    found.sort(key=lambda f: (-f.outcome, f.gate, f.judged_by, f.message))
    worst = max((f.outcome for f in found), default=Outcome.INCONCLUSIVE)
    cases, lost, won = _worst_cases(facts)
    return Verdict(
        outcome=_capped(worst, facts),
        findings=tuple(found),
        base=facts.plan.base,
        head=facts.plan.head,
        policy_tree=facts.plan.policy_tree,
        changes=facts.plan.changes,
        plan=facts.plan,
        loosened=facts.loosened,
        worst_cases=cases,
        worse_count=lost,
        better_count=won,
        outputs=outputs.changed(facts),
        advisory=facts.counting is None,
        counted=attempts.counted(facts),
        looks=holdout.looks(facts),
        waivers=waived.waivers,
        profile=profile.of(facts),
        unshown=unshown.unshown(facts, found),
        notes=_notes(facts),
        judged_at=judged_at,
        tool_version=tool_version,
    )


def _gates(facts: Facts, table: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings of gates, as profile and severities leave them."""
    severe, decides = _severities(facts), profile.of(facts)
    for found in _found(facts, tuple(table.values())):
        held = _withheld(profile.applied(found, decides))
        decided = unshown.undecided(held, facts)
        yield _soften(decided, severe.get(found.rule, "error"), facts)


def _found(facts: Facts, gates: Sequence[Any]) -> Iterator[Finding]:
    """What the gates say: each alone, and those of the family together."""
    for gate in gates:
        if gate not in DETECT:
            yield from gate.findings(facts)
    yield from detect.findings(facts, [gate.members for gate in gates if gate in DETECT])


def _merged(facts: Facts) -> tuple[Finding, ...]:
    """The same of gates on rows alone, as they would be found once head is merged."""
    claims = {name: gate for name, gate in GATES.items() if name in ON_ROWS}
    return tuple(_gates(facts, claims))


def _under(config: Config, facts: Facts) -> Iterator[Finding]:
    for found in RULES[config.rule].check(facts, config):
        outcome = found.outcome if config.severity == "error" else Outcome.WARNED
        yield replace(found, outcome=outcome, judged_by=config.judged_by, controls=config.controls)


def _severities(facts: Facts) -> dict[str, str]:
    """Severity by gate rule: base's policies decide; the strictest of several."""
    judging = "base" if facts.base is not None else "head"
    found: dict[str, str] = {}
    for config in facts.policies:
        if config.rule in GATES and config.judged_by == judging:
            kept = found.get(config.rule, "warning")
            found[config.rule] = "error" if "error" in (kept, config.severity) else config.severity
    return found


def _withheld(found: Finding) -> Finding:
    """What may not be decided is inconclusive, whatever its rows say; what failed stays failed."""
    if found.refused is None or found.value is None or found.outcome is Outcome.FAILED:
        return found
    why, hint = found.refused.why, found.refused.hint
    return replace(found, outcome=Outcome.INCONCLUSIVE, message=why, hint=hint, about_more=None)


def _soften(found: Finding, severity: str, facts: Facts) -> Finding:
    """A warning-level rule warns; `on_inconclusive: warn` lets the undecided through, said so."""
    if found.outcome in (Outcome.PASSED, Outcome.WARNED):
        return found
    if severity != "error" and found.rule not in ALWAYS:
        return unshown.let(found, "its rule is a warning")
    lets = [policy.spec.get("on_inconclusive") for policy in asking(facts.judging())]
    through = bool(lets) and all(word == "warn" for word in lets)
    if found.outcome is Outcome.INCONCLUSIVE and _measured(found) and through:
        said = replace(found, message=f"not shown: {found.message}")
        return unshown.let(said, "on_inconclusive: warn lets it through")
    return found


def _measured(found: Finding) -> bool:
    """Whether a number was had, and only the number does not decide."""
    return found.value is not None and found.refused is None


def _nothing(facts: Facts) -> Iterator[Finding]:
    """Absent evidence never passes: no exam, or a base that cannot be read."""
    if facts.base_problem:
        message = f"base's specs cannot be read, nor its gates applied: {facts.base_problem}"
        yield Finding("base-unreadable", "base", Outcome.INCONCLUSIVE, message, "mend base first")
    if not any(exam.head is not None and exam.part.decides for exam in facts.exams):
        asked = any(exam.head for exam in facts.exams)
        why = "no bound decides" if asked else "no Evaluation, SafetyTest or guardrail test"
        if facts.plan.selected is not None and not facts.plan.selected.askers:
            why = f"{facts.plan.selected.words} selects nothing that does"
        message = f"nothing judges this tree: {why}"
        yield Finding(
            "evidence-present", "evidence", Outcome.INCONCLUSIVE, message, evidence_present.INFO.fix
        )


def _capped(worst: Outcome, facts: Facts) -> Outcome:
    """Without a policy at base, or judged in part only, the best outcome is warned."""
    return max(worst, Outcome.WARNED) if _notes(facts) else worst


def _notes(facts: Facts) -> tuple[str, ...]:
    notes = []
    if facts.base is None and not facts.base_problem:
        notes.append("no base: head's own policies judged it")
    elif not asking(facts.judging()):
        notes.append("no policy at base")
    if facts.plan.selected:
        notes.append(f"partial: {_part(facts.plan.selected)}")
    return tuple(notes)


def _part(selected: Selection) -> str:
    """What was judged, by name as far as that is few, and by what words it was chosen."""
    some = ", ".join(selected.askers[:_NAMED])
    more = len(selected.askers) - _NAMED
    many = f" and {more} more" if more > 0 else ""
    return f"only {some or 'nothing'}{many} was judged ({selected.words})"


def _worst_cases(facts: Facts, most: int = 3) -> tuple[tuple[Case, ...], int, int]:
    """Cases that base's target had right and head's has wrong, in the first compared exam."""
    for exam in facts.exams:
        if exam.head is None or exam.base is None:
            continue
        head = facts.rows(exam.head.job.closure)
        base = facts.rows(exam.base.job.closure)
        check = first_binary(exam)
        if head and base and check is not None:
            lost, won = regression.worst(
                kept_cells(facts, exam.base.job.closure, check),
                kept_cells(facts, exam.head.job.closure, check),
                check,
            )
            cases = (case_of(_row(base, case), _row(head, case)) for case in lost[:most])
            return tuple(cases), len(lost), won
    return (), 0, 0


def first_binary(exam: Exam) -> Mapping[str, Any] | None:
    """The first check of an exam that a case passes or not, None if there is none."""
    checks = (entry.given for entry in exam.part.checks)
    return next((check for check in checks if scale_of(check).kind == "binary"), None)


def _row(rows: Sequence[Row], case: str) -> Row:
    return next(row for row in rows if row["case"] == case)


def case_of(before: Row, after: Row) -> Case:
    """One case before and after, from its two rows."""
    return Case(
        id=str(after["id"]),
        input=str(after["input"]),
        expected=str(after.get("expected")),
        before=str(before["response"]),
        after=str(after["response"]),
    )
