from __future__ import annotations

import math
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.digest import (
    canonical,
    of_bytes,
    of_file,
    of_folder,
    of_question,
    of_value,
    short,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=1000, deadline=None)
@given(JSON)
def test_canonical_is_rfc_8785_for_every_value(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [1.0, 1e16, 1e21, 5e-05, 1e-7, -0.0, 0.1, 123456789012345.0, [1.0], {"a": 1.5e300},
     {"\U0001f600": 1, "\ufb33": 2}, "\x7f\x00\u2028", {"a": "1.0"}, {"1e5": "x"}],
)  # fmt: skip
def test_canonical_agrees_where_encoders_like_to_differ(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, "\ud800"])
def test_what_has_no_canonical_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical(value)


def test_key_order_has_no_meaning() -> None:
    assert of_value({"a": 1, "b": 2}) == of_value({"b": 2, "a": 1})
    assert of_value([1, 2]) != of_value([2, 1])


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert of_file(tmp_path / "a") == of_bytes(b"abc")


def test_a_folder_has_the_digest_of_its_files_by_path(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "b.txt").write_bytes(b"b")
    (tmp_path / "a.txt").write_bytes(b"a")
    hexes = {"a.txt": of_bytes(b"a")[7:], "x/b.txt": of_bytes(b"b")[7:]}
    assert of_folder(tmp_path) == of_value(hexes)
    (tmp_path / "x" / "b.txt").rename(tmp_path / "x" / "c.txt")
    assert of_folder(tmp_path) != of_value(hexes)


def test_short_keeps_the_algorithm() -> None:
    assert short("sha256:" + "ab" * 32) == "sha256:abababab"


def test_questions_that_differ_in_case_form_and_blanks_alone_are_one() -> None:
    assert of_question(" My\u00a0CARD\n") == of_question("my card")
    assert of_question("Ｃａｒｄ") == of_question("card")
    assert of_question("card") != of_question("cards")
    assert of_question("\ud800") != of_question("")
