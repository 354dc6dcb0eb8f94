"""Which inputs hold a stranger's text, and what marks where such a text begins and ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLAIN = "zq7plainword"  # a stranger who only says one word
_FENCES = ("```", '"""', "'''", "~~~", "---", "===", "###")
_PAIRS = (("<<<", ">>>"), ("[[", "]]"))
_OPENED, _CLOSED = re.compile(r"<([A-Za-z][\w-]*)[^<>]*>"), re.compile(r"</([A-Za-z][\w-]*)>")


def untrusted(inputs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The inputs that hold a stranger's text, wholly or in a part."""
    return [name for name, given in inputs.items() if _marked(given)]


def _marked(given: Any) -> bool:
    if not isinstance(given, Mapping):
        return False
    below = given.get("properties")
    inner = [*(below.values() if isinstance(below, Mapping) else ()), given.get("items")]
    return given.get("untrusted") is True or any(map(_marked, inner))


def delimiters(content: str, word: str = PLAIN) -> tuple[str, ...]:
    """What closes the delimiters around the first `word` of a text: tags, fences, brackets."""
    before, met, after = content.partition(word)
    if not met:
        return ()
    opened = set(_OPENED.findall(before)) & set(_CLOSED.findall(after))
    left = {t for t in opened if len(re.findall(rf"<{t}\b", before)) > before.count(f"</{t}>")}
    fences = [f for f in _FENCES if before.count(f) % 2 and f in after]
    pairs = [c for o, c in _PAIRS if before.count(o) > before.count(c) and c in after]
    return (*sorted(f"</{tag}>" for tag in left), *fences, *pairs)
