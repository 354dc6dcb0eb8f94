"""Tables of what an import carries, from the tables that the importers themselves work by."""

from __future__ import annotations

from collections.abc import Callable

from llmops.importers import keys
from llmops.importers.foo_asserts import NOT_CARRIED, TYPES
from llmops.importers.read import TOOLS
from tests.tools.words import Say


def of(tool: str) -> Callable[[Say], str]:
    """Every key of a tool: ours, and what to know."""
    return lambda say: _table(
        ("key", "becomes", "note"),
        [(name, _ours(to, say), say(why) if why else "")
         for name, to, why in keys.rows(TOOLS[tool].keys)],
        say,
    )  # fmt: skip


def _ours(text: str, say: Say) -> str:
    return text if text.startswith("`") and text.count("`") == 2 else say(text)


def asserts(say: Say) -> str:
    """Every kind of assertion: its metric, or why it has none."""
    rows = [("`equals`", f"`builtin/exact_match`, {say('the value is the row’s answer')}")]
    for name, make in TYPES.items():
        check = make("x", {"threshold": 1})[0]
        given = "".join(f", `{k}: {v}`" for k, v in check.given.items())
        rows.append((f"`{name}`", f"`{check.metric}`{given}"))
    rows += [(f"`{name}`", say(why)) for name, why in NOT_CARRIED.items()]
    return _table(("assertion", "becomes"), rows, say)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]], say: Say) -> str:
    lines = [tuple(say(word) for word in header), tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
