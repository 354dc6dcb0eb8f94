"""Verdict -> text for a terminal: what did not pass, the table of gates, the verdict last."""

from __future__ import annotations

from llmops.reports import verdict_words as words
from llmops.reports.base import SIGN_TONES, Page, Tone
from llmops.reports.escape import visible
from llmops.reports.layout import Cell, Row, table, titled, wrap
from llmops.reports.words import OUTCOME_SIGNS, capped
from llmops.rules.base import Case, Finding, Loosened, Outcome, Verdict

_MOST_BLOCKS, _MOST_GATES, _MOST_REST = 30, 40, 20
_SEVERITIES = {
    Outcome.PASSED: "info",
    Outcome.WARNED: "warning",
    Outcome.INCONCLUSIVE: "error",
    Outcome.FAILED: "error",
}


def render(verdict: Verdict, page: Page) -> str:
    """The verdict; its last line begins with `Verdict:` and can stand alone."""
    limits = words.limits(verdict)
    notes = [line for note in limits for line in wrap(f"! {visible(note)}", page, 0, 2)]
    last = f"Verdict: {words.headline(verdict)}"
    seal = [page.style.paint(line, "dim") for line in wrap(words.seal(verdict), page)]
    blocks = [
        notes,
        _blocks(verdict, page),
        _loosened(verdict, page),
        _unshown(verdict, page),
        _gates(verdict, page),
        _waivers(verdict, page),
        _worst(verdict, page),
        _outputs(verdict, page),
        _slices(verdict, page),
        [line for step in _steps(verdict) for line in wrap(step, page, 2, 2)],
        [*seal, page.style.paint(last, _tone(verdict.outcome))],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _steps(verdict: Verdict) -> tuple[str, ...]:
    """Whose approval is none, and what a person can do now."""
    left_out = (visible(line, 400) for line in words.no_approvals(verdict))
    return (*left_out, *words.next_steps(verdict))


def _tone(outcome: Outcome) -> Tone:
    return "good" if outcome is Outcome.PASSED else SIGN_TONES[OUTCOME_SIGNS[outcome]]


def _blocks(verdict: Verdict, page: Page) -> list[str]:
    shown, left = capped(words.with_one_cause(verdict.findings), _MOST_BLOCKS)
    lines = [line for group in shown for line in _block(group, page)]
    return lines + ([f"… {left} more"] if left else [])


def _block(group: tuple[Finding, ...], page: Page) -> list[str]:
    """One finding; where several gates have one cause, the first with the names of the others."""
    finding = group[0]
    place = visible(finding.place or finding.gate, 200)
    severity = page.style.paint(_SEVERITIES[finding.outcome], _tone(finding.outcome))
    unsure = finding.outcome is Outcome.INCONCLUSIVE and "inconclusive" not in finding.message
    word = " (inconclusive)" if unsure else ""
    rule = visible(finding.rule, 60)
    lines = [f"{place}: {severity}[{rule}]: {visible(finding.message)}{word}"]
    lines.append(f"  {words.rests_on(finding)}")
    others = dict.fromkeys(words.short_gate(one.gate) for one in group[1:])
    if others:
        lines.append(f"  the same for {visible(', '.join(others), 400)}")
    return lines + ([f"  hint: {visible(finding.hint)}"] if finding.hint else [])


def _gates(verdict: Verdict, page: Page) -> list[str]:
    ordered = words.by_weight(verdict.findings)
    shown, left = capped(ordered, _MOST_GATES)
    both, common = words.twice(ordered), words.common_subject(ordered)
    title = f"Gates ({len({f.gate for f in ordered})}){f' of {visible(common)}' if common else ''}"
    names = ("", "gate", "verdict", "this tree", "base", "difference (paired)")
    head = tuple(Cell(name, "dim") for name in names)
    rows: list[Row] = [_gate(finding, finding.gate in both, common) for finding in shown]
    rows += [("", f"… {left} more")] if left else []
    heading = wrap(title, page)
    bold = [page.style.paint(line, "strong") for line in heading]
    told = [*words.judges(ordered), *words.attempts(ordered)]
    judged = [line for said in told for line in wrap(visible(said), page, 2, 4)]
    notes = [page.style.paint(line, "dim") for line in judged]
    return [*bold, *table([head, *rows], page, 2, giving=(1,)), *notes] if rows else []


def _gate(finding: Finding, both: bool, common: str) -> Row:
    whose = f" ({finding.judged_by}'s)" if both else ""
    bound = f" {visible(finding.bound, 40)}" if finding.bound else ""
    short = finding.gate.removeprefix(f"{common}/") if common else words.short_gate(finding.gate)
    tone = _tone(finding.outcome)
    return (
        Cell(OUTCOME_SIGNS[finding.outcome], tone),
        Cell(f"{visible(short, 120)}{bound}{whose}", "", "end"),
        Cell(words.verdict_word(finding), tone),
        words.measured(finding),
        words.before(finding),
        words.difference(finding),
    )


def _loosened(verdict: Verdict, page: Page) -> list[str]:
    if not verdict.loosened:
        return []
    shown, left = capped(verdict.loosened, _MOST_REST)
    title = f"Looser than base ({len(verdict.loosened)}): {words.approval(verdict)}"
    heading = [page.style.paint(line, "strong") for line in wrap(visible(title), page)]
    lines = [line for one in shown for line in _loose_lines(one, page)]
    lines += [f"  … {left} more"] if left else []
    return [*heading, *(page.style.paint(line, SIGN_TONES["!"]) for line in lines)]


def _loose_lines(one: Loosened, page: Page) -> list[str]:
    gained = words.gained(one)
    said = f"would newly pass: {visible(gained, 800)}"
    return [*wrap(_loose(one), page, 2, 6), *(wrap(said, page, 6, 8) if gained else [])]


def _loose(one: Loosened) -> str:
    moved = f"{visible(one.before, 100)} -> {visible(one.after, 100)}"
    place = f" ({visible(one.place, 200)})" if one.place else ""
    return f"! {visible(one.what, 120)}: {moved}{place}"


def _unshown(verdict: Verdict, page: Page) -> list[str]:
    """What is let through without proof, and what nothing measures."""
    shown, left = capped(words.unshown(verdict), _MOST_REST)
    lines = [line for said in shown for line in wrap(f"! {visible(said, 300)}", page, 2, 4)]
    lines += [f"  … {left} more"] if left else []
    return titled(f"Not shown ({len(words.unshown(verdict))})", lines, page)


def _waivers(verdict: Verdict, page: Page) -> list[str]:
    """Every waiver of base, in use or not: what is waived is never hidden."""
    if not verdict.waivers:
        return []
    heading = page.style.paint(f"Waivers ({len(verdict.waivers)})", "strong")
    lines = []
    for one in verdict.waivers:
        said = f"{visible(one.name, 120)} on {visible(one.gate, 160)}: {words.waiver(one)}"
        lines += wrap(said, page, 2, 4)
    return [heading, *lines]


def _worst(verdict: Verdict, page: Page) -> list[str]:
    if not verdict.worst_cases and not verdict.worse_count:
        return []
    shown, left = capped(verdict.worst_cases, 10)
    lines = [line for case in shown for line in _case(case, page)]
    lines += [f"  … {left} more"] if left else []
    return [page.style.paint(f"Worst cases ({words.worse(verdict)})", "strong"), *lines]


def _outputs(verdict: Verdict, page: Page) -> list[str]:
    """Answers that a changed Prompt changed, whether better or worse."""
    if verdict.outputs is None or not verdict.outputs.cases:
        return []
    shown, left = capped(verdict.outputs.cases, 10)
    lines = [line for case in shown for line in _case(case, page)]
    lines += [f"  … {left} more"] if left else []
    title = f"Answers before and after ({visible(words.outputs(verdict), 300)})"
    return [page.style.paint(title, "strong"), *lines]


def _case(case: Case, page: Page) -> list[str]:
    rows: list[Row] = [
        ("asked", shown(case.input)),
        ("expected", shown(case.expected)),
        ("before", shown(case.before)),
        (Cell("after", "warn"), shown(case.after)),
    ]
    return [f"  {visible(case.id, 80)}", *table(rows, page, 4)]


def shown(said: str | None) -> str:
    """What was said, on one line; an absent or empty answer has a word."""
    if said is None:
        return "(none)"
    return visible(said.strip(), 300) or "(empty)"


def _slices(verdict: Verdict, page: Page) -> list[str]:
    slices, left = capped(verdict.slices, _MOST_REST)
    rows: list[Row] = [
        tuple(visible(f"{key} {value}", 60) for key, value in one.items()) for one in slices
    ]
    rows += [(f"… {left} more",)] if left else []
    return titled(f"Slices ({len(verdict.slices)})", table(rows, page), page)
