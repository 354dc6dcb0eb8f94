"""What a report stands on: resources, gaps, method, tools, every number, every digest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from llmops.reports import words
from llmops.reports.content import Absent, Block, Cell, Para, Section, Table
from llmops.reports.method import METHOD
from llmops.reports.report import Kept
from llmops.reports.teller import Teller, grid, plain

_MOST_NUMBERS = 1_000


def estimates(told: Teller) -> Section:
    """Memory and time of each job, beside what was estimated before it ran."""
    say = told.say
    used = [kept for kept in told.report.kept if kept.resources]
    head = (
        say("c_job"), say("c_memory_estimated"), say("c_memory"), say("c_ratio"), say("c_seconds"),
        say("c_processes"),
    )  # fmt: skip
    table = grid(head, [_used(told, kept) for kept in used])
    blocks: list[Block] = [Para(say("estimates_note"), "note"), *table] if table else []
    blocks += [_no_estimate(told, kept) for kept in used if _trains_blind(told, kept)]
    if not table:
        blocks.append(Absent(say("s_estimates"), say("no_resources")))
    blocks += _budgets(told) or (Absent(say("gap_cost"), say("gap_cost_why")),)
    blocks.append(Absent(say("gap_energy"), say("gap_energy_why")))
    return Section("estimates", say("s_estimates"), tuple(blocks))


def _budgets(told: Teller) -> tuple[Block, ...]:
    say = told.say
    head = (say("c_budget"), say("c_unit"), say("c_limit"), say("c_used"))
    rows = [
        (
            Cell(budget.name, "code"),
            Cell(say(f"unit_{budget.unit}")),
            told.number(budget.limit),
            told.number(budget.used),
        )
        for budget in told.report.verdict.plan.budgets
    ]
    return grid(head, rows, say("budgets_table"))


def _trains_blind(told: Teller, kept: Kept) -> bool:
    step = told.steps.get(kept.closure)
    estimated = _figure(kept, "estimated_memory_mb")
    return step is not None and step.job.type == "train" and estimated is None


def _no_estimate(told: Teller, kept: Kept) -> Absent:
    what = told.say("gap_memory", job=told.job(kept.closure))
    return Absent(what, told.say("gap_memory_why"))


def _used(told: Teller, kept: Kept) -> tuple[Cell, ...]:
    say, ref = told.say, kept.digest
    estimated, peak = _figure(kept, "estimated_memory_mb"), _figure(kept, "peak_memory_mb")
    seconds, processes = _figure(kept, "wall_seconds"), _figure(kept, "processes")
    ratio = peak / estimated if peak is not None and estimated else None
    return (
        Cell(told.job(kept.closure), "code"),
        _unit(told, "megabytes", estimated) if estimated is not None else Cell(say("no_estimate")),
        _unit(told, "megabytes", peak, ref),
        told.number(ratio, ref),
        _unit(told, "seconds", seconds, ref),
        told.count(int(processes) if processes is not None else None, ref),
    )


def _unit(told: Teller, key: str, value: float | None, *refs: str) -> Cell:
    if value is None:
        return Cell("–")
    shown = words.number(value, 0 if value >= 100 else 1)
    return Cell(told.say(key, n=shown), "number", refs)


def _figure(kept: Kept, name: str) -> float | None:
    value = kept.resources.get(name)
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if whole else None  # type: ignore[arg-type]


def always(told: Teller) -> tuple[Absent, ...]:
    """What no report of this tool measures."""
    say = told.say
    return (Absent(say("gap_production"), say("gap_production_why")),)


def missing(told: Teller, found: Sequence[Absent]) -> Section:
    """All that was not measured, in one place."""
    say = told.say
    rows = tuple((Cell(gap.what), Cell(gap.why)) for gap in found)
    table = Table((say("c_what"), say("c_why")), rows, numbered=False)
    return Section("gaps", say("s_gaps"), (Para(say("gaps_note"), "note"), table))


def method(told: Teller) -> Section:
    """How the gates decide, on one page."""
    blocks: list[Block] = []
    for heading, text in METHOD:
        zh = told.lang == "zh"
        blocks += [Para(heading.zh if zh else heading.en, "heading")]
        blocks += [Para(text.zh if zh else text.en)]
    return Section("method", told.say("s_method"), tuple(blocks))


def tools(told: Teller) -> Section:
    """Where the jobs ran and with which versions."""
    say = told.say
    places: dict[tuple[str, ...], list[Kept]] = {}
    versions: dict[tuple[str, str], list[Kept]] = {}
    for kept in told.report.kept:
        places.setdefault(_place(kept.environment), []).append(kept)
        for name, version in _tools(kept.environment):
            versions.setdefault((name, version), []).append(kept)
    head = (say("tool"), say("c_python"), say("c_platform"), say("c_accelerator"), say("c_used_by"))
    rows = [(*plain(place), _users(told, kept)) for place, kept in sorted_items(places)]
    blocks = list(grid(head, rows, say("tools_jobs")))
    rows = [
        (Cell(name, "code"), Cell(version or "–"), _users(told, kept))
        for (name, version), kept in sorted_items(versions)
    ]
    blocks += grid((say("c_tool"), say("c_version"), say("c_used_by")), rows, say("tools_pins"))
    if not blocks:
        blocks = [Absent(say("s_tools"), say("no_tools"))]
    return Section("tools", say("s_tools"), tuple(blocks))


def sorted_items(found: dict[Any, list[Kept]]) -> list[tuple[Any, list[Kept]]]:
    """By key, so that order never depends on the order of jobs."""
    return sorted(found.items(), key=lambda item: item[0])


def _place(environment: Any) -> tuple[str, ...]:
    keys = ("llmops", "python", "platform", "accelerator")
    shown = [str(environment.get(key, "–")) for key in keys]
    return (f"llmops {shown[0]}" if shown[0] != "–" else "–", *shown[1:])


def _tools(environment: Any) -> Iterable[tuple[str, str]]:
    found = environment.get("tools")
    items = found.items() if isinstance(found, dict) else ()
    return [(str(name), str(version)) for name, version in items]


def _users(told: Teller, kept: Sequence[Kept]) -> Cell:
    names = list(dict.fromkeys(told.job(one.closure) for one in kept))
    shown = names if len(names) <= 4 else [*names[:3], f"… {len(names) - 3}"]
    return Cell(told.say.listed(shown), refs=tuple(one.digest for one in kept[:3]))


def numbers(told: Teller, sections: Sequence[Section]) -> Section:
    """Every number of the tables above, row by row, with the evidence it rests on."""
    say = told.say
    rows = []
    for i, section in enumerate(sections, start=1):
        for block in section.blocks:
            if isinstance(block, Table) and block.numbered:
                rows += [r for row in block.rows if (r := _numbers(told, i, block, row))]
    shown, left = words.capped(rows, _MOST_NUMBERS)
    head = ("#", say("c_what"), say("c_numbers"), say("c_evidence"))
    table = grid(head, shown, left=told.more(left))
    if not table:
        return Section("numbers", say("s_numbers"), (Absent(say("s_numbers"), say("no_evidence")),))
    return Section("numbers", say("s_numbers"), (Para(say("numbers_note"), "note"), *table))


def _numbers(
    told: Teller, section: int, table: Table, row: Sequence[Cell]
) -> tuple[Cell, ...] | None:
    """One row's numbers, if they rest on evidence."""
    named = [
        f"{head} {cell.text}"
        for head, cell in zip(table.head, row, strict=False)
        if cell.kind == "number" and cell.text
    ]
    refs = tuple(dict.fromkeys(ref for cell in row for ref in cell.refs))
    if not named or not refs:
        return None
    shown = ("；" if told.lang == "zh" else "; ").join(named)
    name = told.cut(_row_name(table, row), 120)
    return (Cell(str(section), "number"), Cell(name), Cell(shown), Cell("", refs=refs))


