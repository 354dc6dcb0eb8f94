"""A judged claim is decided with the judge's errors in the bound; a judge that fails decides none.

The figures are those of the closed forms, computed here from Clopper and Pearson's bounds alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from llmops.jobs.make import Made
from llmops.rules.base import Finding, Outcome
from llmops.statistics import binomial
from tests.rules.test_loosening import JUDGED
from tests.rules.world import World, right, row
from tests.trees import changed, spec

KIND = "specs/evaluations/kind.yaml"
RATED = "specs/datasets/rated.yaml"
SHARE = "metric: deepeval/bias, pass_at: 0.5, require: {min: 0.8}"
CALIBRATED: Mapping[str, str] = {
    **JUDGED,
    RATED: spec(
        "Dataset", "rated",
        "purpose: [evaluation]\nformat: ratings\nsources:\n"
        "  - {name: people, file: specs/data/rated.jsonl, license: MIT, origin: first_party}",
    ),
    "specs/data/rated.jsonl": '{"input": "a", "response": "b", "rating": 1}\n',
    KIND: spec(
        "Evaluation", "kind",
        "target: Application/bot\ndataset: bank#test\njudge:\n  model: judge\n  repeats: 3\n"
        "  calibration: {dataset: rated, min_sensitivity: 0.85, min_specificity: 0.85}\n"
        f"checks:\n  - {{name: kind, {SHARE}}}",
    ),
}  # fmt: skip
PLAIN = changed(
    KIND, "    calibration: {dataset: rated, min_sensitivity: 0.85, min_specificity: 0.85}\n",
    "", CALIBRATED,
)  # fmt: skip


def anchor(
    i: int, rating: float | None, value: float | None, control: str | None = None, **more: Any
) -> dict[str, Any]:
    """One rated row and what the judge said of it."""
    made = row(10_000 + i, {"kind": value})
    repeats = more.pop("repeats", [] if value is None else [value] * 3)
    made["cells"]["kind"] |= {"repeats": repeats, "place": more.pop("place", i), "of": 1000}
    return {**made, "rating": rating, "control": control, **more}


def bench(
    good: tuple[int, int] = (190, 200), bad: tuple[int, int] = (190, 200)
) -> list[dict[str, Any]]:
    """Anchors of both classes, of which the judge got so many right."""
    passed = [anchor(i, 1.0, float(i < good[0])) for i in range(good[1])]
    failed = [anchor(500 + i, 0.0, float(i >= bad[0])) for i in range(bad[1])]
    return [*passed, *failed]


def controls(sort: str, wrong: int, of: int) -> list[dict[str, Any]]:
    """Control items of one sort, the first `wrong` of them judged wrongly."""
    right = 1.0 if sort == "good" else 0.0
    first = 2000 + 100 * len(sort)
    return [anchor(first + i, None, 1 - right if i < wrong else right, sort) for i in range(of)]


def judged(
    passed: int,
    anchors: Sequence[Mapping[str, Any]] | None,
    files: Mapping[str, str] = CALIBRATED,
    *,
    of: int = 600,
    rule: str = "require",
    head: Mapping[str, str] | None = None,
) -> Finding:
    """The finding about the judged check when the judge passed so many cases."""

    def rows(made: Made) -> list[dict[str, object]]:
        if "judge" not in made.job.spec:
            return right(190, 200)
        return [
            row(i, {"kind": float(i < passed)}, language="zh" if i % 2 else "en") for i in range(of)
        ]

    world = World(head or files, files, rows, anchors=lambda _made: anchors)
    found = [f for f in world.found(rule) if f.gate.startswith("Evaluation/kind/")]
    return found[0]


def bounds(k: int, n: int, good: tuple[int, int], bad: tuple[int, int], alpha: float) -> Any:
    """Rogan and Gladen at exact bounds, from PROOF's two lines."""
    low, high = binomial.lower(k, n, alpha / 2), binomial.upper(k, n, alpha / 2)
    se = [f(*good, alpha / 4) for f in (binomial.lower, binomial.upper)]
    sp = [f(*bad, alpha / 4) for f in (binomial.lower, binomial.upper)]
    return (low + sp[0] - 1) / (se[1] + sp[0] - 1), (high + sp[1] - 1) / (se[0] + sp[1] - 1)


