"""Laws over all kinds: order and comments mean nothing, junk never raises, secrets never show."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.diagnostics import Diagnostic, render
from llmops.digest import canonical
from llmops.source.document import Document, parse
from llmops.specs.load import load_one
from tests.specs.examples import VALID, document, spec

Place = tuple[str | int, ...]
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "spec", "data", "metric", "min", "rule", "with", "lora", "file"]
            )
            | st.text("abcdef_", min_size=2, max_size=8),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
SECRETS = (
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "sk-proj-abcdefghij0123456789",
    "AKIAABCDEFGHIJKLMNOP",
)


def _as_yaml(name: str, value: Any, comment: str = "") -> Document | None:
    """A value as a document: JSON is YAML."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    lines = [f"{line}  # {comment}" if comment and line[-1:] in "[{," else line
             for line in text.split("\n")]  # fmt: skip
    return parse(f"specs/{name}.yaml", "\n".join(lines).encode()).document


def _places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    steps: Any = enumerate(value) if isinstance(value, list) else ()
    for step, inner in value.items() if isinstance(value, dict) else steps:
        yield from _places(inner, (*at, step))


def _put(value: Any, place: Place, junk: Any) -> Any:
    changed = copy.deepcopy(value)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    if not place:
        return junk
    holder[place[-1]] = junk
    return changed


def _shuffled(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: _shuffled(value[key], draw) for key in keys}
    if isinstance(value, list):
        items = [_shuffled(item, draw) for item in value]
        named = all(isinstance(item, dict) and "name" in item for item in items)
        return draw(st.permutations(items)) if named else items
    return value


@given(st.data())
@settings(max_examples=100)
def test_order_of_keys_and_named_lists_and_comments_change_no_projection(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(sorted(VALID)))
    whole = document(name, VALID[name]).value
    other = _as_yaml(name, _shuffled(whole, data.draw), comment="a remark")
    assert other is not None
    found, diagnostics = load_one(other)
    assert diagnostics == ()
    assert found is not None
    expected = spec(name)
    assert canonical(found.projections) == canonical(expected.projections)
    assert {r.target for r in found.references} == {r.target for r in expected.references}
    assert found.labels == expected.labels


@given(st.data())
@settings(max_examples=400)
def test_junk_anywhere_never_raises_and_is_told_at_a_place_of_the_file(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(VALID)))
    value = document(name, VALID[name]).value
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(_places(value))))
        value = _put(value, place, data.draw(JUNK))
    read = _as_yaml(name, value)
    if read is None:
        return
    found, diagnostics = load_one(read)
    _well_told(read, diagnostics)
    assert found is not None or diagnostics
    if found is not None:
        canonical(dict(found.value))
        canonical(dict(found.projections))


def test_five_thousand_mutated_texts_never_raise() -> None:
    dice = random.Random(7)
    texts = sorted(VALID.items())
    marks = "{}[]:,-#'\"|>&*!%@` \n\t~0e.+"
    for _ in range(5000):
        name, text = dice.choice(texts)
        cut = list(text)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(cut))
            match dice.randrange(3):
                case 0:
                    cut[at] = dice.choice(marks)
                case 1:
                    del cut[at : at + dice.randint(1, 30)]
                case _:
                    cut[at:at] = cut[dice.randrange(len(cut)) :][: dice.randint(1, 40)]
        parsed = parse(f"specs/{name}.yaml", "".join(cut).encode())
        if parsed.document is not None:
            found, diagnostics = load_one(parsed.document)
            _well_told(parsed.document, diagnostics)
            assert found is not None or diagnostics


def _well_told(read: Document, diagnostics: tuple[Diagnostic, ...]) -> None:
    lines = read.text.split("\n")
    for diagnostic in diagnostics:
        assert diagnostic.message
        assert diagnostic.rule
        assert "\n" not in diagnostic.message
        assert 1 <= diagnostic.span.line <= len(lines)
        assert not diagnostic.message.endswith(".")


@given(st.data())
@settings(max_examples=250)
def test_a_secret_in_place_of_any_text_is_found_and_never_shown(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(VALID)))
    value = document(name, VALID[name]).value
    texts = [p for p in _places(value) if p and isinstance(_at(value, p), str)]
    secret = data.draw(st.sampled_from(SECRETS))
    read = _as_yaml(name, _put(value, data.draw(st.sampled_from(texts)), secret))
    assert read is not None
    found, diagnostics = load_one(read)
    assert found is None
    assert secret not in render(diagnostics, {read.path: read.text})
    if value["kind"] == _kind(read):
        assert "literal-secret" in {d.rule for d in diagnostics}


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _kind(read: Document) -> Any:
    return read.value["kind"]


@pytest.mark.parametrize("name", VALID)
def test_loading_twice_gives_equal_specs(name: str) -> None:
    assert spec(name) == spec(name)


@pytest.mark.parametrize("name", VALID)
def test_a_normalised_value_loads_to_itself(name: str) -> None:
    found = spec(name)
    whole = {"apiVersion": "llmops/v1alpha1", "kind": found.ref.kind, **found.value}
    again = _as_yaml(name, whole)
    assert again is not None
    other, diagnostics = load_one(again)
    assert diagnostics == ()
    assert other is not None
    assert canonical(dict(other.value)) == canonical(dict(found.value))
