"""Plain scalar text -> value, or why it is refused. Dry.

YAML 1.2 core schema, minus every form that a YAML 1.1 reader would take for something else
(`no`, `010`, `12:30`, `2026-11-22`, `1_000`): such text must be quoted, so that one file has one
meaning in every tool. Numbers are those that JSON can carry exactly: finite, and whole numbers
within 2^53. The one liberty: `1e3` and `2e-4` are numbers, though a strict 1.1 reader wants a
point and a signed exponent, because learning rates are written so.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a plain scalar has no single meaning; `value_hint` applies where it is no key."""

    rule: str
    message: str
    hint: str
    value_hint: str = ""


# A plain scalar that starts with none of these can only be text ("" is the empty scalar).
STARTS = frozenset(["", *"0123456789+-.~=<nNyYtTfFoO"])

_SHORT = 40
_LARGEST = 2**53 - 1

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OLD_BOOLEANS = frozenset(
    spelling
    for word in ("y", "n", "yes", "no", "on", "off")
    for spelling in (word, word.capitalize(), word.upper())
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SIXTIES = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9:.Zz +-]*)?")
_OTHER_NUMBERS = re.compile(
    r"[-+]?0o[0-7_]+|[-+]?0b[01_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*"
    r"|[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
)


def resolve(text: str) -> Scalar | Refused:
    """The value of a plain scalar by the rules above, or the reason it is refused."""
    return _remembered(text) if len(text) < _SHORT else _judge(text)


def _judge(text: str) -> Scalar | Refused:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return _refusal(text) or text


_remembered = lru_cache(maxsize=8192)(_judge)


def _integer(text: str) -> int | Refused:
    value = int(text, 0) if len(text) < _SHORT else _LARGEST + 1
    if abs(value) <= _LARGEST:
        return value
    return _refused(text, "is a whole number beyond 2^53, which JSON readers round")


def _float(text: str) -> float | Refused:
    value = float(text)
    if math.isinf(value):
        return _refused(text, "is larger than any number a computer keeps")
    if value == 0 and any(c in "123456789" for c in re.split("[eE]", text)[0]):
        return _refused(text, "is so small that it would become zero")
    return value


def _refusal(text: str) -> Refused | None:
    if text in _OLD_BOOLEANS:
        why = "is a boolean to some YAML readers and text to others"
        return _refused(text, why, "write true or false")
    if text == "<<":
        why = 'the merge key "<<" is not allowed'
        return Refused("merge-key", why, "write the keys out in full")
    if text == "=":
        return _refused(text, "has a special meaning to some YAML readers")
    if _NOT_FINITE.fullmatch(text):
        return _refused(text, "is not a finite number", "write a number")
    if _SIXTIES.fullmatch(text):
        return _refused(text, "is a base-60 number to some YAML readers and text to others")
    if _DATE.fullmatch(text):
        return _refused(text, "is a date to some YAML readers and text to others")
    if _OTHER_NUMBERS.fullmatch(text):
        return _refused(text, "is read as different values by different YAML readers")
    return None


def _refused(text: str, why: str, instead: str = "") -> Refused:
    shown = text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
    hint = f'quote it: "{shown}"'
    return Refused(
        "ambiguous-scalar", f"{shown} {why}", hint, f"{instead}, or {hint}" * bool(instead)
    )
