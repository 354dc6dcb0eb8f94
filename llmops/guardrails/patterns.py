"""A regular expression -> spans, by RE2: time linear in the text, whatever the pattern.

`refusal` says why a pattern cannot be used and what to write instead; whoever declares a pattern
asks it first. RE2's word boundary and digits are ASCII, so they hold where Chinese text touches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import re2

LONGEST_PATTERN = 2_000  # characters
LARGEST_PROGRAM = 20_000  # instructions of RE2's program: what a pattern costs in memory
_SMALLER = "use smaller repeats and classes, or several layers"

_HALVES = re.compile(r"(?<!\\)(?:\\\\)*\\C")


class Refusal(NamedTuple):
    """Why a pattern cannot be used, and what to write instead."""

    what: str
    hint: str


def compiled(pattern: str) -> re2._Regexp:
    """The pattern over UTF-8 bytes. Raises re2.error for what RE2 has not."""
    return re2.compile(pattern.encode("utf-8"), options())


def spans(program: re2._Regexp, data: bytes) -> Iterator[tuple[int, int]]:
    """Bytes `start` to `end` of every match that is not empty, from left to right."""
    for match in program.finditer(data):
        start, end = match.span()
        if start < end:
            yield start, end


def options() -> re2.Options:
    """RE2's defaults, but nothing is written to the standard error."""
    found = re2.Options()
    found.log_errors = False
    return found


def refusal(pattern: str) -> Refusal | None:
    """Why a pattern cannot guard anything; None when it can."""
    refused = unusable(pattern)
    if refused is None and compiled(pattern).search(b""):
        hint = "write + instead of *, or {1,} instead of {0,}: it would be found in every text"
        return Refusal("the pattern matches the empty text", hint)
    return refused


def unusable(pattern: str) -> Refusal | None:
    """Why nothing can be looked for with a pattern; None when it can."""
    if not pattern:
        return Refusal("the pattern is empty", "write what must not pass, or remove the layer")
    if len(pattern) > LONGEST_PATTERN:
        what = f"the pattern has {len(pattern)} characters, above the maximum {LONGEST_PATTERN}"
        return Refusal(what, "cut it into several layers, or use a lexicon")
    try:
        program = compiled(pattern)
    except UnicodeEncodeError:
        return Refusal("the pattern holds half of a surrogate pair", "write whole characters")
    except re2.error as error:
        return _refused(pattern, _words(error))
    if program.programsize > LARGEST_PROGRAM:
        what = f"the pattern needs {program.programsize} steps, above the maximum {LARGEST_PROGRAM}"
        return Refusal(what, _SMALLER)
    if _HALVES.search(pattern):
        return Refusal(r"\C matches parts of characters", "write . for one character")
    return None


def _words(error: re2.error) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _refused(pattern: str, said: str) -> Refusal:
    for feature, what, hint in _FEATURES:
        if found := feature.search(pattern):
            return Refusal(f'RE2 has no {what} "{found.group()}"', hint)
    if said.startswith("pattern too large"):
        return Refusal("the pattern is too large for RE2", _SMALLER)
    if said.startswith("invalid repetition size"):
        what = f"a repeat is above RE2's maximum of 1000: {said.partition(': ')[2]}"
        return Refusal(what, "repeat at most 1000 times, nested repeats multiplied")
    return Refusal(f"RE2 refuses the pattern: {said}", "write it in RE2's syntax")


# What people know from other engines: how it looks, its name, and what to write instead.
_FEATURES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"\(\?<?[=!]"),
        "lookaround",
        r"write \b at an edge, or match what stands around it too",
    ),
    (
        re.compile(r"\\[1-9]|\(\?P=\w+\)|\\k<"),
        "backreference",
        "spell out what may be repeated: it cannot be matched in linear time",
    ),
    (re.compile(r"\\u[0-9A-Fa-f]{0,4}"), "escape", r"write \x{4e00} with the code, or the letter"),
    (re.compile(r"\\N\{[^}]*\}?"), "escape", r"write \x{2014} with the code, or the letter"),
    (re.compile(r"\(\?>|[+*?}]\+"), "possessive group or repeat", "write the plain repeat"),
    (re.compile(r"\\Z"), "escape", r"write \z for the end of the text"),
    (re.compile(r"\(\?#"), "comment", "put the comment in the YAML, after #"),
    (re.compile(r"\(\?[a-zA-Z-]*x"), "verbose flag", "write the pattern without spaces"),
    (re.compile(r"\(\?\(|\(\?R\)|\(\?\d"), "condition or recursion", "write the alternatives out"),
)
