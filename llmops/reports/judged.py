"""What was changed, run and judged, as sections of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops.jobs.base import Change, NotNeeded, Step
from llmops.reports import changes as change_words
from llmops.reports import firmness, forest, front, plan_words, verdict_words, words
from llmops.reports.content import Absent, Block, Cell, Para, Section, Table
from llmops.reports.teller import Teller, absent, grid, minus
from llmops.rules.base import Finding, Loosened, Outcome, Waived

_MOST = 400  # rows of a table of gates
_MOST_CHANGES, _MOST_FIELDS = 200, 30


def changes(told: Teller) -> Section:
    """Every field that changed, then what only follows, then what is for people only."""
    say = told.say
    direct, followers, described = change_words.sorted_out(told.report.verdict.changes)
    rows = [row for one in direct[:_MOST_CHANGES] for row in _changed(told, one)]
    rows += [_follows(told, one) for one in followers[:_MOST_CHANGES]]
    rows += [row for one in described[:_MOST_CHANGES] for row in _described(told, one)]
    left = sum(max(0, len(x) - _MOST_CHANGES) for x in (direct, followers, described))
    head = (say("c_spec"), say("c_field"), say("c_before"), say("c_after"), say("c_needs"))
    blocks = grid(head, rows, left=told.more(left)) or (Para(say("changes_none")),)
    return Section("changes", say("s_changes"), _unnumbered(blocks))


def _unnumbered(blocks: Sequence[Block]) -> tuple[Block, ...]:
    return tuple(
        Table(b.head, b.rows, b.title, b.shape, False, b.left) if isinstance(b, Table) else b
        for b in blocks
    )


def _changed(told: Teller, change: Change) -> Iterator[tuple[Cell, ...]]:
    ref, needs = Cell(str(change.ref), "code"), Cell(told.say(f"need_{change.category}"))
    if change.action in ("added", "removed") or not change.fields:
        yield (ref, Cell(told.say(f"changes_{change.action}")), Cell(""), Cell(""), needs)
    for field in change.fields[:_MOST_FIELDS] if change.action == "changed" else ():
        role = field.role if f"need_{field.role}" in _ROLES else change.category
        yield (
            ref,
            Cell(field.path, "code"),
            Cell(_value(told, field.before), "case"),
            Cell(_value(told, field.after), "case"),
            Cell(told.say(f"need_{role}")),
        )
    left = len(change.fields) - _MOST_FIELDS
    if change.action == "changed" and left > 0:
        yield (ref, Cell(told.more(left)), Cell(""), Cell(""), needs)


_ROLES = {"need_gate", "need_static", "need_placement", "need_descriptive"}


def _value(told: Teller, value: object) -> str:
    if value is None:
        return told.say("unset")
    return told.cut(words.value_words(value, 2_000), 300)


def _follows(told: Teller, change: Change) -> tuple[Cell, ...]:
    said = told.say("changes_follow", what=told.say.listed(change.through))
    needs = Cell(told.say(f"need_{change.category}"))
    return (Cell(str(change.ref), "code"), Cell(said), Cell(""), Cell(""), needs)


def _described(told: Teller, change: Change) -> Iterator[tuple[Cell, ...]]:
    for field in change.fields[:_MOST_FIELDS]:
        yield (
            Cell(str(change.ref), "code"),
            Cell(field.path, "code"),
            Cell(_value(told, field.before), "case"),
            Cell(_value(told, field.after), "case"),
            Cell(told.say("changes_describe")),
        )


def jobs(told: Teller) -> Section:
    """Every job that a gate needs, what became of it and why; then those that nobody needs."""
    say, plan = told.say, told.report.verdict.plan
    head = (say("c_job"), say("c_state"), say("c_why"), say("c_evidence"))
    rows = [_job(told, step) for step in plan.steps]
    rows += [_idle(told, item) for item in plan.not_needed]
    shown, left = words.capped(rows, _MOST)
    table = grid(head, shown, left=told.more(left))
    gaps = tuple(
        absent(told, say("gap_job", job=told.job(step.job.closure)), say("job_open"))
        for step in plan.steps
        if told.kept(step.job.closure) is None
    )
    note = Para(say("jobs_note" if plan.steps else "jobs_none"), "note")
    return Section("jobs", say("s_jobs"), (note, *_unnumbered(table), *gaps))


def _job(told: Teller, step: Step) -> tuple[Cell, ...]:
    kept = told.kept(step.job.closure)
    if kept is None:
        state = told.say("job_open")
    elif kept.status == "ok":
        state = told.say("job_ran")
    else:
        state = told.say("job_failed", why=told.cut(told.rule(kept.reason), 200))
    evidence = Cell("", refs=(kept.digest,)) if kept else Cell("–")
    name = Cell(told.job(step.job.closure), "code")
    return (name, Cell(state), Cell(told.cut(told.rule(step.why), 300)), evidence)


def _idle(told: Teller, item: NotNeeded) -> tuple[Cell, ...]:
    stuck = plan_words.blocked(item)
    state = told.say("job_blocked" if stuck else "job_idle")
    why = item.why.removeprefix("cannot run: ") if stuck else item.why
    name = Cell(f"{item.type}/{item.subject.name}", "code")
    return (name, Cell(state), Cell(told.cut(told.rule(why), 300)), Cell("–"))


def gates(told: Teller) -> Section:
    """Values with intervals against their bounds, drawn and listed; then rules without numbers."""
    say = told.say
    found = verdict_words.by_weight(told.report.verdict.findings)
    measured = [f for f in found if f.value is not None and f.rule != "regression"]
    others = [f for f in found if f.value is None]
    blocks: list[Block] = [Para(say("gates_note"), "note")] if measured else []
    blocks += forest.figures(told)
    blocks += firmness.profiles(told, found)
    blocks += _gate_table(told, measured)
    blocks += _rule_table(told, [f for f in others if f.rule != "regression"])
    blocks += [
        absent(told, say("gap_gate", gate=forest.name(told, f)), f.message)
        for f in others
        if f.outcome is Outcome.INCONCLUSIVE and f.rule != "policy-looser"
    ]
    blocks += firmness.forecasts(told)
    if not found:
        blocks.append(Absent(say("s_gates"), say("gates_none")))
    return Section("gates", say("s_gates"), tuple(blocks))


def bound_words(told: Teller, bound: str) -> str:
    """A bound in the language: `at least 0.8`."""
    parts = [
        told.say(f"bound_{side}", x=minus(f"{value:g}"))
        for side, value in forest.bounds(bound)
        if side in ("min", "max", "margin")
    ]
    if not parts and (severity := bound.removeprefix("none of severity ")) != bound:
        return told.say("bound_none", severity=told.say(f"severity_{severity}"))
    return told.say.listed(parts) if parts else bound


def _gate_table(told: Teller, found: Sequence[Finding]) -> tuple[Block, ...]:
    say = told.say
    head = (
        say("c_gate"), say("c_value"), say("c_interval"), say("c_n"), say("c_bound"),
        say("c_base"), say("by_number"), say("c_verdict"),
    )  # fmt: skip
    listed, left = words.capped(found, _MOST)
    rows = [_gate_row(told, f) for f in listed]
    return grid(head, rows, say("gates_numbers"), told.more(left))


def _gate_row(told: Teller, f: Finding) -> tuple[Cell, ...]:
    return (
        Cell(_with_controls(told, f)),
        _judged(told, f),
        told.interval(f.interval, beside=f.bound),
        told.count(f.n),
        _bound(told, f),
        told.number(f.base_value),
        Cell(told.say(f.literal) if f.literal else "–"),
        _verdict(told, f),
    )


def _judged(told: Teller, f: Finding) -> Cell:
    """The number that was judged; what is counted is a whole one."""
    if f.value is not None and f.metric in verdict_words.COUNTED:
        return told.count(round(f.value), f.evidence)
    return told.number(f.value, f.evidence, beside=f.bound)


def _bound(told: Teller, f: Finding) -> Cell:
    said = bound_words(told, f.bound)
    return Cell(said, "short" if len(said) < 24 else "")


def _verdict(told: Teller, f: Finding) -> Cell:
    """The outcome, whether it is waived or not shown, and what more would decide it."""
    parts = [_word(told, f)]
    parts += [told.say("not_shown")] if f.not_shown else []
    parts += [told.say("about_more", n=words.count(f.about_more))] if f.about_more else []
    return Cell(("，" if told.lang == "zh" else "; ").join(parts), mark=f.outcome)


def _word(told: Teller, f: Finding) -> str:
    """An outcome's word, with what it is without the waiver that lets it through."""
    word = told.say(f.outcome.word)
    if not f.waived_by:
        return word
    unwaived = f.unwaived if f.unwaived in ("inconclusive", "failed") else "failed"
    return told.say("waived_word", word=word, unwaived=told.say(unwaived))


