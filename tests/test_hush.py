from __future__ import annotations

import json

import pytest

from llmops import hush
from llmops.hush import Hush, certain, own, parts
from tests.keyring import pem, person

KEY = "sk-planted-0123456789"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hush, "_TOLD", {})


def test_a_text_without_a_secret_is_the_same_text() -> None:
    text = "honest words"
    assert Hush({"K": KEY})(text) is text
    assert Hush({"K": KEY}).held(text) == ""
    assert Hush({})(KEY) == KEY


def test_a_secret_is_named_and_never_shown() -> None:
    made = Hush({"K": KEY})
    assert made(f"a {KEY.upper()} b") == "a *** b"
    assert made.held(json.dumps({"x": KEY[::-1]})) == "K"
    assert repr(made) == "Hush(K)"


def test_each_line_of_a_key_is_a_secret_and_its_frame_is_none() -> None:
    text = pem(person("ann")).decode()
    assert text.splitlines()[1] in set(parts(text))
    assert not any(one.startswith("-----") and "\n" not in one for one in parts(text))
    assert Hush({"K": text})("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_variables_are_known_by_their_names() -> None:
    environ = {"JUDGE_API_KEY": KEY, "HOME": KEY[::-1], "DB_PASSWORD": "short", "MY_TOKEN": "x" * 9}
    known = own(environ)
    assert known(f"{KEY} {'x' * 9} short") == "*** *** short"
    assert repr(known) == "Hush(JUDGE_API_KEY, MY_TOKEN)"
    assert certain(environ).held(KEY) == ""
    assert certain({"LLMOPS_SIGNING_KEY": KEY}).held(KEY) == "LLMOPS_SIGNING_KEY"


def test_what_was_told_is_known_everywhere() -> None:
    hush.also({"SEAT": KEY})
    assert own({}).held(KEY) == "SEAT"
    assert certain({}).held(KEY) == "SEAT"
