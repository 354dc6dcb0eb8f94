"""Both languages have every word, with the same places in it, and every word is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmops.reports import phrases
from llmops.reports.chinese import chinese, known
from llmops.reports.method import METHOD
from llmops.reports.phrase import LANGS
from llmops.reports.phrases import PHRASES, Words
from llmops.specs.base import JobType
from tests.reports.conftest import VERDICTS
from tests.scenarios.story import HERE as SCENARIOS

ROOM = Path(phrases.__file__).parent
HAN = re.compile("[\u4e00-\u9fff]")
EVERY = [*PHRASES.items(), *((f"method-{i}-{j}", p) for i, pair in enumerate(METHOD)
                             for j, p in enumerate(pair))]  # fmt: skip
SAME = {"c_python", "megabytes", "n_of", "other_language"}  # said alike, or in the other language


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize(("key", "phrase"), EVERY, ids=[key for key, _ in EVERY])
def test_a_phrase_says_the_same_in_both_languages(key: str, phrase) -> None:
    assert phrase._fields == LANGS
    assert places(phrase.en) == places(phrase.zh)
    assert phrase.en.strip() == phrase.en != ""
    assert phrase.zh.strip() == phrase.zh != ""
    if key not in SAME:
        assert not HAN.search(phrase.en)
        assert HAN.search(phrase.zh)


@pytest.mark.parametrize(("key", "phrase"), EVERY, ids=[key for key, _ in EVERY])
def test_chinese_is_punctuated_as_chinese(key: str, phrase) -> None:
    assert not re.search(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!(][\u4e00-\u9fff]", phrase.zh)


def test_every_phrase_is_used_and_every_used_phrase_is_there() -> None:
    sources = [p for p in ROOM.glob("*.py") if not p.name.startswith("phrase")]
    text = "".join(p.read_text("utf-8") for p in [*sources, *ROOM.glob("templates/*.j2")])
    made = {key for key in PHRASES if re.search(rf"""["']{key}["']""", text)}
    by_family = ("need_", "changes_", "severity_", "expect_", "missed_", "bound_", "means_",
                 "csv_", "why_", "unit_", "unshown_", "decidable_", "reading_",
                 "group_", "counted_")  # fmt: skip
    words = {"passed", "warned", "inconclusive", "failed"}
    assert {k for k in PHRASES if k not in made and not k.startswith(by_family)} - words == set()
    asked = set(re.findall(r"""\bsay\(\s*["'](\w+)["']""", text))
    assert asked - set(PHRASES) == set()


def test_every_job_type_and_role_has_its_word() -> None:
    needs = {*JobType.__args__, "gate", "static", "placement", "descriptive"}  # type: ignore[attr-defined]
    assert {f"need_{name}" for name in needs} <= set(PHRASES)


def test_nothing_claims_compliance() -> None:
    for key, phrase in EVERY:
        assert not re.search("complian|conform", phrase.en, re.IGNORECASE), key
        assert "合规" not in phrase.zh, key


def test_a_word_that_is_not_there_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Words("zh")("no such phrase")


def messages() -> set[str]:
    """What rules say in the scenarios: the lines of `gate.txt` that explain a gate."""
    found = set()
    for file in SCENARIOS.glob("*/gate.out"):
        for line in file.read_text("utf-8").splitlines():
            said = re.search(
                r"\*\* (?:passed|warned|inconclusive|failed): (.+?)(?: — |<br>|$)", line
            )
            if said:
                found.add(re.sub(r"\\(?=[\\`*_\[\]~|])", "", said[1]))
    return found


def test_what_rules_say_in_the_scenarios_is_said_in_chinese() -> None:
    told = messages()
    assert len(told) > 20
    assert [text for text in sorted(told) if not known(text)] == []


def test_what_rules_say_of_fixed_verdicts_is_said_in_chinese() -> None:
    quoted = ("准确率", "x" * 9, "loosened: accuracy")
    told = {
        f.message
        for name, verdict in VERDICTS.items()
        for f in verdict.findings
        if name != "hostile" and not f.message.startswith(quoted)
    }
    assert [text for text in sorted(told) if not known(text)] == []


def test_what_is_said_of_judges_is_said_in_chinese() -> None:
    from tests.rules.test_calibrated import PLAIN, bench, controls, judged
    from tests.rules.test_judge_calibrated import found

    told = {
        finding.message
        for passed in (20, 300, 480, 540, 598)
        for finding in (
            *(judged(passed, [*bench(), *controls(s, 9, 9)]) for s in ("good", "bad", "injection")),
            *(judged(passed, bench(good, bad)) for good in ((190, 200), (80, 90), (0, 0))
              for bad in ((190, 200), (80, 90), (0, 0))),
            judged(passed, None),
            judged(passed, [{**bench()[0], "cells": {}}]),
        )
    }  # fmt: skip
    told |= {one.message for one in found(PLAIN)}
    assert len(told) > 10
    assert [text for text in sorted(told) if not known(text)] == []


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("no evidence yet", "尚无证据"),
        ("has evidence (lora.r, follows train/x (job 1))",
         "已有证据（lora.r，随 train/x（任务 1）执行）"),
        ("accuracy 0.9 meets min 0.8 (n = 600, 95 % interval 0.87 to 0.92)",
         "accuracy 为 0.9，满足要求：不低于 0.8（n = 600，95 % 区间 0.87 至 0.92）"),
        ("jobs read Dataset/d (personal, stays in CN) in Environment/e, which stands in EU",
         "任务在 Environment/e（位于 EU）读取 Dataset/d（个人信息，须留在 CN）"),
        ("Evaluation/e sends Dataset/d (stays in CN) to Model/m, served in an unnamed place",
         "Evaluation/e 将 Dataset/d（须留在 CN）发送至 Model/m（位置不明）"),
        ("Application/a routes requests to Model/m, which nothing measures",
         "Application/a 会把请求转给 Model/m，而它未经任何评测"),
        ("a sentence of somebody else", "a sentence of somebody else"),
        ("准确率", "准确率"),
        ("x" * 100_000, "x" * 100_000),
    ],
)  # fmt: skip
def test_sentences_are_said_again_or_left(said: str, wanted: str) -> None:
    assert chinese(said) == wanted