def _with_controls(told: Teller, f: Finding) -> str:
    """The gate, who judged it where a model did, and what it is evidence for."""
    parts = [forest.name(told, f)]
    parts += [told.say("judged_by", who=f.judge)] if f.judge else []
    parts += [told.say("control", names=told.say.listed(f.controls))] if f.controls else []
    return " · ".join(parts)


def _rule_table(told: Teller, found: Sequence[Finding]) -> tuple[Block, ...]:
    say = told.say
    head = (say("c_gate"), say("c_verdict"), say("c_because"), say("c_place"))
    shown, left = words.capped(found, _MOST)
    rows = [
        (
            Cell(_with_controls(told, f)),
            Cell(_word(told, f), mark=f.outcome),
            Cell(told.cut(told.rule(f.message), 400), refs=(f.evidence,) if f.evidence else ()),
            Cell(f.place, "code"),
        )
        for f in shown
    ]
    return _unnumbered(grid(head, rows, say("gates_rules"), told.more(left), "rules"))


def differences(told: Teller) -> Section:
    """Head minus base, case by case, with intervals against the margin."""
    say = told.say
    found = [f for f in told.report.verdict.findings if f.rule == "regression"]
    found = verdict_words.by_weight(found)
    compared = [f for f in found if f.difference is not None]
    blocks: list[Block] = []
    if compared:
        blocks.append(Para(say("differences_note"), "note"))
        blocks += _difference_table(told, compared)
    blocks += [
        absent(told, say("gap_gate", gate=forest.name(told, f)), f.message)
        for f in found
        if f.difference is None
    ]
    if not found:
        blocks.append(Absent(say("s_differences"), say("no_differences")))
    return Section("differences", say("s_differences"), tuple(blocks))


