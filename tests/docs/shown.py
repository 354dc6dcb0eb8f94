"""The commands that pages show: lines of `sh` and `console` fences, and inline `llmops …`.

In: a page. Out: each command with the page it stands on and, for a `console` fence that nobody
makes, what the page says that it prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.twins import CODE, FENCE
from tests.tools.make_docs import MARK

# What these parts show is held to a scenario or a story, line by line.
STORIES = re.compile(r"<!-- made: (?:whole-)?(?:comment|plan|(?:first|quick)-[a-z]+) -->")
TOOLS = re.compile(r"(?:llmops [a-z]|make |pip |python |LLMOPS_\w+=\S+ )")
SHELLS = ("sh", "console")


@dataclass(frozen=True)
class Shown:
    """A command, where it stands, and what the page says that it prints (None: it does not say)."""

    line: str
    page: str
    prints: str | None = None


def commands(page: Path) -> Iterator[Shown]:
    """Every command of a page, in no order that matters."""
    text = MARK.sub(lambda m: "" if STORIES.match(m[0]) else m[0], page.read_text("utf-8"))
    for fence in FENCE.finditer(text):
        body = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
        if fence["language"] == "console":
            yield from _console(body, page.name)
        elif fence["language"] == "sh":
            yield from (Shown(line, page.name) for line in _lines(body))
    for code in CODE.findall(FENCE.sub("", text)):
        if TOOLS.match(code):
            yield Shown(code, page.name)


def _lines(body: str) -> Iterator[str]:
    """The lines of a fence without comments and continuations."""
    for line in body.replace("\\\n", " ").splitlines():
        bare = re.sub(r"(?:^|\s+)# .*$", "", line).strip()
        if bare:
            yield bare


def _console(body: str, page: str) -> Iterator[Shown]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        yield Shown(line.strip(), page, printed.strip() or None)


def hidden(page: Path) -> list[str]:
    """Commands in fences of another language, where no test would find them."""
    found = []
    for fence in FENCE.finditer(MARK.sub("", page.read_text("utf-8"))):
        if fence["language"] not in SHELLS:
            found += re.findall(r"^ *(?:\$ )?(llmops [a-z].*)$", fence["body"], re.MULTILINE)
    return found
