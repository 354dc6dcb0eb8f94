"""Plan -> text for a terminal: the change first, the jobs, the gates, the total last."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.jobs.base import NotNeeded, Plan, Step
from llmops.reports import changes
from llmops.reports import plan_estimates as estimates
from llmops.reports import plan_words as words
from llmops.reports.base import SIGN_TONES, Page
from llmops.reports.escape import visible
from llmops.reports.layout import Cell, Row, table, wrap
from llmops.reports.words import capped

_MOST_RUN, _MOST_REST, _MOST_GATES = 100, 20, 20


def render(plan: Plan, page: Page) -> str:
    """The plan; its last line begins with `Plan:` and can stand alone."""
    limits = [line for note in words.notes(plan) for line in wrap(f"! {visible(note)}", page, 0, 2)]
    blocks = [
        [*wrap(words.header(plan), page), *limits],
        changes.lines(plan.changes, page),
        _jobs(plan, page),
        _gates(plan, page),
        wrap(f"Plan: {estimates.sentence(plan, words.totals(plan).sentence)}", page),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _jobs(plan: Plan, page: Page) -> list[str]:
    run = [step for step in plan.steps if step.state == "run"]
    kept = [step for step in plan.steps if step.state == "reuse"]
    stuck = [item for item in plan.not_needed if words.blocked(item)]
    idle = [item for item in plan.not_needed if not words.blocked(item)]
    shown, left = capped(run, _MOST_RUN)
    digits = len(str(len(shown)))
    told = estimates.columns(run)
    rows = [_run(i, digits, step, told) for i, step in enumerate(shown, start=1)] + _more(left)
    shown, left = capped(kept, _MOST_REST)
    rows += [_reused(digits, step) for step in shown] + _more(left)
    for sign, items in (("x", stuck), ("-", idle)):
        some, left = capped(items, _MOST_REST)
        rows += [_left(sign, digits, item) for item in some] + _more(left)
    heads = [Cell(name, "dim") for name in ("where", *told, "why")]
    title: Row = (Cell("Jobs", "strong"), "", *heads)
    return table([title, *rows], page, 0) if rows else []


def _run(i: int, digits: int, step: Step, told: Sequence[str]) -> Row:
    sign = Cell(f"  {i:>{digits}} + {step.job.type}", SIGN_TONES["+"])
    where = words.where(step.job.resources)
    return (sign, words.subject(step), where, *estimates.cells(step, told), visible(step.why))


def _reused(digits: int, step: Step) -> Row:
    sign = Cell(f"  {'':>{digits}} = {step.job.type}", SIGN_TONES["="])
    return (sign, words.subject(step), "reused", words.reused(step))


def _left(sign: str, digits: int, item: NotNeeded) -> Row:
    named = Cell(f"  {'':>{digits}} {sign} {item.type}", SIGN_TONES[sign])
    word = "blocked" if sign == "x" else "no need"
    return (named, visible(str(item.subject), 100), word, visible(item.why))


def _more(left: int) -> list[Row]:
    return [(Cell(f"  … {left} more"),)] if left else []


def _gates(plan: Plan, page: Page) -> list[str]:
    if not plan.gates:
        return []
    title = f"Gates ({len(plan.gates)})   {words.gate_counts(plan.gates)}"
    shown, left = capped(words.sorted_gates(plan.gates), _MOST_GATES)
    found: list[str] = []
    for sign, gate in shown:
        place = f" ({visible(gate.place, 200)})" if gate.place else ""
        lines = wrap(
            f"{sign} {words.gate_words(gate)}{place}".strip(), page, 2 + 2 * (sign == " "), 4
        )
        found += [page.style.paint(line, SIGN_TONES[sign]) for line in lines]
    found += [f"  … {left} more"] if left else []
    heading = wrap(title, page)
    return [page.style.paint(heading[0], "strong"), *heading[1:], *found]
