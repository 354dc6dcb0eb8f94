"""The expressions of workflow files, read and evaluated as GitHub documents them.

In: a text, the contexts (`github`, `needs`, ...), the status of the job. Out: a value of JSON. What
is not known here is refused (`Unknown`): a context, a function, a character. A property that an
object does not have is null, as on GitHub; an object that cannot be there at all is not.
https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>().,\[\]*]))"
)
_WHOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}
STATUS = ("always", "success", "failure", "cancelled")


class Unknown(AssertionError):
    """Something that this runner does not know, so that nothing is passed by not being run."""


@dataclass(frozen=True)
class Scope:
    """What an expression may speak of, and how things stand: success, failure or cancelled."""

    contexts: Mapping[str, Any]
    status: str = "success"
    asked_status: list[str] = field(default_factory=list)


def condition(text: str | bool | None, scope: Scope) -> bool:
    """An `if:`: without a question about the status it holds only where all went well."""
    text = "success()" if text is None else text_of(text)
    found = _WHOLE.fullmatch(text.strip())
    if found is None and "${{" in text:
        raise Unknown(f"a condition that is partly an expression is always true: {text}")
    value = evaluate(found[1] if found else text, scope)
    if not scope.asked_status:
        return scope.status == "success" and truth(value)
    return truth(value)


def filled(value: Any, scope: Scope) -> Any:
    """A value of a workflow with its expressions replaced; one that is whole keeps its type."""
    if isinstance(value, dict):
        return {key: filled(one, scope) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, scope) for one in value]
    if not isinstance(value, str):
        return value
    whole = _WHOLE.fullmatch(value.strip())
    if whole is not None and value.count("${{") == 1:
        return evaluate(whole[1], scope)
    return _WHOLE.sub(lambda found: text_of(evaluate(found[1], scope)), value)


def evaluate(text: str, scope: Scope) -> Any:
    """The value of one expression."""
    tokens = list(_tokens(text))
    value, rest = _either(tokens, scope)
    if rest:
        raise Unknown(f"cannot read {text!r} from {rest[0]!r}")
    return value


def text_of(value: Any) -> str:
    """A value as GitHub writes it into text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return (
        "Object" if isinstance(value, dict) else "Array" if isinstance(value, list) else str(value)
    )


def truth(value: Any) -> bool:
    """GitHub's idea of it: false, 0, "" and null are not."""
    return value not in (False, 0, "", None) or (isinstance(value, (dict, list)))


# ---- reading ---------------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise Unknown(f"cannot read {text[at:]!r} in an expression")
        kind = str(found.lastgroup)
        yield kind, found[kind]
        at = found.end()


Tokens = list[tuple[str, str]]


def _either(tokens: Tokens, scope: Scope) -> tuple[Any, Tokens]:
    value, rest = _both(tokens, scope)
    while rest and rest[0][1] == "||":
        other, rest = _both(rest[1:], scope)
        value = value if truth(value) else other
    return value, rest


def _both(tokens: Tokens, scope: Scope) -> tuple[Any, Tokens]:
    value, rest = _compared(tokens, scope)
    while rest and rest[0][1] == "&&":
        other, rest = _compared(rest[1:], scope)
        value = other if truth(value) else value
    return value, rest


def _compared(tokens: Tokens, scope: Scope) -> tuple[Any, Tokens]:
    value, rest = _negated(tokens, scope)
    while rest and rest[0][1] in ("==", "!="):
        sign = rest[0][1]
        other, rest = _negated(rest[1:], scope)
        value = _equal(value, other) is (sign == "==")
    if rest and rest[0][1] in ("<", ">", "<=", ">="):
        raise Unknown("no workflow of ours compares by order")
    return value, rest


def _equal(one: Any, other: Any) -> bool:
    """Texts are compared without regard to case; of two types, numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _negated(tokens: Tokens, scope: Scope) -> tuple[Any, Tokens]:
    if tokens and tokens[0][1] == "!":
        value, rest = _negated(tokens[1:], scope)
        return not truth(value), rest
    return _value(tokens, scope)


def _value(tokens: Tokens, scope: Scope) -> tuple[Any, Tokens]:
    if not tokens:
        raise Unknown("an expression ends too early")
    (kind, word), rest = tokens[0], tokens[1:]
    if kind == "text":
        return word[1:-1].replace("''", "'"), rest
    if kind == "number":
        return float(int(word, 16)) if "x" in word else float(word), rest
    if word == "(":
        value, rest = _either(rest, scope)
        return value, _expect(rest, ")")
    if kind != "name":
        raise Unknown(f"cannot read {word!r} in an expression")
    if rest and rest[0][1] == "(":
        return _called(word, rest[1:], scope)
    if word in _WORDS:
        return _WORDS[word], rest
    if word not in scope.contexts:
        raise Unknown(f"there is no context {word!r} here")
    return _path(scope.contexts[word], rest)


def _path(value: Any, tokens: Tokens) -> tuple[Any, Tokens]:
    while tokens and tokens[0][1] == ".":
        (kind, name), tokens = tokens[1], tokens[2:]
        if name == "*":
            value = Every(value if isinstance(value, list) else list((value or {}).values()))
        elif kind != "name":
            raise Unknown(f"cannot read {name!r} after a dot")
        elif isinstance(value, Every):
            value = Every(one[name] for one in value if isinstance(one, dict) and name in one)
        elif isinstance(value, Closed):
            value = value.member(name)
        else:
            value = value.get(name) if isinstance(value, dict) else None
    if tokens and tokens[0][1] == "[":
        raise Unknown("no workflow of ours takes a member by [ ]")
    return value, tokens


class Every(list[Any]):
    """What `.*` gives: a property of it is that of each."""


class Closed(dict[str, Any]):
    """A context whose members are all known: another one is a mistake in the workflow."""

    def member(self, name: str) -> Any:
        if name not in self:
            raise Unknown(f"there is no {name!r} among {', '.join(sorted(self)) or 'nothing'}")
        return self[name]


def _expect(tokens: Tokens, sign: str) -> Tokens:
    if not tokens or tokens[0][1] != sign:
        raise Unknown(f"an expression lacks {sign!r}")
    return tokens[1:]


# ---- functions -------------------------------------------------------------------------------


def _called(name: str, tokens: Tokens, scope: Scope) -> tuple[Any, Tokens]:
    given: list[Any] = []
    while tokens and tokens[0][1] != ")":
        value, tokens = _either(tokens, scope)
        given.append(value)
        if tokens and tokens[0][1] == ",":
            tokens = tokens[1:]
    rest = _expect(tokens, ")")
    if name in STATUS:
        scope.asked_status.append(name)
        return name == "always" or scope.status == name, rest
    if name not in FUNCTIONS:
        raise Unknown(f"there is no function {name!r}")
    return FUNCTIONS[name](*given), rest


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_equal(one, what) for one in where)
    return text_of(what).casefold() in text_of(where).casefold()


def _format(pattern: str, *values: Any) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: text_of(values[int(found[1])]), pattern)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "fromJSON": json.loads,
    "contains": _contains,
    "format": _format,
}
