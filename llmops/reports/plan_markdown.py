"""Plan -> Markdown for a pull request: totals, then changes, jobs and gates (doubtful first)."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.jobs.base import NotNeeded, Plan, PlannedGate, Step
from llmops.reports import changes
from llmops.reports import plan_estimates as estimates
from llmops.reports import plan_words as words
from llmops.reports.base import Page
from llmops.reports.blocks import Section, details, fit, grid
from llmops.reports.escape import code_cell, text
from llmops.reports.words import digest_words, plural

_MOST_JOBS, _MOST_GATES = 30, 20


def render(plan: Plan, page: Page) -> str:
    """The plan as a comment of at most 60,000 bytes; its first line is the total."""
    direct, followers, described = changes.sorted_out(plan.changes)
    rest = changes.diff_lines([*followers, *described])
    sections = (
        Section(rows=tuple(f"> * ⚠️ {text(note)}" for note in words.notes(plan))),
        changes.section(direct),
        details("What follows", changes.fenced(rest)),
        *job_list(plan),
        _gates(plan),
    )
    head = f"### llmops plan: {estimates.sentence(plan, words.totals(plan).sentence)}"
    return fit(head, sections, f"<sub>{text(words.header(plan))}</sub>")


def job_list(plan: Plan) -> tuple[Section, ...]:
    """The table of jobs: to run, reused, not needed."""
    told = estimates.columns(plan.steps)
    header = f"job | of | {' | '.join(('where', *told, 'why'))}"
    return (grid(header, _jobs(plan, told), most=_MOST_JOBS),)


def _jobs(plan: Plan, told: Sequence[str]) -> list[str]:
    order = sorted(plan.steps, key=lambda step: step.state == "reuse")
    left = sorted(plan.not_needed, key=lambda item: not words.blocked(item))
    return [*(_step(step, told) for step in order), *(_left(item, told) for item in left)]


def _step(step: Step, told: Sequence[str]) -> str:
    subject = code_cell(words.subject(step), 120)
    if step.state == "run":
        where = " | ".join(
            map(text, (words.where(step.job.resources), *estimates.cells(step, told)))
        )
        return f"| `+` {step.job.type} | {subject} | {where} | {text(step.why)} |"
    evidence = f"{code_cell(digest_words(step.evidence))} " if step.evidence else ""
    where = "reused" + " |" * len(told)
    return f"| `=` {step.job.type} | {subject} | {where} | {evidence}{text(step.why)} |"


def _left(item: NotNeeded, told: Sequence[str]) -> str:
    sign, word = ("x", "blocked") if words.blocked(item) else ("-", "no need")
    subject = code_cell(str(item.subject), 120)
    return f"| `{sign}` {item.type} | {subject} | {word}{' |' * len(told)} | {text(item.why)} |"


def _gates(plan: Plan) -> Section:
    if not plan.gates:
        return Section()
    opening = f"**{plural(len(plan.gates), 'gate')}**: {words.gate_counts(plan.gates)}"
    found = tuple(_gate(sign, gate) for sign, gate in words.sorted_gates(plan.gates))
    return Section((opening, ""), found, more="* … {n} more", most=_MOST_GATES)


def _gate(sign: str, gate: PlannedGate) -> str:
    place = f" — {code_cell(gate.place)}" if gate.place else ""
    shown = f"`{sign}` " if sign.strip() else ""
    return f"* {shown}{text(words.gate_words(gate))}{place}"
