"""`fmt`: one spec in canonical order and style, its meaning and comments unchanged. Dry.

In: a text and its path. Out: `Formatted`, or why the text cannot be read. Line ends become line
feeds, a UTF-8 byte order mark goes. The new text was read back: values, their order in lists and
every comment are those of the old one, else it is refused; nobody's file depends on our care alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from llmops.diagnostics import Diagnostic, Span
from llmops.rewrites import layout, order, syntax
from llmops.source.document import Document, parse

_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Formatted:
    """`text` is canonical, None where the given text cannot be read or would not be kept whole."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...] = ()


def formatted(text: str, path: str) -> Formatted:
    """A spec's text in canonical form; never raises for what a user wrote."""
    parsed = parse(path, data(text.removeprefix(_MARK)))  # with its own line ends: some are refused
    if parsed.document is None:
        return Formatted(None, parsed.diagnostics)
    source = syntax.read(unmarked(text))
    kept = syntax.comments(source)
    order.sort(source.root)
    made = layout.text(source)
    if made == text:
        return Formatted(made)
    again = parse(path, data(made)).document
    if again is None or not same(parsed.document, again):
        return Formatted(None, (_unsure(path, "its values"),))
    if syntax.comments(syntax.read(made)) != kept:
        return Formatted(None, (_unsure(path, "its comments"),))
    return Formatted(made)


def unmarked(text: str) -> str:
    """A text without a byte order mark, its line ends line feeds."""
    return text.removeprefix(_MARK).replace("\r\n", "\n")


def data(text: str) -> bytes:
    """A text as it stands in a file; bytes that were no UTF-8 (surrogateescape) as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which `parse` refuses in its own words
        return text.encode("utf-8", "surrogatepass")


def same(one: Document, two: Document) -> bool:
    """Whether two documents hold the same values, `1` and `1.0` and `true` told apart."""
    return _canonical(one) == _canonical(two)


def _canonical(document: Document) -> str:
    return json.dumps(document.value, sort_keys=True)


def _unsure(path: str, what: str) -> Diagnostic:
    hint = "this is a mistake in llmops, please report it; the file was not touched"
    return Diagnostic(Span(path), "not-kept", f"formatting would not keep {what}", hint)
