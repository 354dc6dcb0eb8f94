"""The schema for editors: it is one, every field's role is in it, and our own specs fit it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmops.source.document import parse
from llmops.specs.load import KINDS, roles
from llmops.specs.schema import schema

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "llmops" / "examples"
FILES = [
    *sorted((ROOT / "specs").rglob("*.yaml")),
    *sorted((ROOT / "policies").rglob("*.yaml")),
    *sorted(SHIPPED.glob("*/specs/**/*.yaml")),
    *sorted(SHIPPED.glob("*/policies/*.yaml")),
]


@pytest.fixture(scope="module")
def validator() -> Any:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_spec_of_ours_fits(validator: Any, path: Path) -> None:
    document = parse(path.name, path.read_bytes()).document
    assert document is not None
    assert [error.message for error in validator.iter_errors(document.value)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone_is_a_schema_too(kind: str) -> None:
    made = schema((kind,))
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["properties"]["kind"]["enum"] == [kind]


def said(node: Any) -> Iterator[str]:
    """Every role in a schema."""
    if isinstance(node, dict):
        if isinstance(role := node.get("x-llmops-role"), str):
            yield role
        for inner in node.values():
            yield from said(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from said(inner)


@pytest.mark.parametrize("kind", KINDS)
def test_every_role_of_a_kind_is_published(kind: str) -> None:
    assert set(roles(kind).values()) <= set(said(schema((kind,))))


GOOD = {
    "apiVersion": "llmops/v1alpha1",
    "kind": "Recipe",
    "metadata": {"name": "r"},
    "spec": {"base_model": "m", "data": [{"dataset": "d#train"}], "full": {}},
}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "Recipes"}, "Recipes"),
        ({"apiVersion": "llmops/v2"}, "llmops/v1alpha1"),
        ({"spec": {**GOOD["spec"], "base_modell": "m"}}, "base_modell"),
        ({"spec": {**GOOD["spec"], "seed": "42"}}, "42"),
        ({"metadata": {"name": "Upper"}}, "Upper"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_mistake_does_not_fit(validator: Any, change: dict[str, Any], word: str) -> None:
    assert list(validator.iter_errors(GOOD)) == []
    found = [error.message for error in validator.iter_errors({**GOOD, **change})]
    assert found
    assert any(word in message for message in found)


def test_editors_complete_the_keys_of_quoted_tools() -> None:
    made = schema()
    recipe = made["$defs"]["Recipe"]["properties"]
    assert "learning_rate" in recipe["training"]["properties"]
    assert "output_dir" not in recipe["training"]["properties"]  # refused: not offered
    assert "r" in recipe["lora"]["properties"]
    assert "zero_optimization" in recipe["deepspeed"]["properties"]
