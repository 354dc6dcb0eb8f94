"""pydantic's errors -> Problems in the user's words, with the place they can be found at.

A key that is misspelt beside a required one that is missing is one mistake, not two. Keys and
values that are announced but not built are told as such. No literal secret is ever quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.diagnostics import nearest
from llmops.specs import not_yet, upstream
from llmops.specs.blocks import PATTERN_WORDS
from llmops.specs.problem import Loc, Problem, listed, path_of, quoted, shown
from llmops.specs.shape import Shape

Raw = Callable[[Loc], str | None]  # a scalar's own text, by its place


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a document that one model was asked about: `spec` or `metadata`."""

    kind: str
    root: Loc
    shape: Shape
    value: Any  # of the whole document
    raw: Raw


@dataclass(slots=True)
class _Keys:
    """Keys of one block that are missing or too many."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)


def translate(part: Part, errors: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """All errors of one validation as problems."""
    blocks: dict[Loc, _Keys] = {}
    for error in errors:
        loc = _place((*part.root, *error["loc"]), part.value)
        if error["type"] == "too_short" and error["input"]:
            continue  # its items are wrong, which is told
        if error["type"] == "missing":
            blocks.setdefault(loc, _Keys()).missing.append(str(error["loc"][-1]))
        elif error["type"] == "extra_forbidden":
            blocks.setdefault(loc[:-1], _Keys()).extra.append(str(loc[-1]))
        elif error["type"] == "union_tag_not_found":
            _untagged(part, loc, error, blocks)
        else:
            yield _wrong(part, loc, error)
    for loc, keys in blocks.items():
        yield from _block(part, loc, keys)


def _place(loc: Loc, value: Any) -> Loc:
    """The path as it stands in the document: pydantic adds the branches of unions to it."""
    found: list[str | int] = []
    for step in loc:
        if _has(value, step):
            value = value[step]
            found.append(step)
    return tuple(found)


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value


def pattern(loc: Loc) -> str:
    """`("spec", "checks", 0, "metric")` -> `checks[].metric`."""
    return re.sub(r"\[\d+\]", "[]", path_of(loc))


def _untagged(part: Part, loc: Loc, error: Mapping[str, Any], blocks: dict[Loc, _Keys]) -> None:
    """The key that chooses the branch is missing: whatever is unknown may be its misspelling."""
    keys = blocks.setdefault(loc, _Keys())
    keys.missing.append(_discriminator(error))
    shape = part.shape.at(loc[len(part.root) :])
    known = shape.fields if shape else {}
    keys.extra += [k for k in error["input"] if isinstance(k, str) and k not in known]


def _discriminator(error: Mapping[str, Any]) -> str:
    return str(error["ctx"]["discriminator"]).strip("'")


def _block(part: Part, loc: Loc, keys: _Keys) -> Iterator[Problem]:
    shape = part.shape.at(loc[len(part.root) :])
    known = dict(shape.fields) if shape else {}
    missing, announced = list(keys.missing), False
    for name in keys.extra:
        feature = not_yet.key(part.kind, pattern((*loc, name)))
        if feature and part.root == ("spec",):
            announced = True
            what = not_yet.message(f'"{path_of((*loc, name))}"', feature)
            yield Problem((*loc, name), "not-yet", what, not_yet.HINT, key=True)
            continue
        near = nearest(name, missing) or nearest(name, known)
        missing = [m for m in missing if m != near]
        yield _unknown(part, (*loc, name), near, known)
    for name in () if announced else missing:
        where = part.kind if loc == ("spec",) else path_of(loc)
        at_key = isinstance(loc[-1], str) if loc else False
        what = f'{where} has no "{name}"'
        yield Problem(loc, "missing-field", what, f'add "{name}:"', key=at_key)


def _unknown(part: Part, loc: Loc, near: str | None, known: Mapping[str, Shape]) -> Problem:
    owner = part.kind if part.root == ("spec",) else "metadata"
    path = path_of(loc).removeprefix("metadata.")
    hint = f'did you mean "{near}"?' if near else f"known are {listed(known, 12)}"
    if loc[-1] in known:
        hint = "it does not go with the other keys here"
    elif not near and (elsewhere := _elsewhere(part, str(loc[-1]))):
        hint = f'did you mean "{elsewhere}"?'
    return Problem(loc, "unknown-field", f"{owner} has no field {quoted(path)}", hint, key=True)


def _elsewhere(part: Part, name: str) -> str:
    """Where in this kind a key of this name belongs, if at one place only."""
    found = [path for path in _paths(part.shape) if path.rpartition(".")[2] == name]
    if not found and part.kind == "Recipe":
        return upstream.home(name)
    return found[0] if len(found) == 1 else ""


def _paths(shape: Shape, path: str = "") -> Iterator[str]:
    for name, inner in shape.fields.items():
        at = f"{path}.{name}" if path else name
        yield at
        yield from _paths(inner, f"{at}[]" if inner.many else at)


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}

_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def _wrong(part: Part, loc: Loc, error: Mapping[str, Any]) -> Problem:
    kind, given, ctx = error["type"], error["input"], error.get("ctx", {})
    name = f'"{path_of(loc)}"'
    if error["loc"] and error["loc"][-1] == "[key]":
        return _bad_key(loc, kind, given, ctx)
    if kind in ("literal_error", "union_tag_invalid"):
        return _unknown_value(part, loc, error)
    if isinstance(given, str) and (feature := not_yet.value(part.kind, pattern(loc), not_yet.TEXT)):
        return Problem(loc, "not-yet", not_yet.message(f"{name} as text", feature))
    if kind in _EXPECTED:
        what = f"{name} must be {_EXPECTED[kind]}, not {shown(given)}"
        return Problem(loc, "wrong-type", what, _retype(kind, given, part.raw(loc)))
    if kind == "words":
        return Problem(loc, "wrong-type", f"{name} must be {error['msg']}, not {shown(given)}")
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        what = f"{name} must be {words} {_figure(ctx[key])}, not {_figure(given)}"
        return Problem(loc, "wrong-value", what)
    return Problem(loc, "wrong-value", f"{name} {_other(kind, given, ctx)}")


def _figure(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else shown(value).removeprefix("number ")


def _other(kind: str, given: Any, ctx: Mapping[str, Any]) -> str:
    if kind == "string_pattern_mismatch":
        words = PATTERN_WORDS.get(ctx["pattern"], "of another form")
        return f"must be {words}, not {shown(given)}"
    if kind == "string_too_long":
        return f"is longer than {ctx['max_length']} characters"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty" if ctx["min_length"] == 1 else f"needs {ctx['min_length']}"
    if kind == "too_long":
        return "must be empty" if ctx["max_length"] == 0 else f"holds more than {ctx['max_length']}"
    if kind == "finite_number":
        return "must be a finite number"
    return f"cannot be {shown(given)}"


def _bad_key(loc: Loc, kind: str, given: Any, ctx: Mapping[str, Any]) -> Problem:
    if kind == "string_pattern_mismatch":
        words = PATTERN_WORDS.get(ctx["pattern"], "of another form")
        return Problem(loc, "wrong-value", f"the key {quoted(given)} must be {words}", key=True)
    return Problem(loc, "wrong-type", f"the key must be text, not {shown(given)}", key=True)


def _retype(kind: str, given: Any, raw: str | None) -> str:
    """What to do about a value of the wrong type."""
    if given is None:
        return "give it a value, or remove the key"
    if kind == "string_type" and raw and not isinstance(given, dict | list):
        return f'put it in quotes: "{raw}"' if raw.isprintable() and len(raw) < 60 else "quote it"
    if kind in ("int_type", "float_type", "bool_type") and isinstance(given, str):
        return "remove the quotes" if _reads_as(kind, given) else ""
    if kind == "tuple_type" and isinstance(given, str | int | float):
        return "write a list, as in [a, b]"
    return ""


def _reads_as(kind: str, text: str) -> bool:
    if kind == "bool_type":
        return text in ("true", "false")
    return re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", text) is not None


def _unknown_value(part: Part, loc: Loc, error: Mapping[str, Any]) -> Problem:
    """A word that is none of those a key knows; announced ones are told as not built."""
    if error["type"] == "union_tag_invalid":
        name = _discriminator(error)
        loc, given = (*loc, name), error["input"].get(name)
        expected = error["ctx"]["expected_tags"]
    else:
        given, expected = error["input"], error["ctx"]["expected"]
    feature = not_yet.value(part.kind, pattern(loc), str(given))
    if feature:
        what = not_yet.message(f'"{path_of(loc)}: {_word(given)}"', feature)
        return Problem(loc, "not-yet", what, _known(expected))
    words = re.findall(r"'([^']*)'", expected)
    near = nearest(given, words) if isinstance(given, str) else None
    hint = f'did you mean "{near}"?' if near else _known(expected)
    if pattern(loc) == "rules[].rule" and _always_judged(given):
        what = f"rule {quoted(given)} always judges, and no policy names it"
        return Problem(loc, "unknown-rule", what, "remove the entry; it cannot become a warning")
    if pattern(loc) == "rules[].rule":
        return Problem(loc, "unknown-rule", f"there is no rule {quoted(given)}", hint)
    return Problem(loc, "unknown-value", f'"{path_of(loc)}" cannot be {shown(given)}', hint)


def _always_judged(given: Any) -> bool:
    from llmops.specs.policy import ALWAYS_JUDGED

    return given in ALWAYS_JUDGED


def _word(given: Any) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)


def _known(expected: str) -> str:
    words = re.findall(r"'([^']*)'", expected)
    if len(words) > 1:
        return f"known are {listed(words, 12)}"
    return f"it can only be {listed(words) or expected.lower()}"