def test_a_share_is_decided_on_the_corrected_bound_and_both_numbers_are_told() -> None:
    found = judged(540, bench())
    low, high = bounds(540, 600, (190, 200), (190, 200), 0.025)
    assert found.outcome is Outcome.PASSED
    assert found.value == pytest.approx((0.9 + 0.95 - 1) / (0.95 + 0.95 - 1))
    assert found.interval == pytest.approx((low, min(high, 1.0)))
    assert found.quality is not None
    assert found.quality.raw == 0.9
    assert found.quality.raw_interval == binomial.interval(540, 600)
    assert found.quality.anchors == 400
    assert found.quality.sensitivity == found.quality.specificity == 0.95
    assert found.quality.sensitivity_interval == (
        binomial.lower(190, 200, 0.05 / 4), binomial.upper(190, 200, 0.05 / 4),
    )  # fmt: skip
    assert "the judge alone said 0.900, corrected by 400 anchors" in found.message


@pytest.mark.parametrize("passed", range(420, 600, 7))
def test_it_passes_and_fails_exactly_where_the_closed_forms_say(passed: int) -> None:
    good, bad = (185, 200), (178, 190)
    low, high = bounds(passed, 600, good, bad, 0.05)
    found = judged(passed, bench(good, bad))
    expected = (
        Outcome.PASSED if low >= 0.8 else Outcome.FAILED if high < 0.8 else Outcome.INCONCLUSIVE
    )
    if binomial.lower(passed, 600, 0.025) > binomial.upper(*good, 0.0125):
        assert "passes more cases than it passes of the good anchors" in found.message
        expected = Outcome.INCONCLUSIVE
    assert found.outcome is expected


def test_a_lenient_judge_whose_own_share_passes_is_not_believed() -> None:
    """It passes 23 of 100 bad answers: of 600 it passes 510, but about 0.79 are good."""
    found = judged(510, bench((198, 200), (154, 200)), changed(
        KIND, "min_specificity: 0.85", "min_specificity: 0.6", CALIBRATED))  # fmt: skip
    assert judged(510, None, PLAIN).outcome is Outcome.PASSED
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.value == pytest.approx((0.85 + 0.77 - 1) / (0.99 + 0.77 - 1))


def test_a_maximum_is_decided_on_the_upper_bound() -> None:
    most = changed(KIND, "require: {min: 0.8}", "require: {max: 0.2}", CALIBRATED)
    assert judged(40, bench(), most).outcome is Outcome.PASSED
    assert judged(300, bench(), most).outcome is Outcome.FAILED
    near = judged(125, bench(), most)
    assert near.outcome is Outcome.INCONCLUSIVE
    assert near.hint


def test_without_calibration_the_judges_errors_are_said_not_to_be_in_the_bound() -> None:
    found = judged(540, None, PLAIN)
    assert found.outcome is Outcome.PASSED
    assert found.quality is None
    assert found.not_shown == "how often the judge errs is not known, so it is not in this bound"
    assert judged(300, None, PLAIN).not_shown == ""
    assert judged(540, bench()).not_shown == ""


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ((90, 100), (190, 200), "sensitivity 0.900 is not shown to be at least 0.85 (90 of 100"),
        ((190, 200), (90, 100), "specificity 0.900 is not shown to be at least 0.85 (90 of 100"),
        ((80, 100), (190, 200), "sensitivity 0.800 is not shown"),
        ((190, 200), (0, 0), "no anchor is rated bad, so the judge's specificity is not known"),
        ((0, 0), (190, 200), "no anchor is rated good, so the judge's sensitivity is not known"),
        ((0, 0), (0, 0), "no rated row is for this check"),
    ],
)  # fmt: skip
def test_a_judge_that_is_not_shown_to_be_good_enough_decides_nothing(
    good: tuple[int, int], bad: tuple[int, int], said: str
) -> None:
    for passed in (20, 300, 550):
        found = judged(passed, bench(good, bad))
        assert found.outcome is Outcome.INCONCLUSIVE
        assert said in found.message
        assert found.value is None
        assert found.hint


