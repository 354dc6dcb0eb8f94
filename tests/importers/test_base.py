"""Names of imported specs: valid, known again, none twice; notes never hold a secret."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.importers.base import Names, slug, told
from llmops.specs.base import NAME_PATTERN


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example-org/Llama-3.2-1B", "llama-3.2-1b"),
        ("data/train.JSONL", "train"),
        ("./a b/c_d.csv", "c-d"),
        ("../../etc/passwd", "passwd"),
        ("C:\\rows\\x.parquet", "x"),
        ("", "dataset"),
        ("...", "dataset"),
        ("🙂", "dataset"),
    ],
)
def test_a_name_is_known_again(text: str, name: str) -> None:
    assert slug(text, "dataset") == name


def test_names_of_another_script_are_told_apart_and_stay() -> None:
    one, other = slug("客服对话", "dataset"), slug("客服工单", "dataset")
    assert one != other
    assert one == slug("客服对话", "dataset")
    assert one.startswith("dataset-")
    assert slug("客服-v2", "dataset").startswith("v2-")


@given(st.lists(st.text(max_size=90), max_size=12))
def test_every_name_is_valid_and_none_is_given_twice(texts: list[str]) -> None:
    names = Names()
    given_ = [names.take("Dataset", text).name for text in texts]
    assert len(set(given_)) == len(given_)
    for name in given_:
        assert re.fullmatch(NAME_PATTERN, name)
        assert len(name) <= 63


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hf_token", "hunter2"),
        ("x", "hf_" + "a1" * 12),
        ("sk-" + "a1" * 12, 1),
        ("config", {"api_key": "hunter2", "deep": [{"password": "hunter2"}]}),
    ],
)
def test_a_secret_is_not_told(name: str, value: object) -> None:
    said = told(name, value)
    assert "hunter2" not in said
    assert "a1a1" not in said
    assert "…" in said
