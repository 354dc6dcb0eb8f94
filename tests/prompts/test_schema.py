"""Values under the JSON Schema of inputs, values made up for them, and the texts inside."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.prompts.schema import mismatch, sample, texts


@pytest.mark.parametrize(
    ("value", "schema", "wrong"),
    [
        (1, {"type": "integer"}, ""),
        (True, {"type": "integer"}, "not of type integer"),
        (1.5, {"type": "integer"}, "not of type integer"),
        (1, {"type": ["string", "number"]}, ""),
        (None, {"type": "null"}, ""),
        (5, {"minimum": 6}, "below the minimum 6"),
        (5, {"maximum": 4}, "above the maximum 4"),
        (True, {"const": True}, ""),
        ("", {"minLength": 1}, "0 characters, below the minimum 1"),
        ([], {"minItems": 1}, "0 items, below the minimum 1"),
        ({"a": 1, "b": 2}, {"properties": {"a": {}}, "additionalProperties": False},
         '"v.b" is not declared'),
        ("x", {"pattern": "y"}, 'unsupported keyword "pattern"'),
        ([{"n": "1"}], {"items": {"properties": {"n": {"type": "number"}}}}, r'"v[0].n" is not'),
    ],
)  # fmt: skip
def test_values_against_schemas(value: Any, schema: Any, wrong: str) -> None:
    found = mismatch(value, schema, "v")
    assert wrong in found
    assert bool(found) == bool(wrong)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string", "minLength": 9},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "minimum": 7},
        {"type": "number", "maximum": -3},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"enum": ["a", "b"]},
        {"const": 4},
        {"default": [], "type": "array", "maxItems": 0},
        {"type": "array", "minItems": 2, "items": {"type": "integer"}},
        {"properties": {"tier": {"enum": ["gold"]}}, "required": ["tier", "more"]},
    ],
)
def test_what_is_made_up_for_a_type_fits_it(schema: dict[str, Any]) -> None:
    assert mismatch(sample(schema), schema, "v") == ""


def test_every_text_of_a_value_has_its_path() -> None:
    value = {"a": ["x", {"b": "y"}], "n": 1, "c": "z"}
    assert list(texts(value, "v")) == [("v.a[0]", "x"), ("v.a[1].b", "y"), ("v.c", "z")]
