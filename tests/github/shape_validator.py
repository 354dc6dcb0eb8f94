"""Validation against schemas of OpenAPI 3.0, their references followed only where they are met."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

Schema = Mapping[str, Any]
MOST = 5  # problems of one body
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_FORMS = {"date-time": _DATE_TIME, "uri": re.compile(r"[a-z][a-z0-9+.-]*:\S*")}


def resolved(whole: Mapping[str, Any], schema: Schema) -> Schema:
    """The schema itself where it is a reference."""
    while "$ref" in schema:
        schema = _target(whole, schema["$ref"])
    return schema


def problems(whole: Mapping[str, Any], schema: Schema, body: Any) -> list[str]:
    """What is wrong with a body, in words; at most `MOST`."""
    found = []
    for error in _validator(whole)(schema).iter_errors(body):
        where = ".".join(str(part) for part in error.absolute_path) or "it"
        found.append(f"{where}: {error.message[:200]}")
        if len(found) == MOST:
            break
    return found


def strange(whole: Mapping[str, Any], schema: Schema, body: Any, where: str = "") -> Iterator[str]:
    """Fields of a body that the schema has no word for, at any depth."""
    if isinstance(body, list):
        items = resolved(whole, schema).get("items", {})
        for number, item in enumerate(body):
            yield from strange(whole, items, item, f"{where}[{number}]")
        return
    known = dict(_properties(whole, schema))
    if not isinstance(body, dict) or not known:
        return
    for name, value in body.items():
        if name not in known:
            yield f"{where or 'it'} has an unknown {name}"
        else:
            yield from strange(whole, known[name], value, f"{where}.{name}".lstrip("."))


def _properties(whole: Mapping[str, Any], schema: Schema) -> Iterator[tuple[str, Schema]]:
    schema = resolved(whole, schema)
    for branch in ("allOf", "anyOf", "oneOf"):
        for member in schema.get(branch, ()):
            yield from _properties(whole, member)
    yield from schema.get("properties", {}).items()


def _target(whole: Mapping[str, Any], reference: str) -> Schema:
    found: Any = whole
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found  # type: ignore[no-any-return]


_MADE: dict[int, Any] = {}


def _validator(whole: Mapping[str, Any]) -> Any:
    """A validator class that knows `nullable` and follows references into `whole`."""
    if id(whole) in _MADE:
        return _MADE[id(whole)]
    plain = Draft202012Validator.VALIDATORS

    def reference(validator: Any, ref: str, instance: Any, _: Schema) -> Iterator[ValidationError]:
        yield from validator.descend(instance, _target(whole, ref))

    def kind(validator: Any, wanted: Any, instance: Any, schema: Schema) -> Any:
        if instance is None and schema.get("nullable"):
            return ()
        return plain["type"](validator, wanted, instance, schema) or ()

    def one_of_values(validator: Any, values: Any, instance: Any, schema: Schema) -> Any:
        if instance is None and schema.get("nullable"):
            return ()
        return plain["enum"](validator, values, instance, schema) or ()

    def any_of(validator: Any, members: Any, instance: Any, schema: Schema) -> Any:
        if instance is None and schema.get("nullable"):
            return ()
        return plain["anyOf"](validator, members, instance, schema) or ()

    def form(_: Any, name: str, instance: Any, __: Schema) -> Iterator[ValidationError]:
        pattern = _FORMS.get(name)
        if pattern and isinstance(instance, str) and instance and not pattern.fullmatch(instance):
            yield ValidationError(f"{instance[:80]!r} is no {name}")

    rules = {"$ref": reference, "type": kind, "enum": one_of_values, "anyOf": any_of,
             "oneOf": any_of, "format": form, "example": None, "examples": None}  # fmt: skip
    made = validators.extend(Draft202012Validator, {k: v for k, v in rules.items() if v})
    _MADE[id(whole)] = made
    return made
