r"""Text of others, made harmless: shown as it is, never obeyed by a terminal or by Markdown.

`visible` serves every format: controls, bidi marks, invisible format characters and lone
surrogates become escapes such as `\x1b`. `text`, `code` and `fence` are for GitHub's Markdown on
top of that: no markup, HTML, link, mention, issue reference, emoji code or formula survives.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import takewhile

_JOINERS = "\u200c\u200d"  # join letters and emoji in honest text
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_GAP = "&#8203;"  # a zero width space: GitHub links decoded text too, so an entity alone is no cure
_ACTIVE = r"://|www(?=\.)|\bGH-(?=\d)|:(?=[a-z0-9_+-]+:)|#(?=\d)|[&<>@$"
_SPECIAL = re.compile(_ACTIVE + r"\\`*_\[\]~|]", re.IGNORECASE)
_IN_HTML = re.compile(_ACTIVE + "]", re.IGNORECASE)
_REPLACED = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",  # a backslash would do in a table only
    "$": "<span>$</span>",  # GitHub's own way to write one beside a formula
    "://": f":{_GAP}//",
}
_MOST_TICKS = 40  # GitHub's parser knows code between at most 80 backticks, and no code beyond
_PATH_BYTES = 1_000
_GAPPED = ("@", ":", "#", "www", "gh-")


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; a cut text ends with `…`."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def visible(text: str, limit: int = 400) -> str:
    """One line safe on a terminal: everything hidden is shown as an escape, then cut at `limit`."""
    shown = cut(text, limit)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(_escaped(c) if hidden(c) else c for c in shown)


def hidden(char: str) -> bool:
    """Whether a character could act on its reader's screen without being seen."""
    return unicodedata.category(char) in _HIDDEN and char not in _JOINERS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def text(words: str, limit: int = 400) -> str:
    """Words as inline Markdown that renders as exactly those words, in a table cell too."""
    safe = _SPECIAL.sub(_special, visible(words, limit).strip())
    safe = re.sub(r"^(?=[-+=#])", r"\\", safe)
    return re.sub(r"^(\d{1,9})(?=[.)](\s|$))", r"\1\\", safe)


def inside_html(words: str, limit: int = 400) -> str:
    """Words inside an HTML block of Markdown, where a backslash would be read as itself."""
    return _IN_HTML.sub(_special, visible(words, limit).strip()).replace(_GAP, "\u200b")


def _special(match: re.Match[str]) -> str:
    found = match.group()
    if found in _REPLACED:
        return _REPLACED[found]
    return found + _GAP if found.lower() in _GAPPED else "\\" + found


def code(words: str, limit: int = 200) -> str:
    """Words as a code span; it works in a table cell except for pipes (see `code_cell`)."""
    shown = visible(words, limit)
    if not shown.strip():
        return "(empty)"
    if longest_run(shown) > _MOST_TICKS:
        return text(words, limit)
    ticks = "`" * (longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def code_cell(words: str, limit: int = 200) -> str:
    """Words as a code span inside a table, where a pipe needs a backslash even in code."""
    return code(words, limit).replace("|", r"\|")


def fence(lines: Iterable[str], language: str = "") -> tuple[str, ...]:
    """Lines as a fenced block whose fence is longer than any run of backticks inside."""
    shown = [visible(line, 400) for line in lines]
    ticks = "`" * max(3, *(longest_run(line) + 1 for line in ("", *shown)))
    return (f"{ticks}{language}", *shown, ticks)


def longest_run(words: str) -> int:
    """The length of the longest run of backticks."""
    return max((len(run) for run in re.findall("`+", words)), default=0)


def size(words: str) -> int:
    """Bytes in UTF-8."""
    return len(words.encode("utf-8"))


def is_path(path: str) -> bool:
    """Whether a path is relative, stays inside, and says nothing else than it shows."""
    parts = path.split("/")
    return (
        0 < len(path.encode("utf-8", "replace")) <= _PATH_BYTES
        and not any(part in ("", ".", "..") for part in parts)
        and parts[0].casefold() != ".git"
        and not any(hidden(char) or char in "\\:" for char in path)
        and unicodedata.normalize("NFC", path) == path
        and path == path.strip()
    )


def around(before: str, after: str, limit: int = 60) -> tuple[str, str]:
    """Both texts cut to where they differ, so that a long prompt shows its changed words."""
    if max(len(before), len(after)) <= limit:
        return before, after
    start = max(0, _same(before, after) - 12)
    tail = _same(before[start:][::-1], after[start:][::-1])
    return _middle(before, start, tail, limit), _middle(after, start, tail, limit)


def _same(one: str, other: str) -> int:
    """How many characters two texts have in common from the start."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _middle(words: str, start: int, tail: int, limit: int) -> str:
    end = min(len(words), len(words) - tail + 12)
    shown = words[start:end] + ("…" if end < len(words) else "")
    return cut(("…" if start else "") + shown, limit)
