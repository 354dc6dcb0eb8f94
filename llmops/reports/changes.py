"""Changes -> lines: what a pull request means, direct first, then what only follows."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.jobs.base import FORMAT_VERSION, Change, FieldChange
from llmops.jobs.wire import to_json
from llmops.reports.base import SIGN_TONES, Page
from llmops.reports.blocks import Section, fit, grid
from llmops.reports.data import dumps
from llmops.reports.escape import code_cell, fence, visible
from llmops.reports.layout import Cell, Row, table, titled, wrap
from llmops.reports.words import capped, change_words, plural

MOST_SPECS = 40
MOST_FIELDS = 12
_MOST_ROWS = 20  # of a table on a pull request, where jobs and gates stand below it
NOTHING = "No change of meaning."


def text(changes: tuple[Change, ...], page: Page) -> str:
    """The changes for a terminal."""
    return "\n".join(lines(changes, page)) or NOTHING


def lines(changes: Sequence[Change], page: Page) -> list[str]:
    """Blocks Changed, Follows and Descriptive only, each only where it has something."""
    direct, followers, described = sorted_out(changes)
    shown, left = capped(direct, MOST_SPECS)
    rows = [row for change in shown for row in _changed(change)] + _more(left)
    found = titled(f"Changed ({len(direct)})", table(rows, page), page)
    shown, left = capped(followers, MOST_SPECS)
    rows = [_follows(change) for change in shown] + _more(left)
    found += titled(f"Follows ({len(followers)})", table(rows, page), page)
    return found + _described(described, page)


def sorted_out(
    changes: Sequence[Change],
) -> tuple[Sequence[Change], Sequence[Change], Sequence[Change]]:
    """Those that change a meaning, those that only follow, those for people only."""
    follows = [c for c in changes if c.action == "follows"]
    described = [c for c in changes if c.action != "follows" and c.category == "descriptive"]
    direct = [c for c in changes if c.action != "follows" and c.category != "descriptive"]
    return direct, follows, described


def _changed(change: Change) -> list[Row]:
    sign = Cell(f"~ {visible(str(change.ref), 100)}", SIGN_TONES["~"])
    fields, left = capped(change.fields, MOST_FIELDS)
    rows: list[Row] = [(sign, visible(change.path, 200), category(change))]
    rows += [_field(change, field) for field in fields]
    return rows + ([(f"    … {left} more",)] if left else [])


def _field(change: Change, field: FieldChange) -> Row:
    row = (f"    {visible(field.path, 100)}", change_words(field.before, field.after))
    needs = _needs(change, field)
    return row if needs == change.category else (*row, needs)


def _needs(change: Change, field: FieldChange) -> str:
    """What one field needs: its plain role, else the category of the whole change."""
    plain = field.role in ("gate", "static", "placement", "descriptive")
    return field.role if plain else change.category


def category(change: Change) -> str:
    """`train`, `train, added`, `removed`: what a change needs."""
    if change.action == "removed":
        return "removed"
    return f"{change.category}, added" if change.action == "added" else change.category


def _follows(change: Change) -> Row:
    sign = Cell(f"> {visible(str(change.ref), 100)}", SIGN_TONES[">"])
    return (sign, through(change), change.category)


def through(change: Change) -> str:
    """`through model, prompt`."""
    return visible(f"through {', '.join(change.through)}" if change.through else "", 200)


def _more(left: int) -> list[Row]:
    return [(f"… {left} more",)] if left else []


def _described(changes: Sequence[Change], page: Page) -> list[str]:
    shown, left = capped(changes, MOST_SPECS)
    said = [described_words(change) for change in shown]
    found = [line for words in said for line in wrap(words, page, 2, 6)]
    found += [f"  … {left} more"] if left else []
    return titled(f"Descriptive only ({len(changes)})", found, page)


def described_words(change: Change) -> str:
    """`Dataset/dialogues  metadata.owner: no job`."""
    fields, left = capped(change.fields, MOST_FIELDS)
    named = ", ".join(visible(field.path, 100) for field in fields) or change.action
    more = f", … {left} more" if left else ""
    return f"{visible(str(change.ref), 100)}  {named}{more}: no job"


def json_text(changes: tuple[Change, ...], page: Page) -> str:
    """The changes as one JSON object."""
    found = {"format_version": FORMAT_VERSION, "changes": [to_json(c) for c in changes]}
    return dumps(found)


def diff_lines(changes: Sequence[Change]) -> list[str]:
    """The changes as lines of a `diff` block: `! Recipe/x  lora.r 8 -> 16 · …`."""
    direct, followers, described = sorted_out(changes)
    shown, left = capped(direct, MOST_SPECS)
    found = [line for change in shown for line in _marked(change)]
    found += [f"  … {left} more changed"] if left else []
    shown, left = capped(followers, MOST_FIELDS)
    found += [f"> {visible(str(c.ref), 100)}  {through(c)}" for c in shown]
    found += [f"  … {left} more follow"] if left else []
    shown, left = capped(described, MOST_FIELDS)
    found += [f"  {described_words(change)}" for change in shown]
    return found + ([f"  … {left} more described"] if left else [])


def _marked(change: Change) -> list[str]:
    """One `!` line when it is short, else one for each field."""
    fields, left = capped(change.fields, 6)
    moved = [f"{visible(f.path, 100)} {change_words(f.before, f.after, 40)}" for f in fields]
    moved += [f"… {left} more"] if left else []
    ref = visible(str(change.ref), 100)
    line = f"! {ref}  {' · '.join(moved or [category(change)])}"
    return [line] if len(line) <= 100 else [f"! {ref}", *(f"!   {words}" for words in moved)]


def markdown(changes: tuple[Change, ...], page: Page) -> str:
    """The changes as Markdown: one line of totals, a table of fields, what follows."""
    direct, followers, described = sorted_out(changes)
    if not changes:
        return NOTHING
    counted = f"{len(direct)} changed, {len(followers)} follow, {len(described)} descriptive only"
    rest = fenced(diff_lines([*followers, *described]))
    return fit(f"### llmops diff: {counted}", [section(direct), rest], "")


def fenced(lines: Sequence[str]) -> Section:
    """Lines of a `diff` block as a section that may be cut between them; empty without lines."""
    first, *shown, last = fence(lines, "diff")
    more = "  … {n} more"
    return Section((first,), tuple(shown), (last,), more, most=100) if lines else Section()


def section(changes: Sequence[Change]) -> Section:
    """A table of every changed field; empty when nothing changed directly."""
    rows = [row for change in changes for row in _table_rows(change)]
    return grid("spec | field | before -> after | needs", rows, most=_MOST_ROWS)


def _table_rows(change: Change) -> list[str]:
    ref, needs = code_cell(str(change.ref), 100), change.category
    if change.action == "removed":
        return [f"| {ref} | | removed | |"]
    if not change.fields:
        return [f"| {ref} | | {change.action} | {needs} |"]
    fields, left = capped(change.fields, MOST_FIELDS)
    rows = [
        f"| {ref} | {code_cell(f.path, 100)} | {code_cell(change_words(f.before, f.after))} "
        f"| {_needs(change, f)} |"
        for f in fields
    ]
    return rows + ([f"| {ref} | … {plural(left, 'more field')} | | {needs} |"] if left else [])
