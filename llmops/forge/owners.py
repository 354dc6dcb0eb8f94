"""CODEOWNERS and path patterns as GitHub reads them: who owns a path. Dry.

The last line that matches wins; a line without owners takes them away again.
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def of(codeowners: str, path: str) -> tuple[str, ...]:
    """The owners of a path by the text of CODEOWNERS."""
    found: tuple[str, ...] = ()
    for line in codeowners.splitlines():
        words = line.split("#")[0].split()
        if words and _pattern(words[0]).match(path):
            found = tuple(words[1:])
    return found


def match(patterns: Iterable[str], path: str) -> bool:
    """Whether any of the patterns holds the path."""
    return any(_pattern(one).match(path) for one in patterns)


def _pattern(written: str) -> re.Pattern[str]:
    """A pattern of gitignore's kind: a folder holds all below it, `*` no slash, `**` any."""
    anchored = "/" in written.rstrip("/")
    body = written.strip("/")
    parts = re.split(r"(\*\*/?|\*|\?)", body)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    inner = "".join(words.get(part, re.escape(part)) for part in parts)
    start = "" if anchored else "(?:.*/)?"
    end = "/" if written.endswith("/") else "(?:/|$)"
    flat = body.endswith("/*") or body == "*"
    return re.compile(
        f"{start}{inner}{'$' if flat and body != '*' else '' if body == '*' else end}"
    )
