"""A value under a JSON Schema, in the subset that inputs of prompts are declared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_NOTES = {"description", "title", "default", "examples", "untrusted"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (Mapping,),
    "null": (type(None),),
}


def mismatch(value: Any, schema: Mapping[str, Any], path: str) -> str:
    """What is wrong with a value under a JSON Schema, or "" if nothing is.

    Known: type, enum, const, minLength, maxLength, minimum, maximum, minItems, maxItems, items,
    properties, required, additionalProperties (false); notes are passed over. A keyword outside
    this subset is itself a mismatch, so that no constraint is ever silently ignored.
    """
    if unknown := sorted(set(schema) - _KNOWN):
        return f'"{path}": its schema has the unsupported keyword "{unknown[0]}"'
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f'"{path}" is not of type {" or ".join(kinds)}'
    if "enum" in schema and value not in schema["enum"]:
        return f'"{path}" is none of {", ".join(map(str, schema["enum"]))}'
    if "const" in schema and value != schema["const"]:
        return f'"{path}" is not {schema["const"]}'
    return _bounds(value, schema, path) or _inner(value, schema, path)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _TYPES.get(kind, ()))


def _bounds(value: Any, schema: Mapping[str, Any], path: str) -> str:
    for kind, unit, low, high in _BOUNDS:
        if isinstance(value, bool) or not isinstance(value, kind):
            continue
        size: Any = len(value) if unit else value
        if low in schema and size < schema[low]:
            return f'"{path}" has {size}{unit}, below the minimum {schema[low]}'
        if high in schema and size > schema[high]:
            return f'"{path}" has {size}{unit}, above the maximum {schema[high]}'
    return ""


_BOUNDS: tuple[tuple[Any, str, str, str], ...] = (
    (str, " characters", "minLength", "maxLength"),
    ((int, float), "", "minimum", "maximum"),
    (list, " items", "minItems", "maxItems"),
)
_KNOWN = {
    *_NOTES,
    *(keyword for _, _, low, high in _BOUNDS for keyword in (low, high)),
    *("type", "enum", "const", "items", "properties", "required", "additionalProperties"),
}


def _inner(value: Any, schema: Mapping[str, Any], path: str) -> str:
    if isinstance(value, list) and "items" in schema:
        found = (mismatch(v, schema["items"], f"{path}[{i}]") for i, v in enumerate(value))
        return next(filter(None, found), "")
    if not isinstance(value, Mapping):
        return ""
    for name in schema.get("required", ()):
        if name not in value:
            return f'"{path}.{name}" is missing'
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is False and (more := set(value) - set(properties)):
        return f'"{path}.{min(more)}" is not declared'
    inner = (mismatch(value[k], s, f"{path}.{k}") for k, s in properties.items() if k in value)
    return next(filter(None, inner), "")


def sample(schema: Mapping[str, Any], text: str = "text") -> Any:
    """A plain value that fits a schema, with `text` wherever it may hold any text.

    The default first, then an example, then the least that the schema asks for.
    """
    for word in ("default", "const"):
        if word in schema:
            return schema[word]
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds if isinstance(kinds, str) else next(iter(kinds), "string")
    make = _SAMPLES.get(kind)
    return make(schema, text) if make is not None else None


def _number(schema: Mapping[str, Any], text: str) -> Any:
    low, high = schema.get("minimum"), schema.get("maximum")
    return low if low is not None else min(1, high) if high is not None else 1


def _string(schema: Mapping[str, Any], text: str) -> str:
    longer = text + "." * max(0, int(schema.get("minLength", 0)) - len(text))
    return longer[: schema.get("maxLength")]


def _array(schema: Mapping[str, Any], text: str) -> list[Any]:
    count = max(schema.get("minItems", 1), 1)
    return [sample(schema.get("items", {}), text) for _ in range(min(count, 100))]


def _object(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    known = schema.get("properties", {})
    named = [*known, *(name for name in schema.get("required", ()) if name not in known)]
    return {name: sample(known.get(name, {}), text) for name in named}


def _boolean(schema: Mapping[str, Any], text: str) -> bool:
    return True


_SAMPLES: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "string": _string,
    "integer": _number,
    "number": _number,
    "array": _array,
    "object": _object,
    "boolean": _boolean,
}


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from texts(inner, f"{path}[{i}]")
