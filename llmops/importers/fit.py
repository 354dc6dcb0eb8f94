"""What a kind would refuse is taken out of a draft again, each time with a note that says why.

In: a draft as an importer left it. Out: the same draft, in which every value that stands in a spec
is one that its kind takes. What is *missing*, or is a word for something not built yet, stays:
those are the places that people must fill in or decide, and `validate` names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.importers.base import Draft, Made
from llmops.rewrites.write import spec_text
from llmops.source.document import Document, parse
from llmops.specs.load import load_one
from llmops.specs.problem import Loc

# What is for people to fill in, or to mend where it stands.
OPEN = frozenset(("missing-field", "pinned-revision", "not-yet", "template-syntax"))
ENVELOPE = 2  # `spec` and what it holds: nothing above is an importer's to take out
MOST_ROUNDS = 2000


def fit(draft: Draft) -> None:
    """Takes out values until no kind refuses one."""
    for made in draft.made():
        _one(draft, made)


def _one(draft: Draft, made: Made) -> None:
    for _ in range(MOST_ROUNDS):
        text = spec_text(made.value, {})
        document = parse(made.path, text.encode()).document
        assert document is not None, f"{made.path} cannot be read back"
        wrong = next(_wrong(document), None)
        if wrong is None:
            return
        loc = _loc(document, wrong.span)
        why = wrong.message + (f"; {wrong.hint}" if wrong.hint else "")
        draft.note(draft.origin(made.ref, loc), why)
        _take_out(made.value, loc)
    raise AssertionError(f"{made.path} does not fit its kind")


def _wrong(document: Document) -> Iterator[Diagnostic]:
    _, found = load_one(document)
    for one in sorted(found, key=lambda d: d.sort_key):
        if one.severity is Severity.ERROR and one.rule not in OPEN:
            yield one


def _loc(document: Document, span: Span) -> Loc:
    """The place of a value, or of its key, that stands at a span; the outermost one."""
    for loc in _locs(document.value, ()):
        if span in (document.span(loc), document.span(loc, key=True)):
            return loc
    return ()


def _locs(value: Any, loc: Loc) -> Iterator[Loc]:
    if loc:
        yield loc
    for step, one in _inner(value):
        yield from _locs(one, (*loc, step))


def _inner(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _take_out(value: Any, loc: Loc) -> None:
    assert len(loc) >= ENVELOPE, f"nothing can be taken out at {loc}"
    for step in loc[:-1]:
        value = value[step]
    del value[loc[-1]]