def test_a_hint_says_about_how_many_more_anchors_show_the_minimum() -> None:
    found = judged(540, bench((90, 100)))
    more = binomial.about_more(90, 100, 0.85, 0.05 / 4)
    assert found.hint == f"about {more} more good anchors would"
    assert judged(540, bench((80, 100))).hint == "take a better judge"


@pytest.mark.parametrize(("passed", "of", "words"), [
    (495, 600, r"about (?P<cases>\d+) more cases would decide"),
    (1600, 2000, r"about (?P<anchors>\d+) more anchors would decide"),
    (1575, 2000, r"about (?P<anchors>\d+) more anchors and (?P<cases>\d+) more cases would decide"),
])  # fmt: skip
def test_a_hint_says_how_much_more_decides_and_that_much_less_does_not(
    passed: int, of: int, words: str
) -> None:
    found = judged(passed, bench(), of=of)
    assert found.outcome is Outcome.INCONCLUSIVE
    said = re.fullmatch(words, found.hint)
    assert said is not None, found.hint
    more = {"cases": 0, "anchors": 0, **{k: int(v) for k, v in said.groupdict().items()}}
    assert found.about_more == (None if more["anchors"] else more["cases"])
    for share, decided in ((1.0, True), (0.8, False)):
        cases, half = of + round(more["cases"] * share), 200 + round(more["anchors"] * share / 2)
        rated = round(half * 0.95), half
        low, _ = bounds(round(cases * passed / of), cases, rated, rated, 0.05)
        assert (low >= 0.8) is decided


def test_as_many_rated_rows_without_a_judgement_as_are_allowed_are_let_by() -> None:
    allowed = {**CALIBRATED, KIND: CALIBRATED[KIND] + "  on_case_error: {max: 0.0625}\n"}
    for lost, outcome in ((20, Outcome.PASSED), (21, Outcome.INCONCLUSIVE)):
        mute = [anchor(900 + i, 0.0, None) for i in range(lost)]  # not passed, and rightly so
        found = judged(570, [*bench((149, 150), (149, 320 - 150 - lost)), *mute], allowed)
        assert found.outcome is outcome, found.message


def test_a_judge_no_better_than_chance_decides_nothing_whatever_its_minima() -> None:
    loose = changed(KIND, "min_sensitivity: 0.85, min_specificity: 0.85",
                    "min_sensitivity: 0.1, min_specificity: 0.1", CALIBRATED)  # fmt: skip
    found = judged(598, bench((100, 200), (100, 200)), loose)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "better than chance" in found.message


@pytest.mark.parametrize(
    ("sort", "words"),
    [("good", "known good"), ("bad", "known bad"), ("injection", "that give the judge orders")],
)
def test_too_many_wrong_control_items_make_the_batch_count_for_nothing(
    sort: str, words: str
) -> None:
    for passed in (20, 550):
        found = judged(passed, [*bench(), *controls(sort, 5, 40)])
        assert found.outcome is Outcome.INCONCLUSIVE
        assert f"wrong on 5 of 40 control items {words}" in found.message
        assert found.value is None
    assert judged(550, [*bench(), *controls(sort, 4, 40)]).outcome is Outcome.PASSED
    more = changed(KIND, "min_specificity: 0.85", "min_specificity: 0.85, max_control_errors: 0.2",
                   CALIBRATED)  # fmt: skip
    assert judged(550, [*bench(), *controls(sort, 5, 40)], more).outcome is Outcome.PASSED


def test_control_items_are_no_part_of_sensitivity_and_specificity() -> None:
    planted = [*controls("good", 0, 60), *controls("bad", 1, 60), *controls("injection", 1, 30)]
    found, bare = judged(540, [*bench(), *planted]), judged(540, bench())
    assert found.quality is not None
    assert (found.quality.controls, found.quality.control_errors) == (120, 1)
    assert (found.quality.injected, found.quality.injected_errors) == (30, 1)
    assert found.quality.anchors == 400
    assert (found.value, found.interval) == (bare.value, bare.interval)


