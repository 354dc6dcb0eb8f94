"""A spec by what a person calls it: Kind/name, or a name that one spec alone has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError

if TYPE_CHECKING:
    from llmops.specs.base import Ref


def spec_named(text: str, known: Iterable[Ref]) -> str:
    """A spec as Kind/name: as it is written, or by a name that one spec alone has.

    Raises UsageError for what no spec is called, or several are.
    """
    refs = sorted(set(known))
    if text in map(str, refs):
        return text
    named = [str(ref) for ref in refs if text in (ref.name, str(ref).lower())]
    if len(named) == 1:
        return named[0]
    if named:
        what = f'{len(named)} specs are called "{printable(text)}"'
        raise UsageError(what, hint=f"write {' or '.join(named)}")
    words = [*map(str, refs), *(ref.name for ref in refs)]
    hint = did_you_mean(text, words, otherwise="llmops ls shows all there is")
    raise UsageError(f'nothing is called "{printable(text)}"', hint=hint)
