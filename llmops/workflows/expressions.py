"""GitHub's expressions, `${{ … }}` -> which contexts can reach their value. Dry.

A reader of the small grammar (or, and, comparison, not, call, index), because what matters is not
which contexts an expression names but which of them its value can be: `github.event_name ==
'push' && 'a' || 'b'` is one of two constants, whatever the event is called.
https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Expressions do not nest; what begins again was never closed.
_MARKED = re.compile(r"\$\{\{((?:(?!\$\{\{).)*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?(?:0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[-+]?\d+)?))"
    r"|(?P<name>[a-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>().,*\[\]]))",
    re.IGNORECASE,
)
# functions whose value is none of their arguments
_OWN = {
    "contains", "startswith", "endswith", "success", "failure", "always", "cancelled", "hashfiles",
}  # fmt: skip
_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_DEEPEST = 50
_LONGEST = 21_000  # characters: GitHub takes no longer one


@dataclass(frozen=True, slots=True)
class Expression:
    """One `${{ … }}` as it is written."""

    written: str
    inner: str

    @property
    def reaches(self) -> frozenset[str]:
        """Contexts that the value can be, in lower case, as in `github.event.issue.title`."""
        return flows(self.inner)


class UnreadableError(ValueError):
    """It is not of the grammar."""


def expressions(written: str) -> Iterator[Expression]:
    """Every `${{ … }}` in a text."""
    for match in _MARKED.finditer(written):
        yield Expression(match[0], match[1])


def is_whole(written: str) -> bool:
    """Whether a text is one expression and nothing else."""
    return _MARKED.fullmatch(written.strip()) is not None


def flows(inner: str) -> frozenset[str]:
    """Contexts that can reach an expression's value; all that it names where that is unknown."""
    try:
        return frozenset(_Reader(_tokens(inner)).whole())
    except (UnreadableError, RecursionError):
        return named(inner)


def named(inner: str) -> frozenset[str]:
    """Every context that an expression names, whatever it does with it."""
    plain = re.sub(r"\[\s*'([\w-]+)'\s*\]", r".\1", inner)
    plain = re.sub(r"'(?:[^']|'')*'", "''", plain)
    found = re.findall(r"[A-Za-z_][\w-]*(?:\s*\.\s*(?:[A-Za-z_][\w-]*|\*))*(?!\s*\()", plain)
    return frozenset(re.sub(r"\s", "", one).lower() for one in found)


def _tokens(inner: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, inner = 0, inner.rstrip()
    if len(inner) > _LONGEST:
        raise UnreadableError(inner[:40])
    while at < len(inner):
        match = _TOKEN.match(inner, at)
        if match is None or match.lastgroup is None:
            raise UnreadableError(inner)
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Reader:
    """One pass over the tokens; each method gives the contexts that its part's value can be."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def whole(self) -> set[str]:
        found = self.either()
        if self.at != len(self.tokens):
            raise UnreadableError
        return found

    def either(self) -> set[str]:
        found = self.both()
        while self.takes("||"):
            found |= self.both()
        return found

    def both(self) -> set[str]:
        """`a && b` is b, or an `a` that counts as false, which is no text."""
        found = self.compared()
        while self.takes("&&"):
            found = self.compared()
        return found

    def compared(self) -> set[str]:
        found = self.single()
        while self.peek() in _COMPARISONS:
            self.at += 1
            self.single()
            found = set()
        return found

    def single(self) -> set[str]:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UnreadableError
        found = self._single()
        self.depth -= 1
        return found

    def _single(self) -> set[str]:
        if self.takes("!"):
            self.single()
            return set()
        if self.takes("("):
            found = self.either()
            self.must(")")
            return self.indexed("", found)
        kind, word = self.next()
        if kind in ("string", "number"):
            return set()
        if kind != "name":
            raise UnreadableError(word)
        if word.lower() in ("true", "false", "null"):
            return set()
        if self.takes("("):
            return self.call(word.lower())
        return self.indexed(word.lower(), set())

    def call(self, function: str) -> set[str]:
        found: set[str] = set()
        while not self.takes(")"):
            found |= self.either()
            self.takes(",")
        return self.indexed("", set() if function in _OWN else found)

    def indexed(self, path: str, found: set[str]) -> set[str]:
        """What stands behind a name: `.name`, `.*`, `['name']`, `[expression]`."""
        while self.peek() in (".", "["):
            if self.takes("."):
                _, word = self.next()
                path = f"{path}.{word.lower()}" if path else path
            else:
                kind, word = (
                    self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ("", "")
                )
                self.must("[")
                if self.peek() != "*":
                    self.either()
                else:
                    self.at += 1
                self.must("]")
                step = word[1:-1].lower() if kind == "string" else "*"
                path = f"{path}.{step}" if path else path
        return found | ({path} if path else set())

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise UnreadableError
        self.at += 1
        return self.tokens[self.at - 1]

    def takes(self, sign: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == ("sign", sign):
            self.at += 1
            return True
        return False

    def must(self, sign: str) -> None:
        if not self.takes(sign):
            raise UnreadableError(sign)
