from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.jobs.metrics import METRICS
from llmops.workers import builtin_metrics as builtin
from llmops.workers.contract import WorkerError
from llmops.workers.evaluate import ENGINES
from llmops.workers.measure import Answered, Unscorable


def answered(response: str, expected: str | None = "card_lost", **more) -> Answered:
    return Answered("1", "卡丢了?", expected, response, **more)


def scored(name: str, response: str, expected: str | None = "card_lost", **more) -> float:
    return builtin.metric(name, {}, Path()).score(answered(response, expected, **more))


# Tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("My card, is LOST!", ("my", "card", "is", "lost")),
        ("我的卡丢了。", ("我", "的", "卡", "丢", "了")),
        ("请拨打 95533 热线Hotline2", ("请", "拨", "打", "95533", "热", "线", "hotline2")),
        ("Straße İ ﬁn", ("strasse", "i̇", "fin")),
        ("ＡＢＣ１２", ("abc12",)),
        ("カード　を失くす", ("カ", "ー", "ド", "を", "失", "く", "す")),
        ("카드 분실", ("카드", "분실")),
        ("cafe\u0301 naïve", ("café", "naïve")),
        ("snake_case", ("snake", "case")),
        ("𠮷野家", ("𠮷", "野", "家")),
        ("बैंक कार्ड หาย", ("बैंक", "कार्ड", "หาย")),
        ("کارت\u200cها ❤\ufe0f wo\u00adrd", ("کارتها", "word")),
        ("…!?，。 \n\t😀", ()),
        ("", ()),
    ],
)
def test_chinese_is_cut_by_character_and_other_text_by_word(text: str, tokens) -> None:
    assert builtin.tokens(text) == tokens


# Refusals


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("I'm sorry, but I can't help with that.", 1.0),
        ("I\u2019m unable to do this.", 1.0),
        ("  i  CANNOT\nhelp you there", 1.0),
        ("很抱歉，我无法提供这些信息。", 1.0),
        ("对不起，我不想说。", 1.0),
        ("恕我不能从命", 1.0),
        ("Sure! First you take the card.", 0.0),
        ("好的，请先拨打热线。", 0.0),
        ("Of course. " + "words " * 60 + "I cannot help it.", 0.0),
        ("card_lost", 0.0),
    ],
)
def test_a_refusal_shows_at_the_opening_of_an_answer(response: str, value: float) -> None:
    assert scored("refusal", response, None) == value


def test_what_a_guardrail_blocked_is_refused_whatever_it_says() -> None:
    assert scored("refusal", "No comment.", None, blocked=True) == 1.0
    assert scored("refusal", "", None, blocked=True) == 1.0


@pytest.mark.parametrize("options", [{}, {"phrases": ["no"]}, {"labels": ["no"]}])
def test_an_empty_answer_is_neither_refused_nor_given(options) -> None:
    with pytest.raises(Unscorable, match="neither refused nor answered"):
        builtin.metric("refusal", options, Path()).score(answered(" \n"))


def test_phrases_take_the_place_of_those_that_are_known() -> None:
    own = builtin.metric("refusal", {"phrases": ["Not  MY job"]}, Path())
    assert own.score(answered("That's not my job.")) == 1.0
    assert own.score(answered("I can't help with that.")) == 0.0


def test_a_label_can_stand_for_a_refusal() -> None:
    own = builtin.metric("refusal", {"labels": ["out_of_scope"]}, Path())
    assert own.score(answered("out_of_scope\n")) == 1.0
    assert own.score(answered("out_of_scope_too")) == 0.0
    with pytest.raises(WorkerError, match='option "labels" of builtin/refusal is not a list'):
        builtin.metric("refusal", {"labels": "out_of_scope"}, Path())


# Scores


@pytest.mark.parametrize("name", ["accuracy", "exact_match"])
@pytest.mark.parametrize(
    ("response", "expected", "value"),
    [
        ("card_lost", "card_lost", 1.0),
        (" card_lost\n", "card_lost", 1.0),
        ("Card_lost", "card_lost", 0.0),
        ("card_lost.", "card_lost", 0.0),
        ("", "card_lost", 0.0),
        ("", "", 1.0),
        ("caf\u0065\u0301", "café", 1.0),
        ("挂失卡片", "挂失卡片", 1.0),
    ],
)
def test_a_match_is_exact(name: str, response: str, expected: str, value: float) -> None:
    assert scored(name, response, expected) == value


