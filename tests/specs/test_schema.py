"""The schema for editors: it is one, every field's role is in it, and our own specs fit it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmops.source.document import parse
from llmops.specs.load import KINDS, load_one, metadata_shape, roles, shape_of
from llmops.specs.schema import schema, text
from llmops.specs.shape import leaves
from tests.rewrites.texts import OTHERS, OURS, name, paths

ROOT = Path(__file__).parents[2]
FILES = paths(*OURS)
RIGHT = {
    name(path): parsed.document.value
    for path in paths(*OURS, *OTHERS)
    if (parsed := parse(path.name, path.read_bytes())).document is not None
    and load_one(parsed.document)[0] is not None
}
# What only several places of a spec, or its meaning, show: no schema of forms can see it.
MEANINGS = {
    "bad-pattern", "duplicate-name", "literal-secret", "name-mismatch", "not-yet",
    "pinned-revision", "said-twice", "template-syntax", "unknown-check", "unknown-column",
    "unknown-field", "unknown-input", "unknown-metric", "unknown-path", "unknown-source",
    "untestable", "unused-judge", "unused-source", "wrong-type", "wrong-value", "missing-field",
}  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> Any:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_spec_of_ours_fits(validator: Any, path: Path) -> None:
    document = parse(path.name, path.read_bytes()).document
    assert document is not None
    assert [error.message for error in validator.iter_errors(document.value)] == []


@pytest.mark.parametrize("path", RIGHT)
def test_whatever_validate_accepts_fits(validator: Any, path: str) -> None:
    assert [error.message for error in validator.iter_errors(RIGHT[path])] == []


def mistakes() -> Iterator[tuple[str, Any, list[str]]]:
    """Golden mistakes that parse: name, value, the rules that they break."""
    for path in sorted((ROOT / "tests/golden/invalid").glob("*.yaml")):
        rules = re.findall(r": error\[([\w-]+)\]", path.with_suffix(".out").read_text("utf-8"))
        document = parse(path.name, path.read_bytes()).document
        if rules and document is not None:
            yield path.stem, document.value, rules


def test_most_mistakes_do_not_fit_and_the_others_are_of_meaning(validator: Any) -> None:
    every = list(mistakes())
    missed = [(stem, rules) for stem, value, rules in every if validator.is_valid(value)]
    caught = len(every) - len(missed)
    print(f"schema: {caught} of {len(every)} golden mistakes do not fit")
    assert caught / len(every) >= 0.75
    assert {rule for _, rules in missed for rule in rules} <= MEANINGS
    assert not any(stem.startswith(("envelope", "metadata")) for stem, _ in missed)


def test_check_jsonschema_accepts_our_specs_and_refuses_a_typing_error(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(text(schema()), encoding="utf-8")
    program = Path(sys.executable).with_name("check-jsonschema")

    def check(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *words], capture_output=True, text=True, cwd=ROOT)

    assert check("--check-metaschema", tmp_path / "schema.json").returncode == 0
    given = ("--schemafile", tmp_path / "schema.json")
    assert check(*given, *map(name, FILES)).stdout == "ok -- validation done\n"
    wrong = check(*given, "tests/golden/invalid/recipe-training-unknown.yaml")
    assert wrong.returncode == 1
    assert "$.spec.training" in wrong.stdout
    assert "learning_rat" in wrong.stdout


def published(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every example in a schema with the node that it is an example of."""
    if isinstance(node, dict):
        for example in node.get("examples", ()) if isinstance(node.get("examples"), list) else ():
            yield node, example
        for inner in node.values():
            yield from published(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from published(inner)


def test_every_example_fits_its_field() -> None:
    made = schema()
    found = list(published(made))
    assert len(found) > 250
    for node, example in found:
        one = jsonschema.Draft202012Validator({"$defs": made["$defs"], **node})
        assert list(one.iter_errors(example)) == [], node


@pytest.mark.parametrize("kind", ["Metadata", *KINDS])
def test_most_fields_of_every_kind_have_an_example(kind: str) -> None:
    shape = metadata_shape() if kind == "Metadata" else shape_of(kind)
    known = json.loads((ROOT / "llmops/specs/examples.json").read_text("utf-8"))[kind]
    fields = [path for path, _ in leaves(shape)]
    assert set(known) <= set(fields)
    assert len(known) >= 0.55 * len(fields), sorted(set(fields) - set(known))


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
