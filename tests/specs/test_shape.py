"""Roles: every leaf of every kind has exactly one, and a value is cut by them without loss."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from llmops.specs.fields import Block, field, group
from llmops.specs.load import KINDS, roles, shape_of
from llmops.specs.shape import Shape, ShapeError, blocks_of, compile_shape, leaves, split
from tests.specs.examples import VALID, spec

KNOWN = {"descriptive", "static", "gate", "placement"}
JOBS = {"curate", "train", "generate", "evaluate", "scan", "guard"}


def _ignore(*_: Any) -> None:
    """A visit that wants nothing."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_leaf_of_a_kind_has_exactly_one_role(kind: str) -> None:
    for path, leaf in leaves(shape_of(kind)):
        plain = leaf.role in KNOWN
        jobs = leaf.role.startswith("job: [") and set(leaf.parts) <= JOBS and leaf.parts
        assert plain != bool(jobs), f"{kind}.{path} has role {leaf.role!r}"
        assert not leaf.fields, f"{kind}.{path} is a leaf with fields"


@pytest.mark.parametrize("kind", KINDS)
def test_roles_name_every_leaf_and_the_metadata(kind: str) -> None:
    told = roles(kind)
    assert {path for path, _ in leaves(shape_of(kind))} <= set(told)
    assert told["metadata.owner"] == "descriptive"
    assert told["metadata.labels"] == "gate"


def test_roles_are_those_that_were_agreed() -> None:
    agreed = {
        "Dataset": {"sources[].file": "job: [curate]", "sources[].uri": "placement",
                    "sources[].license": "static", "splits.parts": "job: [curate]"},
        "Recipe": {"lora": "job: [train]", "seed": "job: [train]",
                   "resources.processes_per_node": "job: [train]", "resources.cpu": "placement",
                   "data[].weight": "job: [train]"},
        "Model": {"weights.digest": "job: [train, generate, evaluate, scan]",
                  "weights.uri": "placement", "license": "static",
                  "init.architecture": "job: [train, generate, evaluate, scan]"},
        "Prompt": {"system": "job: [generate, scan]", "few_shot[].file": "job: [generate, scan]"},
        "Evaluation": {"sample.rows": "job: [generate, evaluate]", "target": "job: [generate]",
                       "checks[].metric": "job: [evaluate]", "checks[].name": "job: [evaluate]",
                       "checks[].require.min": "gate", "slices[].values": "gate",
                       "alpha": "gate", "on_case_error.max": "gate"},
        "Application": {"model": "job: [generate, scan]", "risk_class": "static"},
        "Policy": {"rules[].with.allow": "gate", "rules[].because": "descriptive"},
    }  # fmt: skip
    for kind, paths in agreed.items():
        assert {path: roles(kind)[path] for path in paths} == paths


def _places(shape: Shape, value: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Every leaf that stands in a value: its path, the map that holds it, its key."""
    found: list[tuple[str, Any, Any]] = []
    for name, inner in value.items():
        below, at = shape.fields[name], f"{path}.{name}" if path else name
        if below.leaf:
            found.append((at, value, name))
        elif below.many:
            for item in inner:
                found += _places(below, item, f"{at}[]")
        else:
            found += _places(below, inner, at)
    return found


def test_the_examples_hold_every_leaf_of_every_kind() -> None:
    seen: set[tuple[str, str]] = set()
    for name in VALID:
        found = spec(name)
        shape = shape_of(found.ref.kind)
        seen |= {(found.ref.kind, path) for path, _, _ in _places(shape, found.spec)}
    every = {(kind, path) for kind in KINDS for path, _ in leaves(shape_of(kind))}
    assert every - seen == set()


@pytest.mark.parametrize("name", VALID)
def test_a_changed_leaf_changes_the_projections_of_its_role_and_no_other(name: str) -> None:
    kind, whole = spec(name).ref.kind, dict(spec(name).spec)
    shape, told = shape_of(kind), roles(kind)
    before = split(shape, whole, _ignore)
    for i, (path, _, key) in enumerate(_places(shape, whole)):
        if path.endswith("[].name"):
            continue  # a name is the key of its list's map in every projection
        changed = copy.deepcopy(whole)
        _, holder, _ = _places(shape, changed)[i]
        holder[key] = "other"
        after = split(shape, changed, _ignore)
        differing = {part for part in before | after if before.get(part) != after.get(part)}
        role = told[path]
        asked = {role} if not role.startswith("job:") else set(role[6:-1].split(", "))
        assert differing == asked, f"{kind}.{path}"


@pytest.mark.parametrize("name", VALID)
def test_the_projections_together_hold_every_leaf(name: str) -> None:
    found = spec(name)
    shape = shape_of(found.ref.kind)
    held = sum(len(list(_texts(part))) for part in split(shape, found.spec, _ignore).values())
    several = {p: len(leaf.parts) for p, leaf in leaves(shape)}
    stands = sum(
        len(list(_texts(holder[key]))) * several[path]
        for path, holder, key in _places(shape, found.spec)
        if holder[key] != []
    )
    assert held == stands


def _texts(value: Any) -> Any:
    if isinstance(value, dict) and value:
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _texts(inner) if inner is not None else ()
    else:
        yield value


class _WithoutRole(Block):
    bare: int = group(0, doc="A leaf that says no role.")


class _Nested(Block):
    inner: _WithoutRole = group(doc="Holds the other.")


class _Twice(Block):
    same: int = field(0, role="gate", doc="Gate here.")


class _TwiceOther(Block):
    same: int = field(0, role="static", doc="Static there.")


class _Union(Block):
    either: _Twice | _TwiceOther = group(doc="Two roles for one key.")


@pytest.mark.parametrize("model", [_WithoutRole, _Nested])
def test_a_leaf_without_a_role_cannot_be_declared(model: type[Block]) -> None:
    with pytest.raises(ShapeError, match="bare is a leaf without a role"):
        compile_shape(model)


def test_a_key_cannot_have_two_roles_in_two_branches() -> None:
    with pytest.raises(ShapeError, match='"same" has two roles'):
        compile_shape(_Union)


def _blocks(model: type[Block]) -> set[type[Block]]:
    """A kind and every block below it."""
    found: set[type[Block]] = set()
    todo = [model]
    while todo:
        block = todo.pop()
        found.add(block)
        for info in block.model_fields.values():
            todo += [b for b in blocks_of(info.annotation) if b not in found]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_block_is_documented(kind: str) -> None:
    for block in _blocks(KINDS[kind]):
        assert block.__doc__, f"{block.__name__} has no docstring"
        for name, info in block.model_fields.items():
            assert info.description, f"{block.__name__}.{name} has no doc"