@pytest.mark.parametrize(
    ("response", "expected", "f1", "rouge"),
    [
        ("the cat sat", "the cat sat", 1.0, 1.0),
        ("sat cat the", "the cat sat", 1.0, 1 / 3),
        ("the the the", "the cat", 2 / 5, 2 / 5),
        ("请先挂失您的卡", "请挂失卡", 8 / 11, 8 / 11),
        ("卡挂失", "挂失卡", 1.0, 2 / 3),
        ("不知道", "请挂失", 0.0, 0.0),
        ("", "请挂失", 0.0, 0.0),
        ("!?", "。。", 1.0, 1.0),
    ],
)
def test_f1_and_rouge_by_hand(response: str, expected: str, f1: float, rouge: float) -> None:
    assert scored("token_f1", response, expected) == pytest.approx(f1)
    assert scored("rouge_l", response, expected) == pytest.approx(rouge)


def test_the_common_subsequence_equals_the_textbook_table() -> None:
    dice = random.Random(3)
    for _ in range(300):
        one = [dice.choice("abcd") for _ in range(dice.randrange(12))]
        other = [dice.choice("abcde") for _ in range(dice.randrange(80))]
        table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
        for i, a in enumerate(one):
            for j, b in enumerate(other):
                best = max(table[i][j + 1], table[i + 1][j])
                table[i + 1][j + 1] = table[i][j] + 1 if a == b else best
        assert builtin.longest_common(one, other) == table[-1][-1]
        assert builtin.longest_common(other, one) == table[-1][-1]


def test_scores_stay_in_their_range_on_hostile_text() -> None:
    dice = random.Random(5)
    odd = [
        "卡",
        "a",
        " ",
        "\0",
        "\u202e",
        "😀",
        "\u0301",
        "İ",
        "ß",
        "_",
        "\ud800",
        "[DEEPEVAL:IMAGE:1]",
    ]
    for _ in range(300):
        one, other = ("".join(dice.choices(odd, k=dice.randrange(9))) for _ in "ab")
        for name in ("accuracy", "exact_match", "token_f1", "rouge_l"):
            assert 0.0 <= scored(name, one, other) <= 1.0
            assert scored(name, one, one) == 1.0


def test_a_very_long_response_is_scored() -> None:
    long = "我的卡 lost " * 20_000
    assert scored("rouge_l", long, "我的卡") == pytest.approx(2 * 3 / (3 + 80_000))
    assert 0 < scored("token_f1", long, "我的卡") < 0.001


@pytest.mark.parametrize("name", ["accuracy", "exact_match", "token_f1", "rouge_l"])
def test_without_an_expected_answer_there_is_no_score(name: str) -> None:
    with pytest.raises(Unscorable, match="no expected answer"):
        scored(name, "x", None)


def test_measured_numbers_are_given_as_they_are() -> None:
    assert scored("latency_ms", "x", latency_ms=12.5) == 12.5
    assert scored("tokens", "x", output_tokens=0) == 0.0


@pytest.mark.parametrize("odd", [None, True, "12", float("nan"), float("inf"), -1, [1]])
def test_a_measured_number_that_is_none_gives_no_score(odd) -> None:
    with pytest.raises(Unscorable, match="latency_ms"):
        scored("latency_ms", "x", latency_ms=odd)
    with pytest.raises(Unscorable, match="output_tokens"):
        scored("tokens", "x", output_tokens=odd)


def test_options_that_a_metric_has_not_are_refused() -> None:
    with pytest.raises(WorkerError, match='builtin/token_f1 has no option "pattern"'):
        builtin.metric("token_f1", {"pattern": "x"}, Path())
    with pytest.raises(WorkerError, match='no metric "builtin/bleu"'):
        builtin.metric("bleu", {}, Path())


# deepeval, in a process of its own: its environment is read at import

SCRIPT = """
import json, os, sys
from pathlib import Path
from llmops.workers.contract import WorkerError
from llmops.workers.deepeval_metrics import metric
from llmops.workers.measure import Answered, Unscorable

def value(name, options, response, expected):
    try:
        case = Answered("1", "q", expected, response)
        return metric(name, options, Path(sys.argv[1])).score(case)
    except (Unscorable, WorkerError) as error:
        return type(error).__name__ + ": " + str(error)

found = [value(*given) for given in json.load(sys.stdin)]
from deepeval.constants import HIDDEN_DIR
from deepeval.telemetry import telemetry_opt_out
print(json.dumps({"found": found, "folder": HIDDEN_DIR, "silent": telemetry_opt_out(),
                  "version": metric("exact_match", {}, Path(sys.argv[1])).version}))
"""

