"""`llmops guard`: one text, one guardrail of the work tree, what becomes of it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest

from tests.conftest import GitRepo
from tests.trees import spec

WORDS = "word,risk\nbomb,weapons\n赌博,gambling\nbetting shop,gambling\n"
SHIELD = (
    "input:\n"
    "  - {name: words, action: block, lexicon: {dataset: words}}\n"
    "  - {name: data, action: mask, pii: {entities: [CN_MOBILE]}}\n"
    "output:\n  - {name: tags, action: block, regex: {pattern: '<[a-z]+>'}}"
)
INPUT = SHIELD.partition("output:")[0]
FILES = {
    "specs/datasets/words.yaml": spec(
        "Dataset", "words", "sources: [{name: ours, file: specs/data/words.csv}]\nformat: lexicon"
    ),
    "specs/data/words.csv": WORDS,
    "specs/guardrails/shield.yaml": spec("Guardrail", "shield", SHIELD),
}
OUTSIDE = spec(
    "Dataset", "words",
    "sources: [{name: ours, uri: 'https://example.org/w.csv', digest: 'sha256:"
    + "1" * 64 + "'}]\nformat: lexicon",
)  # fmt: skip


@pytest.fixture
def tree(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo(FILES)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("where is my card", 0, "Guardrail/shield input: allowed\n"),
        ("a b.o.m.b", 1, "Guardrail/shield input: blocked by words\n"),
        ("打13800138000吧", 0, "Guardrail/shield input: masked: 打[CN_MOBILE]吧\n"),
        ("13800138000 b o m b", 1, "Guardrail/shield input: blocked by words\n"),
        ("", 0, "Guardrail/shield input: allowed\n"),
    ],
)
def test_check_says_what_becomes_of_a_text(llmops, tree, text: str, code: int, said: str) -> None:
    found = llmops("guard", "check", text, "-C", tree.path)
    assert (found.code, found.out, found.err) == (code, said, "")


def test_explain_shows_every_layer_and_never_fails(llmops, tree) -> None:
    found = llmops("guard", "explain", "赌 博 betting  shop", "-C", tree.path)
    assert found.code == 0
    first, data, words, *hits = found.out.splitlines()
    assert first == "Guardrail/shield input: blocked by words"
    assert data == "  data (mask, CN_MOBILE): nothing"
    assert words == "  words (block, 3 words: casefold, nfkc, strip_separators): 2 finds"
    assert [line.split()[0] for line in hits] == ["0-3", "4-17"]
    assert hits[1].endswith('"betting  shop"')


def test_control_characters_of_a_text_are_shown_as_escapes(llmops, tree) -> None:
    text = "\x1b[31m<b>\u202e"
    found = llmops("guard", "explain", text, "-C", tree.path, "--stage", "output")
    assert "\x1b" not in found.out
    masked = llmops("guard", "check", "\x1b[2J 13800138000", "-C", tree.path)
    assert masked.out == "Guardrail/shield input: masked: \\x1b[2J [CN_MOBILE]\n"


def test_json_holds_the_decision_but_not_what_was_found(llmops, tree) -> None:
    found = llmops("guard", "check", "call 13800138000", "-C", tree.path, "--format", "json")
    assert json.loads(found.out) == {
        "format_version": 1,
        "guardrail": "Guardrail/shield",
        "stage": "input",
        "action": "mask",
        "text": "call [CN_MOBILE]",
        "hits": [
            {"layer": "data", "rule": "CN_MOBILE", "start": 5, "end": 16, "action": "mask"}
        ],
    }  # fmt: skip
    assert "13800138000" not in found.out


def test_a_dash_reads_standard_input_whatever_it_holds(llmops, tree, monkeypatch) -> None:
    class Standard:
        buffer = io.BytesIO(b"b\0o\0m\0b \xff\n")

    monkeypatch.setattr(sys, "stdin", Standard())
    assert llmops("guard", "check", "-", "-C", tree.path).code == 1


def test_words_are_those_of_the_work_tree(llmops, tree) -> None:
    tree.write({"specs/data/words.csv": WORDS + "raffle,gambling\n"})
    assert llmops("guard", "check", "a raffle", "-C", tree.path).code == 1


@pytest.mark.parametrize(
    ("files", "words", "said", "hint"),
    [
        ({"specs/guardrails/shield.yaml": None}, (), "the work tree has no Guardrail", "declare"),
        (
            {"specs/guardrails/other.yaml": spec("Guardrail", "other", SHIELD)},
            (), "there are several Guardrails", "--guardrail other|shield",
        ),
        ({}, ("--guardrail", "shild"), 'no Guardrail is called "shild"', 'mean "shield"'),
        (
            {"specs/guardrails/shield.yaml": spec("Guardrail", "shield", INPUT)},
            ("--stage", "output"), "Guardrail/shield has no layers for output", "",
        ),
        (
            {"specs/datasets/words.yaml": OUTSIDE}, (),
            "Dataset/words has words from outside: https://example.org/w.csv", "llmops run",
        ),
        ({"specs/data/words.csv": "word\n...\n"}, (), "is empty, or nothing but separators", ""),
        (
            {"specs/guardrails/shield.yaml": spec("Guardrail", "shield", "input: []")},
            (), "the specs of the work tree do not resolve", "llmops validate",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(
    llmops, tree, files: dict[str, str | None], words: tuple[str, ...], said: str, hint: str
) -> None:
    tree.write(files)  # type: ignore[arg-type]
    found = llmops("guard", "check", "x", "-C", tree.path, *words)
    assert found.code == 2
    assert said in found.err
    assert hint in found.err
    assert found.out == ""


def test_a_word_list_without_rows_is_told_as_a_job_tells_it(llmops, tree) -> None:
    tree.write({"specs/data/words.csv": "word\n"})
    found = llmops("guard", "check", "x", "-C", tree.path)
    assert found.code == 3
    assert 'dataset "words" has 1 bad row' in found.err


def test_a_guardrail_may_be_called_by_its_whole_name(llmops, tree) -> None:
    found = llmops("guard", "check", "bomb", "-C", tree.path, "--guardrail", "Guardrail/shield")
    assert found.code == 1
