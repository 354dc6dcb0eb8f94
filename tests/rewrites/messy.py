"""Texts as hasty people write them: any style YAML has for a value, comments anywhere.

`texts()` draws a value and one of its many spellings, with the comments that were put into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from llmops.source.scalars import resolve

Draw = Callable[..., Any]

WORDS = [
    "a", "no", "on", "Yes", "0777", "1:30", "2026-11-22", "1e3", "0x1f", "null", "~", "", " a ",
    "a: b", "a:", ": a", "a #b", "#a", "- a", "-", "?", "a'b", 'a"b', "a\\b", "{{ x }}", "[a]",
    "a, b", "bank#test", "https://x/y?z", "保险 客服", "，。", "é", "a\tb", "a\nb", "a\n", "\na",
    "...", "---", "a\n\n b\n", "%x", "@x", "`x`", "!x", "&x", "*x", "| x", "> x", "a" * 120,
    "ab " * 50 + "c", "ab cd ef gh", "true", "1.0", "1_000", ".5", "=", "<<", "\u200b", "\x07",
    "\u3000", "😀", "a  b", "a\r\nb", "end\\",
]  # fmt: skip
SIMPLE = re.compile(r"[a-z]+(?: [a-z]+)*")
KEYS = [
    "kind",
    "name",
    "a b",
    "no",
    "1",
    "metadata",
    "spec",
    "x:y",
    "",
    "#",
    "键",
    "q\"'",
    "training",
]

scalars = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.sampled_from([0.0, 1.5, 2e-5, 1e300, -0.25]),
    st.booleans(),
    st.none(),
)
keys = st.one_of(st.sampled_from(KEYS), st.text("abc-_ :#", max_size=5))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=14,
)
roots = st.dictionaries(keys, values, min_size=1, max_size=5)


@dataclass
class Scribe:
    """Writes a value in some way that means it, and remembers the comments."""

    draw: Draw
    comments: list[str] = field(default_factory=list)

    def chance(self, of: int = 4) -> bool:
        return bool(self.draw(st.integers(0, of - 1)) == of - 1)

    def comment(self) -> str:
        told = self.draw(st.sampled_from(["# c", "#c", "# 中文 [a: b], {", "#", "# - x: 'y"]))
        self.comments.append(told)
        return told

    def beside(self) -> str:
        return "  " + self.comment() if self.chance(5) else ""

    def above(self, indent: int) -> list[str]:
        lines = [""] * self.draw(st.integers(0, 2)) if self.chance(4) else []
        while self.chance(5):
            depth = max(0, indent + self.draw(st.sampled_from([0, 0, 0, -1, 1])))
            lines.append(" " * depth + self.comment())
        return lines

    def file(self, value: dict[str, Any]) -> str:
        lines = self.above(0)
        if self.chance(6):
            lines += ["---"]
        if self.chance(8):
            lines += self.flow_lines(value)
        else:
            lines += self.block(value, 0)
        lines += self.above(0)
        if self.chance(8):
            lines += ["..."]
        text = "\n".join(lines)
        ends_in_block = lines[-1:] and "\0" in text
        text = text.replace("\0", "")
        text += "\n" if ends_in_block or self.chance(2) else ""
        return text.replace("\n", "\r\n") if self.chance(6) else text

    def block(self, value: Any, indent: int) -> list[str]:
        lines: list[str] = []
        pad = " " * indent
        for item in value.items() if isinstance(value, dict) else enumerate(value):
            lines += self.above(indent)
            if isinstance(value, dict):
                lines += self.pair(item[0], item[1], indent)
            else:
                lines += self.item(pad, item[1], indent)
        return lines

    def pair(self, key: str, value: Any, indent: int) -> list[str]:
        start = " " * indent + self.key(key) + ":"
        if value and isinstance(value, dict | list) and not self.chance(3):
            step = self.draw(st.integers(0 if isinstance(value, list) else 1, 5))
            return [start + self.beside(), *self.block(value, indent + step)]
        return self.plain(start, value, indent)

    def item(self, pad: str, value: Any, indent: int) -> list[str]:
        if value and isinstance(value, dict | list) and not self.chance(3):
            gap = self.draw(st.integers(1, 3))
            lines = self.block(value, indent + 1 + gap)
            if self.chance(4) or not lines[0].strip() or lines[0].lstrip().startswith("#"):
                return [f"{pad}-{self.beside()}", *lines]
            return [f"{pad}-{' ' * gap}{lines[0].lstrip(' ')}", *lines[1:]]
        return self.plain(f"{pad}-", value, indent)

    def plain(self, start: str, value: Any, indent: int) -> list[str]:
        """A value behind a sign."""
        if isinstance(value, str) and self.literal(value) and self.chance(2):
            body = [f"{' ' * (indent + 2)}{line}" if line else "" for line in value.split("\n")]
            chomp = "" if value.endswith("\n") else "-"
            body = body[:-1] if value.endswith("\n") else body
            sign = "2" if self.chance(3) else ""
            return [f"{start} |{sign}{chomp}{self.beside()}", *body[:-1], body[-1] + "\0"]
        if isinstance(value, str) and self.long(value) and self.chance(3):
            pad = " " * (indent + self.draw(st.integers(1, 4)))
            first, second = (pad + half for half in self.cut(value))
            return [f"{start} >-{self.beside()}", first, second + "\0"]
        if self.chance(8):
            lines = self.flow_lines(value)
            pad = " " * (indent + 2)
            return [start + self.beside(), *self.above(indent + 2), *(pad + line for line in lines)]
        first, *others = self.flow_lines(value)
        lines = [f"{start} {first}", *(" " * (indent + 1) + line for line in others)]
        return [*lines[:-1], lines[-1] + self.beside()]

    @staticmethod
    def long(value: str) -> bool:
        return value.count(" ") > 2 and SIMPLE.fullmatch(value) is not None

    @staticmethod
    def literal(value: str) -> bool:
        lines = value.split("\n")
        first = lines[0]
        shown = all(c == "\n" or c.isprintable() for c in value)
        ends = value.endswith("\n\n")  # where a blank line would be part of the text
        return bool(first.strip()) and first[0] not in " \t" and shown and not ends

    def key(self, key: str) -> str:
        if (
            key
            and key.isalpha()
            and key.isascii()
            and isinstance(resolve(key), str)
            and self.chance(2)
        ):
            return key
        return self.quoted(key)

    def quoted(self, text: str) -> str:
        if text.isprintable() and self.chance(2):
            return "'" + text.replace("'", "''") + "'"
        shown = json.dumps(text, ensure_ascii=self.chance(2) and all(ord(c) < 65536 for c in text))
        hidden = [c for c in shown if not c.isprintable()]
        for c in hidden:
            shown = shown.replace(c, f"\\U{ord(c):08x}")
        return shown

    def flow_lines(self, value: Any) -> list[str]:
        """A value in brackets or on one line, perhaps broken over several."""
        if isinstance(value, str):
            return self.text_lines(value)
        if not isinstance(value, dict | list):
            return [json.dumps(value)]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        lines = [opening]
        for item in value.items() if isinstance(value, dict) else value:
            inner = self.flow_lines(item[1] if isinstance(value, dict) else item)
            if isinstance(value, dict):
                inner[0] = f"{self.quoted(item[0])}: {inner[0]}"
            inner[-1] += ","
            self.put(lines, inner)
        self.put(lines, [closing])
        return lines

    def put(self, lines: list[str], inner: list[str]) -> None:
        if self.chance(4):
            lines[-1] += self.beside()
            lines += [*([""] if self.chance(6) else []), inner[0]]
        elif "#" in lines[-1].partition("  ")[2] or lines[-1].lstrip().startswith("#"):
            lines.append(inner[0])
        else:
            lines[-1] += " " + inner[0]
        lines += inner[1:]

    def text_lines(self, value: str) -> list[str]:
        """A text, perhaps over several lines; plain where that is plainly safe."""
        if not SIMPLE.fullmatch(value) or not isinstance(resolve(value), str):
            return [self.quoted(value)]
        first, second = self.cut(value)
        sign = self.draw(st.sampled_from(["", '"', "'"]))
        if not second or self.chance(2):
            return [f"{sign}{value}{sign}"]
        return [f"{sign}{first}", f"{second}{sign}"]

    def cut(self, value: str) -> tuple[str, str]:
        words = value.split(" ")
        half = (len(words) + 1) // 2
        return " ".join(words[:half]), " ".join(words[half:])


@st.composite
def texts(
    draw: Draw, made: st.SearchStrategy[dict[str, Any]] = roots
) -> tuple[str, Any, list[str]]:
    """A text, the value it means, and the comments in it."""
    value = draw(made)
    scribe = Scribe(draw)
    return scribe.file(value), value, scribe.comments
