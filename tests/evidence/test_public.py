"""The public form of an artifact: no text of a case, and one line shown later is that line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.evidence import public
from llmops.evidence.rows import _is_anchor, _is_row

SECRET = "Frau Beispiel wohnt in der Ligusterallee 4 and her PIN is 4711"
CASE = of_bytes(b"a case")
ROW = {
    "id": "q-1",
    "case": CASE,
    "input": "what is my balance?",
    "expected": "balance",
    "response": "balance",
    "columns": {"language": "en", "note": "private", "pair": 3},
    "cells": {"exact": {"value": 1.0, "valid": True, "reason": "as expected"}},
}
ANCHOR = ROW | {
    "rating": 0.5,
    "control": None,
    "cells": {
        "graded": {"value": 0.5, "valid": True, "reason": "", "repeats": [0.5, 1], "place": 4,
                   "of": 9},
    },
}  # fmt: skip
GUARDED = ROW | {
    "action": "mask",
    "hits": [{"layer": "pii", "rule": "iban", "action": "mask", "start": 3, "end": 9}],
}
LINE = {
    "detector": "text_perturbation",
    "status": "ok",
    "reason": "left out 3",
    "cases": 9,
    "errors": 0,
    "findings": [
        {"severity": "high", "group": "`text` contains", "description": "Transform", "cases": 3,
         "metric": "Fail rate", "value": 0.25, "examples": ["x"]},
    ],
}  # fmt: skip
RESPONSE = {
    "id": "q-1", "case": CASE, "response": "balance", "error": None, "input_tokens": 4,
    "output_tokens": 2, "blocked": False,
    "guard": [{"layer": "pii", "action": "mask", "text": "x"}],
}  # fmt: skip
SAMPLES: dict[str, list[Any]] = {
    "rows.jsonl": [ROW, GUARDED],
    "anchors.jsonl": [ANCHOR],
    "findings.jsonl": [LINE],
    "responses.jsonl": [RESPONSE],
    "digests/test.jsonl": [["ab" * 16, "q-1"]],
    "trainer_log.jsonl": [{"step": 1, "loss": 0.5, "epoch": 0.1}],
    "funnel.json": [[{"step": "parts", "rows_in": 3, "rows_out": 3, "dropped": 0, "found": 1}]],
    "confusion.json": [{"labels": ["a b"], "counts": [[1]], "other": [0], "invalid": [0]}],
}


def artifact(lines: list[Any]) -> bytes:
    return b"".join(canonical(line) + b"\n" for line in lines)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value can be replaced: itself, and everything below it."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    return [at, *(place for key, one in inner for place in places(one, (*at, key)))]


def planted(value: Any, at: tuple[Any, ...], text: Any) -> Any:
    if not at:
        return text
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = planted(copy[at[0]], at[1:], text)
    return copy


def keyed(value: Any) -> Any:
    """The value with one more key in every object."""
    if isinstance(value, dict):
        return {SECRET: SECRET, **{k: keyed(v) for k, v in value.items()}}
    return [keyed(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sentence_in_any_field_is_in_no_public_form(name: str) -> None:
    tried = 0
    for line in SAMPLES[name]:
        spoiled = [planted(line, at, text) for at in places(line) for text in (SECRET, [SECRET])]
        for one in (*spoiled, keyed(line)):
            try:
                made = public.public(
                    name, artifact([line, one][name.endswith(".json") :]), {"note"}
                )
            except ValueError:
                continue
            tried += 1
            for part in ("Beispiel", "Ligusterallee", "her PIN", "balance?", "as expected"):
                assert part.encode() not in made.data, one
    assert tried >= 3


@pytest.mark.parametrize("name", SAMPLES)
def test_a_key_that_nobody_listed_is_hidden(name: str) -> None:
    line = SAMPLES[name][0]
    if isinstance(line, dict):
        more = line | {"new": 7}
        assert b'"new"' not in public.public(name, artifact([more])).data


@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_artifact_has_the_same_public_form_and_it_can_be_read(name: str) -> None:
    data = artifact(SAMPLES[name])
    made = public.public(name, data, ["language"])
    assert made == public.public(name, data, ["language", "language"])
    assert len(public.read(made.data)) == len(SAMPLES[name])
    head = public.header(made.data)
    assert (head.name, head.of, head.root) == (name, of_bytes(data), made.root)


def test_rules_take_public_rows_as_rows() -> None:
    made = public.public("rows.jsonl", artifact([ROW, GUARDED]), ["language"])
    rows = public.read(made.data)
    assert all(map(_is_row, rows))
    assert rows[0]["cells"] == {"exact": {"value": 1, "valid": True}}
    assert rows[0]["columns"] == {"language": "en", "pair": 3}
    assert (rows[0]["id"], rows[0]["case"]) == ("q-1", CASE)
    assert rows[1]["hits"] == [{"layer": "pii", "action": "mask"}]
    (anchor,) = public.read(public.public("anchors.jsonl", artifact([ANCHOR])).data)
    assert _is_anchor(anchor)
    assert anchor["cells"]["graded"] == {
        "value": 0.5, "valid": True, "repeats": [0.5, 1], "place": 4, "of": 9,
    }  # fmt: skip


def test_equal_answers_to_the_same_have_equal_tokens_in_two_runs_and_others_have_not() -> None:
    def answered(text: str, more: str = "") -> Any:
        row = ROW | {"response": text, "columns": {"more": more}}
        return public.read(public.public("rows.jsonl", artifact([row])).data)[0]["response"]

    assert answered("yes") == answered("yes", "another artifact")
    assert answered("yes") != answered("no")
    assert answered("yes").startswith("sha256:")


def test_an_answer_that_is_guessed_alone_cannot_be_told() -> None:
    other = ROW | {"input": "something else"}
    rows = public.read(public.public("rows.jsonl", artifact([ROW, other | {"id": "q-2"}])).data)
    assert rows[0]["response"] != rows[1]["response"]
    assert rows[0]["expected"] == rows[1]["expected"]  # what pairs are held to
    assert rows[0]["expected"] != of_bytes(canonical("balance"))


def test_a_column_of_many_or_long_values_is_one_of_tokens() -> None:
    many = [ROW | {"id": str(i), "columns": {"who": f"person {i}"}} for i in range(201)]
    rows = public.read(public.public("rows.jsonl", artifact(many), ["who"]).data)
    assert all(row["columns"]["who"].startswith("sha256:") for row in rows)
    few = public.read(public.public("rows.jsonl", artifact(many[:9]), ["who"]).data)
    assert few[0]["columns"]["who"] == "person 0"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_line_that_is_shown_is_that_line(name: str) -> None:
    lines = SAMPLES[name] * (1 if name.endswith(".json") else 5)
    data = artifact(lines)
    made = public.public(name, data, ["language", "note"])
    found = list(public.opened(name, data, ["note", "language"], range(len(lines))))
    assert [json.loads(one.text) for one in found] == lines
    assert [public.problem(one, made.data) for one in found] == [""] * len(lines)
    with pytest.raises(IndexError):
        list(public.opened(name, data, [], [len(lines)]))


def test_a_line_that_is_shown_wrongly_is_found() -> None:
    lines = [ROW | {"id": f"q-{i}"} for i in range(7)]
    data = artifact(lines)
    made = public.public("rows.jsonl", data, ["language"]).data
    (one,) = public.opened("rows.jsonl", data, ["language"], [3])
    wrong = [
        replace(one, line=4),
        replace(one, line=-1),
        replace(one, line=99),
        replace(one, of=of_bytes(b"")),
        replace(one, text=one.text.replace("q-3", "q-4")),
        replace(one, salt=bytes(32)),
        replace(one, path=one.path[1:]),
        replace(one, nonces=one.nonces[1:]),
        replace(one, nonces=(*one.nonces, b"")),
        replace(one, nonces=(bytes(32), *one.nonces[1:])),
    ]
    assert all(public.problem(other, made) for other in wrong)


def test_a_public_line_that_does_not_follow_from_what_is_shown_is_found() -> None:
    data = artifact([ROW])
    made = public.public("rows.jsonl", data).data
    better = made.replace(b'"value":1', b'"value":0')
    assert better != made
    (one,) = public.opened("rows.jsonl", data, [], [0])
    assert "does not follow" in public.problem(one, better)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"{}\n", b"[1]\n", b"\xff\n", b"{" * 5000 + b"\n",
        b'{"format":"llmops.public/2"}\n',
    ],
)  # fmt: skip
def test_what_is_no_public_form_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        public.read(data)


def test_a_public_form_is_written_in_one_way() -> None:
    made = public.public("rows.jsonl", artifact([ROW, ROW])).data
    for other in (
        made + b"\n", made[:-1], made.replace(b":", b": ", 1),
        made.replace(b'"value":1', b'"value":1.0'),
        made.replace(b'"lines":2', b'"lines":3'), made.replace(b'"lines":2', b'"lines":true'),
    ):  # fmt: skip
        assert other != made
        with pytest.raises(ValueError, match=r"."):
            public.read(other)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("model/weights.safetensors", [{}]),
        ("judgements.jsonl", [{}]),
        ("rows.jsonl", [{"id": "q"}]),
        ("rows.jsonl", [ROW | {"cells": 3}]),
        ("rows.jsonl", [[1]]),
        ("anchors.jsonl", [ANCHOR | {"control": "perhaps"}]),
        ("anchors.jsonl", [ANCHOR | {"rating": None}]),
        ("confusion.json", [{"labels": 3}]),
        ("digests/a.jsonl", [["x", "y"]]),
    ],
)
def test_what_has_no_public_form_has_none(name: str, lines: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        public.public(name, artifact(lines))


def test_nothing_that_is_no_number_is_a_number() -> None:
    with pytest.raises(ValueError, match="not a number"):
        public.public("rows.jsonl", b'{"cells":{"a":{"value":NaN}}}')
    cell = {"value": True, "valid": 1}
    row = ROW | {"cells": {"exact": cell}}
    (made,) = public.read(public.public("rows.jsonl", artifact([row])).data)
    assert made["cells"] == {"exact": {"value": None, "valid": False}}