def test_an_order_that_ends_without_a_judgement_has_not_got_its_way() -> None:
    silent = [anchor(2000 + i, None, None, "injection") for i in range(30)]
    assert judged(540, [*bench(), *silent]).outcome is Outcome.PASSED
    mute = [anchor(2000 + i, None, None, "good") for i in range(30)]
    assert "wrong on 30 of 30" in judged(540, [*bench(), *mute]).message


def test_anchors_without_a_judgement_decide_nothing_beyond_what_is_allowed() -> None:
    lost = [*bench(), anchor(900, 1.0, None), anchor(901, 0.0, None)]
    found = judged(540, lost)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "2 of 402 rated rows have no judgement: c10900, c10901" in found.message
    allowed = {**CALIBRATED, KIND: CALIBRATED[KIND] + "  on_case_error: {max: 0.01}\n"}
    counted = judged(540, lost, allowed)
    same = judged(540, bench((190, 201), (191, 201)))  # the worst value: not passed
    assert counted.interval == same.interval
    assert counted.quality is not None
    assert counted.quality.sensitivity == 190 / 201


def test_absent_rated_rows_decide_nothing() -> None:
    found = judged(598, None)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.value is None
    assert "no rated rows are kept" in found.message


def test_rows_rated_for_another_check_are_left_out() -> None:
    other = anchor(7, 0.0, None)
    other["cells"] = {"tone": {"value": 1.0, "valid": True, "reason": ""}}
    assert judged(540, [*bench(), other]).quality == judged(540, bench()).quality


def test_slices_are_corrected_too() -> None:
    sliced = {**CALIBRATED, KIND: CALIBRATED[KIND] + (
        "  slices:\n    - {name: by-language, column: language, check: kind, values: [zh],"
        " require: {min: 0.7}}\n")}  # fmt: skip
    found = judged(540, bench(), sliced, rule="slices")
    assert found.quality is not None
    low, high = bounds(270, 300, (190, 200), (190, 200), 0.025)
    assert found.interval == pytest.approx((low, min(high, 1.0)))


SCORES = changed(KIND, SHARE, "metric: deepeval/bias, require: {min: 0.7}", CALIBRATED)


def scored(human: float, judge: float, n: int = 300) -> list[dict[str, Any]]:
    """Anchors that the judge scores higher or lower than people did, by turns good and bad."""
    return [anchor(i, human if i % 4 else 0.1, judge if i % 4 else 0.1, place=i) for i in range(n)]


def means(value: float, anchors: Sequence[Mapping[str, Any]]) -> Finding:
    def rows(made: Made) -> list[dict[str, object]]:
        if "judge" not in made.job.spec:
            return right(190, 200)
        return [row(i, {"kind": value}) for i in range(900)]

    (found,) = [
        f
        for f in World(SCORES, SCORES, rows, anchors=lambda _made: anchors).found("require")
        if f.gate == "Evaluation/kind/kind"
    ]
    return found


def test_a_mean_of_scores_is_what_people_would_have_said() -> None:
    """The judge scores 0.9 where people say 0.5: a mean of 0.95 is no 0.95."""
    true, mild = means(0.95, scored(0.9, 0.9)), means(0.95, scored(0.5, 0.9))
    assert true.outcome is Outcome.PASSED
    assert true.value == pytest.approx(0.95)
    assert mild.outcome is Outcome.FAILED
    assert mild.value == pytest.approx(0.95 - 0.4 * 0.75)
    assert mild.quality is not None
    assert mild.quality.raw == pytest.approx(0.95)
    assert means(0.2, scored(0.9, 0.9)).outcome is Outcome.FAILED


def test_only_an_undecided_mean_asks_for_more_anchors() -> None:
    near = means(0.702, scored(0.9, 0.9))
    assert near.outcome is Outcome.INCONCLUSIVE
    assert near.hint == "more anchors would decide"
    assert means(0.95, scored(0.9, 0.9)).hint == means(0.2, scored(0.9, 0.9)).hint == ""


