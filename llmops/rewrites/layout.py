"""A tree of what was written -> its canonical text. Dry.

Two spaces a level, list items two further in. What the author wrote in brackets stays on one line
while that fits into 110 columns (a Chinese character fills two) and no comment stands inside; else
it is opened, outermost first. What the author opened stays open: whether a short map reads better
on one line is a matter of what it means. A comment that stood apart (by
three spaces or more) stays at its column where it can, any other follows after two. Numbers and
long block texts are as the author wrote them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from llmops.rewrites import quoting
from llmops.rewrites.syntax import BLANK, Entry, Node, Source
from llmops.source.scalars import resolve

WIDTH = 110
LONGEST_KEY = 1000  # characters; a longer one is written behind "? " (YAML 1.2, 8.2.2)
_BREAK = re.compile(r"(?<=[^\s\\]) (?=\S)")
_CHOMPING = {0: "-", 1: ""}  # by how many line feeds a block text ends
_WORDS = {True: "true", False: "false", None: "null"}


def text(source: Source) -> str:
    """The whole file: no two blank lines in a row but in block texts, one line feed at its end."""
    root = source.root
    lines = [*source.head, *(_collection(root, 0) if root.entries else ["{}", *root.tail])]
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return "\n".join(kept) + "\n"


def _collection(node: Node, indent: int) -> list[str]:
    """The lines of an open map or list; a block text is one of them, with line feeds inside."""
    pad = " " * indent
    lines: list[str] = []
    for number, entry in enumerate(node.entries):
        above = entry.above if number else entry.above[entry.above[:1] == [BLANK] :]
        lines += [pad + line if line else BLANK for line in above]
        lines += _hung(entry, indent, "-") if node.kind == "list" else _pair(entry, indent)
    lines += [pad + line if line else BLANK for line in node.tail]
    return lines


def _pair(entry: Entry, indent: int) -> list[str]:
    """`key: value`."""
    assert entry.key is not None
    key = _one_line(entry.key, flow=False)
    pad = " " * indent
    if len(key) > LONGEST_KEY:
        return [f"{pad}? {key}", *_hung(entry, indent, ":")]
    value = entry.value
    if _is_open(value, indent + width(f"{key}: ")):
        column = -1 if value.flow else entry.column
        inner = _collection(value, indent + 2)
        return [_with_comment(f"{pad}{key}:", entry.beside, column), *inner]
    return _scalar_lines(f"{pad}{key}:", entry, indent)


def _hung(entry: Entry, indent: int, sign: str) -> list[str]:
    """A value behind `-` (or `:`); an open collection begins on its line."""
    pad = " " * indent
    if not _is_open(entry.value, indent + 2):
        return _scalar_lines(f"{pad}{sign}", entry, indent)
    lines = _collection(_carrying(entry), indent + 2)
    first = next(n for n, line in enumerate(lines) if line and not line.lstrip().startswith("#"))
    hoisted = [pad + line.lstrip() for line in lines[:first] if line]
    return [*hoisted, f"{pad}{sign} {lines[first][indent + 2 :]}", *lines[first + 1 :]]


def _carrying(entry: Entry) -> Node:
    """The collection of an item, whose comment stands on the line of its first entry."""
    node = entry.value
    if not entry.beside:
        return node
    first, *others = node.entries
    copy = Entry(first.value, first.key, list(first.above), first.beside, first.column)
    if copy.beside:
        copy.above.append(entry.beside)
    else:
        copy.put_beside(entry.beside, -1)
    return Node(node.kind, entries=[copy, *others], flow=node.flow, tail=node.tail)


def _is_open(node: Node, column: int) -> bool:
    """Whether a collection is written over several lines; `column` is where it would begin."""
    if node.kind == "scalar" or not node.entries:
        return False
    if not node.flow or _has_comments(node):
        return True
    return column + width(_one_line(node, flow=True)) > WIDTH


def _has_comments(node: Node) -> bool:
    return bool(node.tail) or any(
        entry.above or entry.beside or _has_comments(entry.value) for entry in node.entries
    )


def _scalar_lines(start: str, entry: Entry, indent: int) -> list[str]:
    """A value that begins on the line `start`: a scalar, or a collection on one line."""
    node = entry.value
    if node.style in ("|", ">") and node.text.strip():
        header, body = _block(node, " " * (indent + 2))
        return [_with_comment(f"{start} {header}", entry.beside, entry.column) + body]
    shown = _one_line(node, flow=node.kind != "scalar" or entry.key is None)
    lines = _folded(start, shown, node, " " * (indent + 2)) if shown else [start]
    return [*lines[:-1], _with_comment(lines[-1], entry.beside, entry.column)]


def _folded(start: str, shown: str, node: Node, pad: str) -> list[str]:
    """A text that the author wrote over several lines is broken again where it is too long."""
    line = f"{start} {shown}"
    if "\n" not in node.raw:
        return [line]
    lines: list[str] = []
    begin = len(start) + 1
    while width(line) > WIDTH:
        breaks = [found.start() for found in _BREAK.finditer(line, begin)]
        fitting = [at for at in breaks if width(line[:at]) <= WIDTH] or breaks[:1]
        if not fitting:
            break
        lines.append(line[: fitting[-1]])
        line, begin = pad + line[fitting[-1] + 1 :], len(pad)
    return [*lines, line]


def _block(node: Node, pad: str) -> tuple[str, str]:
    """Header and lines of a block text, each line behind a line feed."""
    value = node.text
    ends = len(value) - len(value.rstrip("\n"))
    lines = value.rstrip("\n").split("\n") if node.style == "|" else _broken(node)
    first = next(number for number, line in enumerate(lines) if line.strip(" "))
    sign = "2" if any(line[:1] in (" ", "\t") for line in lines[: first + 1] if line) else ""
    body = "".join(f"\n{pad}{line}" if line else "\n" for line in lines)
    return node.style + sign + _CHOMPING.get(ends, "+"), body + "\n" * (ends - 1)


def _broken(node: Node) -> list[str]:
    """The lines of a folded text as the author broke them, without their indentation."""
    lines = node.raw.split("\n")[1:]
    first = next(line for line in lines if line.strip(" "))
    value = next(line for line in node.text.split("\n") if line.strip(" "))
    depth = _leading(first) - _leading(value)
    while len(lines[-1]) <= depth and not lines[-1].strip(" "):
        lines.pop()
    return [line[depth:] for line in lines]


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _one_line(node: Node, *, flow: bool) -> str:
    """A value on one line, whether it fits or not."""
    if node.kind == "list":
        return "[" + ", ".join(_one_line(entry.value, flow=True) for entry in node.entries) + "]"
    if node.kind == "map":
        return "{" + ", ".join(_flow_pairs(node.entries)) + "}"
    if node.style == "" and "\n" not in node.text:
        return _plain(node, flow=flow)
    if quoting.is_plain(node.text, flow=flow):
        return node.text
    if node.style == '"' and "\\" in node.raw and "\n" not in node.raw:
        return node.raw
    return quoting.quoted(node.text)


def _flow_pairs(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        assert entry.key is not None
        yield f"{_one_line(entry.key, flow=True)}: {_one_line(entry.value, flow=True)}"


def _plain(node: Node, *, flow: bool) -> str:
    """A plain scalar: words for true, false and nothing in one spelling, numbers as they are."""
    value = resolve(node.text)
    if isinstance(value, bool):
        return _WORDS[value]
    if value is None and (node.text or flow):
        return _WORDS[None]
    return node.text


def _with_comment(line: str, comment: str, column: int) -> str:
    """A line and its comment, at the comment's column if the line ends two before it."""
    if not comment:
        return line
    return line + " " * max(2, column - len(line)) + comment


def width(line: str) -> int:
    """Columns on a screen."""
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
