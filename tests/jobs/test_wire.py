"""Laws of the wire: a round trip is the identity, and reading never guesses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.digest import canonical
from llmops.jobs.base import Artifact, Job, Measurement, Plan, Result
from llmops.jobs.wire import job_from_json, plan_from_json, result_from_json, to_json
from llmops.specs.base import Ref

WORD = st.text(st.characters(codec="utf-8"), max_size=4)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
INT = st.integers(-(2**53) + 1, 2**53 - 1)
# Inside free JSON a canonical text writes a huge float as an integer, never exact.
SMALL = st.floats(-1e15, 1e15)
LEAVES = st.none() | st.booleans() | INT | SMALL | WORD
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=4,
)
REF = st.builds(
    Ref, st.sampled_from(["Recipe", "Dataset"]), st.from_regex(r"[a-z]{1,9}", fullmatch=True)
)


@cache
def strategy(kind: type) -> st.SearchStrategy[Any]:
    """A value of a noun, field by field; `Any` and mappings hold JSON."""
    hints = get_type_hints(kind)
    made: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        hint = hints[field.name]
        if field.name == "format_version":
            made[field.name] = st.just(1)
        else:
            made[field.name] = of_hint(hint)
    return st.builds(kind, **made)


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    if hint is Any:
        return JSON
    if hint is str:
        return WORD
    if hint is int:
        return INT
    if hint is float:
        return FLOAT
    if hint is Ref:
        return REF
    if is_dataclass(hint):
        return strategy(hint)  # type: ignore[arg-type]
    text = str(hint)
    args = getattr(hint, "__args__", ())
    if text.startswith("tuple["):
        return st.lists(of_hint(args[0]), max_size=2).map(tuple)
    if "Mapping[" in text:
        return st.dictionaries(WORD, of_hint(args[1]), max_size=3)
    if text.startswith("typing.Literal"):
        return st.sampled_from(args)
    if type(None) in args:
        return st.none() | of_hint(next(a for a in args if a is not type(None)))
    return st.from_type(hint)


CASES: list[tuple[type, Callable[[Any], Any]]] = [
    (Job, job_from_json),
    (Result, result_from_json),
    (Plan, plan_from_json),
]


@pytest.mark.parametrize(("kind", "read"), CASES, ids=lambda c: getattr(c, "__name__", ""))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_round_trip_is_the_identity(kind: type, read: Callable[[Any], Any], data: Any) -> None:
    value = data.draw(strategy(kind))
    assert read(to_json(value)) == value
    assert read(json.loads(json.dumps(to_json(value)))) == value
    assert read(json.loads(canonical(to_json(value)))) == value


def result() -> Result:
    return Result(
        closure="sha256:" + "a" * 64,
        type="train",
        status="ok",
        started_at="2026-11-22T08:00:00Z",
        finished_at="2026-11-22T08:01:00Z",
        measurements=(Measurement("train_loss", 1.5, 100),),
        artifacts=(Artifact("adapter", "sha256:" + "b" * 64, 12),),
    )


def test_every_missing_key_and_every_unknown_key_is_refused() -> None:
    for key in to_json(result()):
        data = to_json(result())
        del data[key]
        with pytest.raises(ValueError, match=key):
            result_from_json(data)
    with pytest.raises(ValueError, match='unknown key "colour"'):
        result_from_json({**to_json(result()), "colour": "red"})


def test_a_mistake_names_its_place() -> None:
    data = to_json(result())
    data["measurements"][0]["sample_size"] = "many"
    with pytest.raises(ValueError, match="measurements") as caught:
        result_from_json(data)
    assert (
        str(caught.value) == 'result.measurements[0].sample_size: expected an integer, got "many"'
    )


@pytest.mark.parametrize("version", [0, 2, 99, "1", None, True, 1.0])
def test_another_format_version_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match="format_version"):
        result_from_json({**to_json(result()), "format_version": version})


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("closure", 1),
        ("type", "cook"),
        ("status", "passed"),
        ("measurements", {}),
        ("measurements", [1]),
        ("artifacts", None),
        ("environment", []),
        ("environment", {"a": float("nan")}),
        ("environment", {1: "a"}),
        ("environment", {"a": {"b": object()}}),
        ("reason", None),
    ],
)
def test_a_wrong_type_is_refused(key: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"result.{key}"):
        result_from_json({**to_json(result()), key: wrong})


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "0.5", None])
def test_a_measurement_is_a_finite_number(value: Any) -> None:
    data = to_json(result())
    data["measurements"][0]["value"] = value
    with pytest.raises(ValueError, match=r"measurements\[0\].value"):
        result_from_json(data)


@pytest.mark.parametrize("data", [None, [], "x", 3, {}])
def test_what_is_no_object_with_a_version_is_refused(data: Any) -> None:
    for read in (job_from_json, result_from_json, plan_from_json):
        with pytest.raises(ValueError, match="expected"):
            read(data)


def test_a_number_that_json_has_not_is_never_written() -> None:
    broken = Measurement("loss", float("nan"), 1)
    with pytest.raises(ValueError, match="nan"):
        to_json(broken)
    with pytest.raises(ValueError, match="set"):
        to_json(Job("train", Ref("Recipe", "a"), "sha256:0", {"a": {1}}))


@pytest.mark.parametrize("value", [10**400, -(10**400)], ids=["huge", "low"])
def test_a_number_that_no_float_holds_is_told_like_any_other_mistake(value: int) -> None:
    found = to_json(Measurement("accuracy", 1.0, 3))
    result = Result("sha256:1", "evaluate", "ok", "t", "t")
    data = {**to_json(result), "measurements": [{**found, "value": value}]}
    with pytest.raises(ValueError, match="finite number"):
        result_from_json(data)