def _difference_table(told: Teller, found: Sequence[Finding]) -> tuple[Block, ...]:
    say = told.say
    head = (
        say("c_gate"), say("c_base"), say("c_head"), say("c_difference"), say("c_interval"),
        say("c_n"), say("c_bound"), say("c_verdict"),
    )  # fmt: skip
    shown, left = words.capped(found, _MOST)
    rows = [
        (
            Cell(_with_controls(told, f).replace("/regression", "", 1)),
            told.number(f.base_value, f.evidence),
            told.number(f.value, f.evidence),
            Cell(
                minus(words.signed(f.difference or 0.0)),
                "number",
                tuple(filter(None, (f.evidence,))),
            ),
            told.interval(f.difference_interval),
            told.count(f.n),
            _bound(told, f),
            _verdict(told, f),
        )
        for f in shown
    ]
    return grid(head, rows, left=told.more(left))


def looser(told: Teller) -> Section:
    """What head holds weaker than base, who approved it, and the waivers in use."""
    say, verdict = told.say, told.report.verdict
    head = (
        say("c_what"), say("c_before"), say("c_after"), say("c_newly"), say("c_approval"),
        say("c_place"),
    )  # fmt: skip
    shown, left = words.capped(verdict.loosened, _MOST)
    rows = [_loosened(told, one) for one in shown]
    blocks: list[Block] = []
    if rows:
        blocks.append(Para(say("looser_note"), "note"))
        blocks += _unnumbered(grid(head, rows, say("looser_table"), told.more(left)))
        blocks += [Para(text) for text in front.approvals(told)]
    elif verdict.base is None:
        blocks.append(Absent(say("looser_what"), say("looser_nobase")))
    else:
        blocks.append(Para(say("looser_none")))
    blocks += _waivers(told)
    return Section("looser", say("s_looser"), tuple(blocks))


def _loosened(told: Teller, one: Loosened) -> tuple[Cell, ...]:
    given = told.say.listed(one.approved_by)
    approval = f"{one.approval}: {given}" if given else one.approval
    return (
        Cell(one.what, "code"),
        Cell(told.cut(told.rule(one.before), 300), "case"),
        Cell(told.cut(told.rule(one.after), 300), "case"),
        Cell(_newly(told, one)),
        Cell(approval or "–"),
        Cell(one.place, "code"),
    )


def _newly(told: Teller, one: Loosened) -> str:
    """Gates and cases that only head's version lets by."""
    listed, left = words.capped([told.rule(said) for said in one.newly_passes], 12)
    return told.say.listed([*listed, *([told.more(left)] if left else [])]) or "–"


def _waivers(told: Teller) -> tuple[Block, ...]:
    """Every waiver of base, in use or not, with who answers for it and the days that are left."""
    say, verdict = told.say, told.report.verdict
    head = (
        say("c_waiver"), say("c_gate"), say("c_state"), say("c_expires"), say("c_days"),
        say("c_owner"), say("c_ticket"), say("c_because"),
    )  # fmt: skip
    shown, left = words.capped(verdict.waivers, _MOST)
    rows = [_waiver(told, one) for one in shown]
    table = grid(head, rows, say("waivers_table"), told.more(left))
    return _unnumbered(table) or (Para(say("waivers_none")),)


def _waiver(told: Teller, one: Waived) -> tuple[Cell, ...]:
    state = Cell(told.rule(one.state), mark=Outcome.WARNED if one.state == "in use" else None)
    return (
        Cell(one.name, "code"),
        Cell(one.gate, "code"),
        state,
        Cell(one.expires),
        Cell(str(one.days_left), "number"),
        Cell(one.owner),
        Cell(one.ticket),
        Cell(told.cut(verdict_words.reason(one, told.lang), 300)),
    )
