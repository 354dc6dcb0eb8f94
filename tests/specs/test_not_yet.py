"""What is announced and not built: refused by name at its place, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmops.source.document import parse
from llmops.specs import not_yet
from llmops.specs.load import KINDS, load_one, roles
from tests.specs.examples import VALID, document

EXAMPLE = {"Model": "tiny", "Dataset": "support", "Recipe": "support-lora",
           "Prompt": "support-system", "Evaluation": "support-quality",
           "SafetyTest": "support-redteam", "Guardrail": "support-guard",
           "Application": "assistant",
           "Environment": "cluster", "Release": "rollout", "Policy": "production"}  # fmt: skip
KEYS = [(kind, path) for kind, paths in not_yet.KEYS.items() for path in paths]
VALUES = [
    (kind, path, word)
    for kind, paths in not_yet.VALUES.items()
    for path, words in paths.items()
    for word in words
]


def _rules(kind: str, path: str, put: Any) -> list[tuple[str, str]]:
    """What is told about a valid example with something put at a path."""
    name = EXAMPLE[kind]
    value = document(name, VALID[name]).value
    *outer, last = path.split(".")
    holder = value["spec"]
    for step in outer:
        holder = holder.setdefault(step.removesuffix("[]"), {})
        holder = holder[0] if step.endswith("[]") else holder
    if last.endswith("[]"):
        holder[last.removesuffix("[]")] = [put]
    else:
        holder[last] = put
    read = parse(f"specs/{name}.yaml", json.dumps(value, ensure_ascii=False).encode()).document
    assert read is not None
    spec, diagnostics = load_one(read)
    assert spec is None
    return [(d.rule, d.message) for d in diagnostics]


@pytest.mark.parametrize(("kind", "path"), KEYS)
def test_an_announced_key_is_refused_by_name(kind: str, path: str) -> None:
    told = _rules(kind, path, {"x": 1})
    assert any(rule == "not-yet" and path.rpartition(".")[2] in text for rule, text in told)
    assert "unknown-field" not in {rule for rule, _ in told}


@pytest.mark.parametrize(("kind", "path", "word"), VALUES)
def test_an_announced_value_is_refused_by_name(kind: str, path: str, word: str) -> None:
    put = {"True": True, not_yet.TEXT: "zero-2"}.get(word, word)
    assert "not-yet" in {rule for rule, _ in _rules(kind, path, put)}


@pytest.mark.parametrize("kind", not_yet.KINDS)
def test_an_announced_kind_is_refused_by_name(kind: str) -> None:
    text = f"apiVersion: llmops/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{a: 1}}\n"
    spec, diagnostics = load_one(document("x", text))
    assert spec is None
    assert [d.rule for d in diagnostics] == ["not-yet"]


def test_nothing_is_both_built_and_announced() -> None:
    assert set(KINDS) & set(not_yet.KINDS) == set()
    for kind, path in KEYS:
        assert path not in roles(kind), f"{kind}.{path}"
        assert not any(known.startswith((f"{path}.", f"{path}[]")) for known in roles(kind))