def test_fewer_cases_than_anchors_use_as_many_anchors_as_there_are_cases() -> None:
    def rows(made: Made) -> list[dict[str, object]]:
        if "judge" not in made.job.spec:
            return right(190, 200)
        return [row(i, {"kind": 0.95}) for i in range(100)]

    world = World(SCORES, SCORES, rows, anchors=lambda _made: scored(0.9, 0.9))
    (found,) = [f for f in world.found("require") if f.gate == "Evaluation/kind/kind"]
    assert found.value == pytest.approx(0.95)


def test_repeats_that_agree_and_the_halves_of_the_batch_are_told() -> None:
    rated = [
        *(anchor(i, 1.0, 1.0, place=i) for i in range(200)),
        *(anchor(500 + i, 0.0, 1 / 3, repeats=[0, 1, 0], place=500 + i) for i in range(200)),
        anchor(999, 0.0, 1.0, place=999),
    ]
    quality = judged(540, rated).quality
    assert quality is not None
    assert quality.consistency == pytest.approx(201 / 401)
    assert quality.early == 1.0
    assert quality.late == pytest.approx(200 / 201)


def test_one_repeat_says_nothing_of_consistency() -> None:
    rated = [{**a, "cells": {"kind": {**a["cells"]["kind"], "repeats": [1.0]}}} for a in bench()]
    quality = judged(540, rated).quality
    assert quality is not None
    assert quality.consistency is None


def test_heads_stricter_minima_are_judged_beside_bases() -> None:
    stricter = changed(KIND, "min_sensitivity: 0.85", "min_sensitivity: 0.94", CALIBRATED)
    world = World(
        stricter, CALIBRATED,
        lambda made: [row(i, {"kind": float(i < 560)}) for i in range(600)]
        if "judge" in made.job.spec else right(190, 200),
        anchors=lambda _made: bench(),
    )  # fmt: skip
    found = [f for f in world.found("require") if f.gate == "Evaluation/kind/kind"]
    assert {f.judged_by: f.outcome for f in found} == {
        "base": Outcome.PASSED, "head": Outcome.INCONCLUSIVE,
    }  # fmt: skip


def test_a_minimum_is_shown_at_a_quarter_of_alpha() -> None:
    """92 of 100 show 0.85 at 0.05 and not at 0.0125, the level of the corrected bound."""
    assert binomial.shows(92, 100, 0.85, 0.05)
    assert "is not shown" in judged(540, bench((92, 100))).message
    assert "is not shown" not in judged(540, bench((93, 100))).message


def test_an_allowed_case_without_a_judgement_counts_as_the_worst() -> None:
    most = changed(KIND, "require: {min: 0.8}", "require: {max: 0.2}", CALIBRATED)
    most = {**most, KIND: most[KIND] + "  on_case_error: {max: 0.1}\n"}

    def values(lost: float | None) -> Finding:
        def rows(made: Made) -> list[dict[str, object]]:
            if "judge" not in made.job.spec:
                return right(190, 200)
            return [row(i, {"kind": lost if i < 20 else float(i < 40)}) for i in range(600)]

        world = World(most, most, rows, anchors=lambda _made: bench())
        (found,) = [f for f in world.found("require") if f.gate == "Evaluation/kind/kind"]
        return found

    assert values(None).interval == values(1.0).interval
    assert values(None).interval != values(0.0).interval


def test_a_rated_row_counts_once() -> None:
    found = judged(540, [*bench(), bench()[0]])
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "a rated row is counted twice" in found.message


@pytest.mark.parametrize("repeats", [7, "111", None, {"a": 1}, [None, "x", []]])
def test_repeats_that_are_no_numbers_are_none(repeats: Any) -> None:
    rated = [{**a, "cells": {"kind": {**a["cells"]["kind"], "repeats": repeats}}} for a in bench()]
    quality = judged(540, rated).quality
    assert quality is not None
    assert quality.consistency is None