def _row_name(table: Table, row: Sequence[Cell]) -> str:
    """The words before a row's first number; a row that begins with one is named by it."""
    words_before = [cell.text for cell in takewhile(lambda c: c.kind != "number", row)]
    return " · ".join(words_before) if words_before else f"{table.head[0]} {row[0].text}"


def evidence(told: Teller) -> Section:
    """Every statement by its mark, with its job, its closure and the artifacts shown here."""
    say = told.say
    read: dict[str, list[str]] = {}
    for source in _sources(told):
        read.setdefault(source.closure, []).append(f"{source.artifact} {source.digest}")
    head = (say("c_mark"), say("c_job"), say("c_statement"), say("c_closure"), say("c_artifacts"))
    by_digest = {kept.digest: kept for kept in told.report.kept}
    rows = []
    for digest, mark in told.marks.items():
        kept = by_digest.get(digest)
        closure = kept.closure if kept else ""
        artifacts = "\n".join(dict.fromkeys(read.get(closure, ())))
        rows.append(
            (
                Cell(mark),
                Cell(told.job(closure, "–"), "code"),
                Cell(digest.removeprefix("sha256:"), "code"),
                Cell(closure.removeprefix("sha256:") or "–", "code"),
                Cell(artifacts or "–", "code"),
            )
        )
    table = grid(head, rows)
    if not table:
        gap = Absent(say("s_evidence"), say("no_evidence"))
        return Section("evidence", say("s_evidence"), (gap,))
    return Section("evidence", say("s_evidence"), (Para(say("evidence_note"), "note"), *table))


def _sources(told: Teller) -> list[Any]:
    report = told.report
    groups = (
        report.curves, report.funnels, report.confusions, report.scans, report.guards,
        report.filtered,
    )  # fmt: skip
    found = [one.source for group in groups for one in group]
    return found + [s for lost in report.lost for s in (lost.head, lost.base)]
