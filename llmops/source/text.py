"""Bytes -> text that a person can see whole, or why not. Dry.

Refuses what is too large, not UTF-8, or holds characters that no editor shows (controls, bidi
marks, byte order marks, exotic line breaks), so that what a reviewer reads is what is meant and
a line number means the same in every tool.
"""

from __future__ import annotations

import re
import unicodedata

from llmops.diagnostics import Diagnostic, Span

MAX_BYTES = 1024 * 1024
MAX_SHOWN = 100

_PLAIN = bytes([9, 10, 13, *range(32, 127)])
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ufffe\uffff]|\r(?!\n)"
)
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def unreadable(path: str, data: bytes) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text, and what is wrong with it as text; bytes that are no text are shown as �."""
    if len(data) > MAX_BYTES:
        return "", (_too_large(path, len(data)),)
    for mark, name in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode("utf-8", "replace"), (_byte_order_mark(path, name),)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data.decode("utf-8", "replace"), (_not_utf8(path, data, error.start),)
    if b"\r" not in data and not data.translate(None, _PLAIN):
        return text, ()
    found = (_hidden(path, text, match) for match in HIDDEN.finditer(text))
    return text, tuple(d for d, _ in zip(found, range(MAX_SHOWN), strict=False))


def place(path: str, text: str, index: int) -> Span:
    """The place of the character at `index`."""
    before = text[:index]
    return Span(path, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def inside(span: Span, text: str) -> Span:
    """The same place, moved into the text if it lies behind its end."""
    lines = text.split("\n")
    if span.line > len(lines):
        last = len(lines) - 1 if len(lines) > 1 and not lines[-1] else len(lines)
        return Span(span.path, last, len(lines[last - 1]) + 1)
    return Span(span.path, span.line, min(span.column, len(lines[span.line - 1]) + 1), span.width)


def _too_large(path: str, size: int) -> Diagnostic:
    return Diagnostic(
        Span(path),
        "too-large",
        f"the file has {size:,} bytes, more than {MAX_BYTES:,}",
        "keep rows and long texts in a file of their own and name it",
    )


def _byte_order_mark(path: str, name: str) -> Diagnostic:
    return Diagnostic(
        Span(path),
        "byte-order-mark",
        f"the file starts with a {name} byte order mark",
        "save it as UTF-8 without a byte order mark",
    )


def _not_utf8(path: str, data: bytes, start: int) -> Diagnostic:
    before = data[:start].decode("utf-8")
    return Diagnostic(
        place(path, before, len(before)),
        "not-utf8",
        f"byte 0x{data[start]:02x} is not UTF-8",
        "save the file as UTF-8",
    )


def _hidden(path: str, text: str, match: re.Match[str]) -> Diagnostic:
    character = match.group()
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "a control character").lower()
    if character == "\r":
        name, hint = "a carriage return without a line feed", "end lines with a line feed"
    elif unicodedata.category(character) == "Cf" or character in "\u2028\u2029":
        hint = f'remove it, or write "\\u{ord(character):04x}" inside double quotes'
    else:
        hint = "remove it"
    span = place(path, text, match.start())
    return Diagnostic(span, "control-character", f"invisible character {code}, {name}", hint)