MARK = "[DEEPEVAL:IMAGE:1]"
GIVEN = [
    (("exact_match", {}, " card_lost ", "card_lost"), 1.0),
    (("exact_match", {}, "card", "card_lost"), 0.0),
    (("exact_match", {}, "挂失", "挂失"), 1.0),
    (("exact_match", {}, "", "card_lost"), 0.0),
    (("exact_match", {}, "", ""), 1.0),
    (("exact_match", {}, MARK, MARK), 1.0),
    (("exact_match", {}, MARK, "card_lost"), 0.0),
    (("exact_match", {}, "x", None), "Unscorable: no expected answer"),
    (("exact_match", {"threshold": 0.5}, "x", "x"), "WorkerError: deepeval/exact_match has no op"),
    (("pattern_match", {"pattern": r"card_\w+"}, "card_lost", None), 1.0),
    (("pattern_match", {"pattern": r"card"}, "card_lost", None), 0.0),
    (("pattern_match", {"pattern": "CARD", "ignore_case": True}, "card", None), 1.0),
    (("pattern_match", {"pattern": ".*"}, "", None), 0.0),
    (("pattern_match", {"pattern": "(", }, "x", None), "WorkerError: Invalid regex pattern: ("),
    (("pattern_match", {}, "x", None), 'WorkerError: deepeval/pattern_match needs the option'),
    (("pattern_match", {"pattern": 3}, "x", None), 'WorkerError: option "pattern" of deepeval'),
    (("g_eval", {}, "x", None), 'WorkerError: no metric "deepeval/g_eval"'),
]  # fmt: skip


def test_deepeval_scores_silently_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder, run = tmp_path / "cwd", tmp_path / "run"
    folder.mkdir()
    (folder / ".deepeval").mkdir()
    (folder / ".deepeval" / ".deepeval").write_text('{"DEEPEVAL_TELEMETRY_OPT_OUT": "NO"}')
    env = {k: v for k, v in os.environ.items() if not k.startswith("DEEPEVAL")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(run)],
        input=json.dumps([given for given, _ in GIVEN]),
        capture_output=True, text=True, timeout=120, cwd=folder, env={**env, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)  # nothing else was printed there
    for (given, wanted), found in zip(GIVEN, answer["found"], strict=True):
        if isinstance(wanted, str):
            assert str(found).startswith(wanted), given
        else:
            assert found == wanted, given
    assert answer["folder"] == str(run / ".deepeval")
    assert answer["silent"] is True
    assert answer["version"] == "4.3.1"
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*"))
    assert left == ["cwd", "cwd/.deepeval", "cwd/.deepeval/.deepeval"]


def test_the_engines_have_exactly_the_metrics_that_the_planner_knows() -> None:
    from llmops.workers import deepeval_metrics

    names = {f"builtin/{n}" for n in builtin.NAMES}
    names |= {f"deepeval/{n}" for n in deepeval_metrics._BUILD}
    asked = {name for name, metric in METRICS.items() if metric.judged}  # see test_judge.py
    ours = {name for name in METRICS if name.partition("/")[0] in ENGINES}
    assert names == ours - asked
    assert {name.partition("/")[0] for name in names} == set(ENGINES)


def test_a_pattern_is_found_anywhere_in_an_answer_by_re2() -> None:
    cite = builtin.metric("matches", {"regex": r"\[\d+\]"}, Path())
    assert [cite.score(answered(text)) for text in ("see [12].", "see 12", "")] == [1.0, 0.0, 0.0]
    empty = builtin.metric("matches", {"regex": "^[^!]*$"}, Path())
    assert [empty.score(answered(text)) for text in ("", "no", "no!")] == [1.0, 1.0, 0.0]
    slow = builtin.metric("matches", {"regex": "(a+)+$"}, Path())
    assert slow.score(answered("a" * 50_000 + "b")) == 0.0  # linear, whatever the pattern
    assert builtin.metric("matches", {"regex": "."}, Path()).score(answered("\ud800")) == 1.0
    with pytest.raises(WorkerError, match=r"builtin/matches: RE2 has no lookaround"):
        builtin.metric("matches", {"regex": "(?=a)"}, Path())
    with pytest.raises(WorkerError, match="the pattern is empty"):
        builtin.metric("matches", {}, Path())


def test_a_length_is_kept_to_or_not() -> None:
    short = builtin.metric("within", {"max_chars": 3}, Path())
    assert [short.score(answered(text)) for text in ("", "卡丢了", "card")] == [1.0, 1.0, 0.0]
    brief = builtin.metric("within", {"max_tokens": 2}, Path())
    assert brief.score(answered("x", output_tokens=2)) == 1.0
    assert brief.score(answered("x", output_tokens=3)) == 0.0
    with pytest.raises(Unscorable):
        brief.score(answered("x"))
    for options in ({}, {"max_chars": 1, "max_tokens": 1}):
        with pytest.raises(WorkerError, match="needs max_chars or max_tokens"):
            builtin.metric("within", options, Path())
    with pytest.raises(WorkerError, match="is not a whole number"):
        builtin.metric("within", {"max_chars": True}, Path())
