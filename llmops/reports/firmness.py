"""How firmly a verdict stands: both profiles, forecasts, attempts and looks, judges, what is open.

Sections of a report, beside the gates themselves: what a reader must know before believing them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops.jobs.base import PlannedGate
from llmops.reports import plan_words, verdict_words, words
from llmops.reports.content import Absent, Block, Cell, Para, Section, Table
from llmops.reports.forest import name
from llmops.reports.teller import Teller, grid, minus
from llmops.rules.base import Counted, Finding, JudgeQuality, Look, Outcome, Unshown

_MOST = 400  # rows of a table
_STATES = {"x": "no", "!": "hardly", "?": "unknown", " ": "yes"}


def profiles(told: Teller, found: Sequence[Finding]) -> tuple[Block, ...]:
    """How many claims each way of reading a bound passes; which of the two decided."""
    claims = [f for f in found if f.literal and f.assured]
    kinds = ("passed", "inconclusive", "failed")
    rows = []
    for profile in ("assured", "literal"):
        said = [getattr(f, profile) for f in claims]
        decides = told.report.verdict.profile == profile
        reading = told.say(f"reading_{profile}")
        label = told.say("reading_decides", reading=reading) if decides else reading
        rows.append((Cell(label), *(told.count(said.count(kind)) for kind in kinds)))
    if not claims:
        return ()
    head = (told.say("c_reading"), *map(told.say, kinds))
    return (Table(head, tuple(rows), told.say("profiles_table"), "slim", False),)


def forecasts(told: Teller) -> tuple[Block, ...]:
    """What the rows of each gate could decide, as the plan had it."""
    say, planned = told.say, told.report.verdict.plan.gates
    known = [gate for gate in planned if gate.decidable is not None or gate.needed is not None]
    head = (
        say("c_gate"), say("c_n"), say("c_decidable"), say("c_passes_at"), say("c_needed")
    )  # fmt: skip
    shown, left = words.capped(known, _MOST)
    rows = [_forecast(told, gate) for gate in shown]
    table = grid(head, rows, say("planned_table"), told.more(left))
    return tuple(
        Table(b.head, b.rows, b.title, b.shape, False, b.left)
        for b in table
        if isinstance(b, Table)
    )


def _forecast(told: Teller, gate: PlannedGate) -> tuple[Cell, ...]:
    state = told.say(f"decidable_{_STATES[plan_words.gate_sign(gate)]}")
    at = "" if gate.passes_at is None else minus(words.number(gate.passes_at, 3))
    return (
        Cell(gate.id),
        told.count(gate.rows),
        Cell(state),
        Cell(at, "number"),
        told.count(gate.needed),
    )


def attempts(told: Teller) -> Section:
    """Which attempt each claim is at, at which level, and how often held-out rows were seen."""
    say, verdict = told.say, told.report.verdict
    counted = [f for f in verdict.findings if f.attempt is not None]
    blocks: list[Block] = []
    if counted:
        head = (say("c_gate"), say("c_attempt"), say("c_level"), say("c_verdict"))
        shown, left = words.capped(counted, _MOST)
        rows = [_attempt(told, f) for f in shown]
        blocks.append(Para(say("attempts_note"), "note"))
        blocks += grid(head, rows, say("attempts_table"), told.more(left))
    if verdict.advisory:
        blocks.append(Para(say("advisory")))
    if verdict.counted is not None:
        blocks += [Para(line) for line in _counted(told, verdict.counted)]
    if not counted:
        why = "gap_attempts_why" if verdict.advisory else "gap_attempts_none"
        blocks.append(Absent(say("gap_attempts"), say(why)))
    head = (say("c_dataset"), say("c_looks"), say("c_limit"), say("c_rows_digest"))
    blocks += grid(head, [_look(told, one) for one in verdict.looks], say("looks_table"))
    if not verdict.looks:
        blocks.append(Absent(say("gap_looks"), say("gap_looks_why")))
    return Section("attempts", say("s_attempts"), tuple(blocks))


def _counted(told: Teller, one: Counted) -> Iterator[str]:
    """Over what attempts were counted, and who granted one more."""
    last = one.last.removeprefix("sha256:")[:16] or "–"
    given = {"n": words.count(one.entries), "last": last, "change": one.change or "–"}
    yield told.say(f"counted_{one.by}", **given)
    if one.note:
        yield told.rule(one.note)
    if verdict_words.granted(told.report.verdict):
        by = told.say.listed(one.approved_by)
        yield told.say("counted_granted", name=one.approval, by=by)


def _attempt(told: Teller, f: Finding) -> tuple[Cell, ...]:
    of = str(f.attempts) if f.attempts is not None else "–"
    level = f"{f.level:.4g}" if f.level is not None else "–"
    return (
        Cell(name(told, f)),
        Cell(told.say("n_of", n=str(f.attempt), total=of), "number"),
        Cell(level, "number"),
        told.outcome(f.outcome),
    )


def _look(told: Teller, look: Look) -> tuple[Cell, ...]:
    spent = look.limit is not None and look.count > look.limit
    limit = Cell(told.say("no_limit")) if look.limit is None else told.count(look.limit)
    return (
        Cell(look.dataset, "code"),
        Cell(words.count(look.count), "number", mark=Outcome.INCONCLUSIVE if spent else None),
        limit,
        Cell(look.digest.removeprefix("sha256:")[:16], "code"),
    )


def judges(told: Teller) -> Section:
    """How often each judge is right, as far as people have rated the same answers."""
    say = told.say
    judged = [f for f in told.report.verdict.findings if f.judge]
    measured = [(f, f.quality) for f in judged if f.quality is not None]
    blocks: list[Block] = [Para(say("judges_note"), "note")] if measured else []
    head = (
        say("c_gate"), say("c_judge"), say("c_anchors"), say("c_sensitivity"),
        say("c_specificity"), say("c_raw"), say("c_corrected"),
    )  # fmt: skip
    blocks += grid(head, [_judge(told, f, q) for f, q in measured], say("judges_table"))
    second = (
        say("c_gate"), say("c_controls"), say("c_injected"), say("c_consistency"),
        say("c_early"), say("c_late"),
    )  # fmt: skip
    blocks += grid(second, [_checks(told, f, q) for f, q in measured], say("judges_checks"))
    blind = dict.fromkeys((f.judge, f.gate) for f in judged if f.quality is None)
    blocks += [
        Absent(say("gap_judge", judge=judge, gate=gate), say("gap_judge_why"))
        for judge, gate in blind
    ]
    return Section("judges", say("s_judges"), tuple(blocks) or (Para(say("judges_none")),))


def _judge(told: Teller, f: Finding, quality: JudgeQuality) -> tuple[Cell, ...]:
    return (
        Cell(name(told, f)),
        Cell(f.judge),
        told.count(quality.anchors, f.evidence),
        _share(told, quality.sensitivity, quality.sensitivity_interval),
        _share(told, quality.specificity, quality.specificity_interval),
        _share(told, quality.raw, quality.raw_interval),
        _share(told, f.value, f.interval),
    )


def _share(told: Teller, value: float | None, interval: tuple[float, float] | None) -> Cell:
    if value is None:
        return Cell("–", "number")
    return Cell(minus(f"{words.number(value)}\n{words.interval(interval)}".strip()), "number")


def _checks(told: Teller, f: Finding, quality: JudgeQuality) -> tuple[Cell, ...]:
    wrong = [
        (quality.control_errors, quality.controls), (quality.injected_errors, quality.injected)
    ]  # fmt: skip
    shares = (quality.consistency, quality.early, quality.late)
    return (
        Cell(name(told, f)),
        *(_wrong(told, *pair) for pair in wrong),
        *(_share(told, share, None) for share in shares),
    )


def _wrong(told: Teller, errors: int, of: int) -> Cell:
    if not of:
        return Cell("–", "number")
    shown = told.say("n_of", n=words.count(errors), total=words.count(of))
    return Cell(shown, "number")


def everything(told: Teller) -> tuple[tuple[str, str], ...]:
    """What is not shown and why, in the language: of single things, then of the whole verdict."""
    say, verdict = told.say, told.report.verdict
    found = [(one.what, _why(told, one)) for one in verdict.unshown]
    whole = say("unshown_whole")
    found += [(whole, say("unshown_advisory"))] if verdict.advisory else []
    found += [(whole, say("unshown_dirty"))] if verdict.head.dirty else []
    return (*found, *((whole, told.rule(note)) for note in verdict.notes))


def _why(told: Teller, one: Unshown) -> str:
    why = told.rule(one.why)
    return (
        told.say("unshown_gate", why=why) if one.kind == "gate" else told.say(f"unshown_{one.kind}")
    )


def unshown(told: Teller) -> Section:
    """All that the verdict does not show, in one place: never a gap."""
    say, found = told.say, everything(told)
    shown, left = words.capped(found, _MOST)
    rows = [(Cell(what, "code"), Cell(told.cut(why, 300))) for what, why in shown]
    if not rows:
        return Section("unshown", say("s_unshown"), (Para(say("unshown_none")),))
    table = Table((say("c_what"), say("c_why")), tuple(rows), numbered=False, left=told.more(left))
    return Section("unshown", say("s_unshown"), (Para(say("unshown_note"), "note"), table))
