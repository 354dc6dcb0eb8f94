"""The manual as it is shipped: pages in each language, their sections, what mentions a word.

In: the Markdown files below `llmops/docs/LANGUAGE/`. Out: pages and passages, as values; `docs`
prints them. The index (`README.md` of a language) says which pages there are, in which order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import llmops

FOLDER = Path(llmops.__file__).parent / "docs"
INDEX = "README"
_ENTRY = re.compile(r"^- \[(?P<title>.+?)\]\((?P<name>[\w/-]+)\.md\)[:：]\s*(?P<about>.+)$")
_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")
_LINK = re.compile(r"(?<!!)\[((?:`[^`]*`|[^\[\]])+)\]\((?!https?:)[^)\s]+\)")
_MARK = re.compile(r"^<!--.*?-->\n?", re.MULTILINE)
_TAG = re.compile(r"</?(?:details|summary|sub|br)\b[^>]*>")


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as the index lists it: its part, its name without suffix, title, one line about it."""

    part: str
    name: str
    title: str
    about: str

    @property
    def short(self) -> str:
        """The last step of the name, which no other page has."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, row or heading below a heading with this anchor ("" before the first)."""

    anchor: str
    text: str


def languages() -> tuple[str, ...]:
    """The languages that have a manual, English first."""
    found = (path.parent.name for path in FOLDER.glob(f"*/{INDEX}.md"))
    return tuple(sorted(found, key=lambda name: (name != "en", name)))


def path(language: str, name: str) -> Path:
    """The file of a page."""
    return FOLDER / language / f"{name}.md"


def entries(language: str) -> tuple[Entry, ...]:
    """Every page that the index lists, in its order."""
    part, found = "", []
    for line in path(language, INDEX).read_text("utf-8").splitlines():
        if heading := _HEADING.match(line):
            part = heading[2]
        elif entry := _ENTRY.match(line):
            found.append(Entry(part, entry["name"], entry["title"], entry["about"]))
    return tuple(found)


def anchor(heading: str) -> str:
    """What GitHub calls a heading in a link: letters of any script, digits, `-` and `_`."""
    bare = _LINK.sub(r"\1", heading)
    return re.sub(r"[^\w\- ]", "", bare.lower()).replace(" ", "-")


def anchors(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, depth and anchor of every heading; the second of the same name is `name-1`."""
    seen: dict[str, int] = {}
    fenced = False
    for number, line in enumerate(text.splitlines()):
        fenced ^= line.lstrip("> ").startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading:
            name = anchor(heading[2])
            times = seen[name] = seen.get(name, -1) + 1
            yield number, len(heading[1]), f"{name}-{times}" if times else name


def section(text: str, name: str) -> str | None:
    """A heading with all that stands below it, or None where no heading has this anchor."""
    lines = text.splitlines()
    found = list(anchors(text))
    for i, (start, depth, called) in enumerate(found):
        if called == name:
            after = (line for line, below, _ in found[i + 1 :] if below <= depth)
            return "\n".join(lines[start : next(after, len(lines))]).strip()
    return None


def plain(text: str) -> str:
    """A page as text to read: no marks of ours, no tags, links to other pages as their words."""
    return _LINK.sub(r"\1", _TAG.sub("", _MARK.sub("", text))).strip()


def passages(text: str) -> Iterator[Passage]:
    """What a page says, paragraph by paragraph; a row of a table or a line of a fence is one."""
    heads = {line: name for line, _, name in anchors(text)}
    current, held, fenced = "", list[str](), False
    for number, line in enumerate(text.splitlines()):
        mark = line.startswith("```")
        if held and (mark or not line.strip() or number in heads or line.startswith(("|", "- "))):
            yield Passage(current, plain(" ".join(held)))
            held = []
        fenced ^= mark
        current = heads.get(number, current)
        if fenced or number in heads or line.startswith("|"):
            if not mark:
                yield Passage(current, plain(line))
        elif line.strip() and not mark:
            held.append(line.strip())
    if held:
        yield Passage(current, plain(" ".join(held)))
