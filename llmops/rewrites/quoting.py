"""How a text is written as a scalar: plain where every reader takes it for the text. Dry.

In: a text, and whether it stands in brackets. Out: its YAML. Plain where YAML 1.1 and 1.2 agree
that it is text (`source.scalars` knows; `no`, `0777`, `1:30` and dates are quoted), else in double
quotes, in single quotes where a backslash or a double quote stands in it.
"""

from __future__ import annotations

import json
import re

from llmops.source.scalars import resolve
from llmops.source.text import HIDDEN

_INDICATORS = tuple("-?:,[]{}#&*!|>'\"%@`")
_BROKEN = re.compile(r":(?:\s|$)|\s#|^\.\.\.|^\s|\s$|[\n\t]")
_SIGNS = re.compile(r"[\\\"{}\[\]]")  # allowed inside, but a reader would stumble over them

_IN_BRACKETS = re.compile(r"[,:?]")  # YAML 1.1 readers stop there


def scalar(text: str, *, flow: bool) -> str:
    """A text as YAML on one line. `flow`: it stands inside brackets."""
    return text if is_plain(text, flow=flow) else quoted(text)


def is_plain(text: str, *, flow: bool) -> bool:
    """Whether a text without quotes is that text to every reader."""
    return (
        bool(text)
        and not text.startswith(_INDICATORS)
        and not _BROKEN.search(text)
        and not is_hidden(text)
        and not _SIGNS.search(text)
        and not (flow and _IN_BRACKETS.search(text))
        and isinstance(resolve(text), str)
    )


def is_hidden(text: str) -> bool:
    """Whether a text holds characters that no editor shows."""
    return HIDDEN.search(text) is not None


def quoted(text: str) -> str:
    """A text in quotes on one line."""
    if is_hidden(text) or "\n" in text or "\t" in text:
        escaped = json.dumps(text, ensure_ascii=False)
        return HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", escaped)
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'
