"""Rule `gap`: between the values of a column, and within pairs that differ in one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from llmops.jobs.exam import exams, made_of
from llmops.jobs.gates import gates
from llmops.jobs.make import Made
from llmops.rules.base import Finding, Outcome
from llmops.statistics import binomial
from tests.rules.world import World, right, row
from tests.trees import BANK, changed, graph, read, spec

E = "specs/evaluations/quality.yaml"
SLICE = "{name: by-language, column: language, check: accuracy, require: {min: 0.7}}"
PAIRS = "specs/datasets/swaps.yaml"
Rows = list[dict[str, Any]]


def by_column(most: float = 0.1, more: str = "") -> dict[str, str]:
    said = f"{{name: fair, column: language, check: accuracy, gap: {{max: {most}{more}}}}}"
    return changed(E, SLICE, said)


def languages(**shares: tuple[int, int]) -> Rows:
    """Rows per language: how many of how many are right."""
    found: Rows = []
    for language, (good, of) in shares.items():
        found += [
            row(len(found) + i, {"accuracy": float(i < good)}, language=language) for i in range(of)
        ]
    return found


def judged(rows: Rows, most: float = 0.1, more: str = "") -> Finding:
    files = by_column(most, more)
    (found,) = World(files, files, lambda _made: rows).found("gap")
    return found


def test_groups_that_are_alike_pass() -> None:
    found = judged(languages(zh=(950, 1000), en=(940, 1000)))
    assert found.outcome is Outcome.PASSED
    assert found.gate == "Evaluation/quality/fair/gap"
    assert (found.n, found.bound) == (2000, "max 0.1")
    assert found.value == pytest.approx(0.01)
    assert "from 0.940 (en) to 0.950 (zh)" in found.message
    assert found.place.startswith(f"{E}:")


def test_a_group_that_does_worse_fails() -> None:
    found = judged(languages(zh=(950, 1000), en=(700, 1000), fr=(940, 1000)))
    assert found.outcome is Outcome.FAILED
    assert "more than the maximum 0.1" in found.message
    assert found.interval is not None
    assert found.interval[0] > 0.1


def test_a_gap_of_right_and_wrong_has_exact_bounds() -> None:
    found = judged(languages(zh=(95, 100), en=(90, 100)))
    high = binomial.upper(95, 100, 0.0125) - binomial.lower(90, 100, 0.0125)
    assert found.interval == pytest.approx((0.0, high))


def test_a_gap_of_scores_is_seen_where_no_score_is_one() -> None:
    files = changed(E, "metric: builtin/accuracy", "metric: builtin/token_f1", by_column())
    rows = [
        row(i, {"accuracy": 0.5 if i % 2 else 0.9}, language="zh" if i % 2 else "en")
        for i in range(400)
    ]
    (found,) = World(files, files, lambda _made: rows).found("gap")
    assert found.outcome is Outcome.FAILED
    assert found.value == pytest.approx(0.4)


def test_an_undecided_gap_warns_and_says_about_how_many_more() -> None:
    found = judged(languages(zh=(45, 50), en=(44, 50)))
    assert found.outcome is Outcome.WARNED
    assert found.about_more is not None
    assert "more cases would decide" in found.hint


def test_prove_makes_an_undecided_gap_inconclusive() -> None:
    found = judged(languages(zh=(45, 50), en=(44, 50)), more=", prove: true")
    assert found.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("rows", "said"), [
    (languages(zh=(10, 20)), "nothing to compare"),
    ([row(i, {"accuracy": 1.0}) for i in range(20)], 'no case has a column "language"'),
    ([*languages(zh=(10, 20)), row(99, {"accuracy": None}, language="en")], "1 of 21 cells"),
    ([*languages(zh=(10, 20)), row(0, {"accuracy": 1.0}, language="en")], "counted twice"),
    ([], "no case"),
])  # fmt: skip
def test_what_cannot_be_compared_is_inconclusive(rows: Rows, said: str) -> None:
    found = judged(rows)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert said in found.message


def test_a_value_that_is_asked_for_must_be_there() -> None:
    said = "{name: fair, column: language, values: [zh, fr], check: accuracy, gap: {max: 0.5}}"
    files = changed(E, SLICE, said)
    world = World(files, files, lambda _made: languages(zh=(900, 1000), en=(900, 1000)))
    (found,) = world.found("gap")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.message == "no case has language fr"


@pytest.mark.parametrize(("before", "after", "looser"), [
    ("{max: 0.1}", "{max: 0.2}", True), ("{max: 0.2}", "{max: 0.1}", False),
    ("{max: 0.1, prove: true}", "{max: 0.1}", True),
    ("{max: 0.1}", "{max: 0.1, prove: true}", False),
])  # fmt: skip
def test_a_wider_gap_is_looser(before: str, after: str, looser: bool) -> None:
    trees = [
        changed(E, SLICE, f"{{name: fair, column: language, check: accuracy, gap: {gap}}}")
        for gap in (after, before)
    ]
    world = World(*trees, lambda _made: languages(zh=(1000, 1000), en=(1000, 1000)))
    assert bool(world.verdict().loosened) is looser


def test_a_gap_that_is_gone_is_looser() -> None:
    world = World(BANK, by_column(), lambda _made: languages(zh=(100, 100), en=(100, 100)))
    assert any("by-language" in o.what or "fair" in o.what for o in world.verdict().loosened)


# ---- pairs ----------------------------------------------------------------------------------


def in_pairs(most: float = 0.1) -> dict[str, str]:
    said = f"{{name: swap, pairs: swaps, check: accuracy, gap: {{max: {most}}}}}"
    data = spec(
        "Dataset", "swaps",
        "sources: [{name: all, file: specs/data/bank.jsonl, license: Apache-2.0,"
        " origin: synthetic}]\nformat: qa",
    )  # fmt: skip
    return changed(E, SLICE, said, {**BANK, PAIRS: data})


def member(i: int, pair: Any, variant: Any, good: float | None, expected: str = "yes") -> Any:
    return {**row(i, {"accuracy": good}, pair=pair, variant=variant), "expected": expected}


def swaps(n: int, female: int, male: int) -> Rows:
    """Pairs of which the first so many are right for each variant."""
    found = [member(2 * i, f"p{i}", "female", float(i < female)) for i in range(n)]
    return found + [member(2 * i + 1, f"p{i}", "male", float(i < male)) for i in range(n)]


def answers(pairs: Rows) -> Callable[[Made], Rows]:
    return lambda made: pairs if made.job.part == "swap" else right(190, 200)


def of_pairs(pairs: Rows, most: float = 0.1) -> Finding:
    files = in_pairs(most)
    (found,) = World(files, files, answers(pairs)).found("gap")
    return found


def test_pairs_that_are_answered_alike_pass() -> None:
    found = of_pairs(swaps(500, 450, 450))
    assert found.outcome is Outcome.PASSED
    assert (found.n, found.value, found.difference) == (500, 0.0, 0.0)
    assert found.gate == "Evaluation/quality/swap/gap"
    assert "0.900 (female) and 0.900 (male)" in found.message


@pytest.mark.parametrize(("female", "male"), [(450, 350), (350, 450)])
def test_pairs_fail_whichever_variant_is_worse(female: int, male: int) -> None:
    found = of_pairs(swaps(500, female, male))
    assert found.outcome is Outcome.FAILED
    assert found.value == pytest.approx(0.2)
    assert found.difference == pytest.approx((male - female) / 500)
    assert found.interval is not None
    assert 0.1 < found.interval[0] < 0.2 < found.interval[1]


def test_few_pairs_warn() -> None:
    found = of_pairs(swaps(20, 18, 17))
    assert found.outcome is Outcome.WARNED
    assert "n = 20 pairs" in found.message


@pytest.mark.parametrize(("pairs", "said"), [
    (swaps(9, 9, 9)[:-1], "1 of 9 pairs do not have one row of each variant: p8"),
    ([*swaps(9, 9, 9), member(99, "p0", "male", 1.0)], "1 of 9 pairs do not have one row"),
    ([*swaps(9, 9, 9), member(98, "p9", "male", 1.0), member(99, "p9", "male", 1.0)],
     "1 of 10 pairs do not have one row of each variant: p9"),
    ([*swaps(9, 9, 9), member(98, "p9", "other", 1.0)], "there are 3 variants"),
    ([m for m in swaps(9, 9, 9) if m["columns"]["variant"] == "male"], "there is 1 variant, male"),
    ([*swaps(9, 9, 9), member(98, None, "male", 1.0)], "rows have no pair"),
    ([*swaps(9, 9, 9), member(98, "p9", None, 1.0)], "no variant: c98"),
    ([*swaps(9, 9, 9), member(98, "p9", "male", 1.0, "no"), member(99, "p9", "female", 1.0)],
     "1 of 10 pairs expect two answers: p9"),
    ([*swaps(9, 9, 9), member(98, "p9", "male", None), member(99, "p9", "female", 1.0)],
     "1 of 20 cells invalid: c98"),
    ([], "no case"),
])  # fmt: skip
def test_pairs_that_do_not_match_are_inconclusive_and_named(pairs: Rows, said: str) -> None:
    found = of_pairs(pairs)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert said in found.message


def test_pairs_are_asked_by_jobs_of_their_own() -> None:
    jobs = {m.job.id for m in made_of(exams(None, graph(in_pairs())), "head")}
    assert {"generate/bot", "evaluate/quality"} <= jobs
    assert {"generate/bot/swap", "evaluate/quality/swap"} <= jobs


def test_a_moved_bound_or_another_check_of_pairs_makes_no_job() -> None:
    before = {m.job.closure for m in made_of(exams(None, graph(in_pairs(0.1))), "head")}
    two = "checks:\n    - {name: same, metric: builtin/exact_match}\n"
    for files in (in_pairs(0.2), in_pairs(0.1)):
        assert {m.job.closure for m in made_of(exams(None, graph(files)), "head")} == before
    base = changed(E, "checks:\n", two, in_pairs())
    other = changed(E, "pairs: swaps, check: accuracy", "pairs: swaps, check: same", base)
    closures = [
        {m.job.closure for m in made_of(exams(None, graph(f)), "head")} for f in (base, other)
    ]
    assert closures[0] == closures[1]


def test_the_bounds_of_the_checks_are_not_judged_on_the_pairs() -> None:
    files = in_pairs()
    world = World(files, files, answers(swaps(500, 0, 0)))
    assert [f.outcome for f in world.found("require")] == [Outcome.PASSED]
    assert len(world.found("regression")) == 1
    planned = gates(exams(None, graph(files)), {})
    assert [g.id for g in planned if g.kind == "gap"] == ["Evaluation/quality/swap/gap"]
    assert len([g for g in planned if g.kind == "require"]) == 1


def test_pairs_that_nobody_answered_are_inconclusive() -> None:
    files = in_pairs()
    world = World(files, files, lambda made: None if made.job.part == "swap" else right(200, 200))
    (found,) = world.found("gap")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "no evidence for evaluate/quality/swap" in found.message


@pytest.mark.parametrize(("splits", "rule"), [
    ("{method: hash, seed: 1, parts: {test: 0.5, rest: 0.5}}", ["pairs-cut"]),
    ("{method: hash, seed: 1, by: pair, parts: {test: 0.5, rest: 0.5}}", []),
])  # fmt: skip
def test_pairs_must_not_be_cut_in_two(splits: str, rule: list[str]) -> None:
    files = changed(PAIRS, "format: qa", f"format: qa\n  splits: {splits}", in_pairs())
    files = changed(E, "pairs: swaps", "pairs: swaps#test", files)
    assert [d.rule for d in read(files).diagnostics] == rule


def test_other_pairs_are_looser() -> None:
    other = changed(PAIRS, "specs/data/bank.jsonl", "specs/data/other.jsonl", in_pairs())
    other = {**other, "specs/data/other.jsonl": '{"question": "z", "answer": "b"}\n'}
    world = World(other, in_pairs(), answers(swaps(500, 450, 450)))
    assert any(o.what == "Evaluation/quality/swap cases" for o in world.verdict().loosened)


def test_fewer_slices_of_pairs_are_looser() -> None:
    world = World(BANK, in_pairs(), answers(swaps(500, 450, 450)))
    assert any(o.what == "Evaluation/quality/swap" for o in world.verdict().loosened)


# ---- regression by slice ---------------------------------------------------------------------


def sliced(margin: str = "0.05") -> dict[str, str]:
    said = f"{{name: each, column: language, check: accuracy, regression: {{margin: {margin}}}}}"
    return changed(E, SLICE, said)


def regressions(head: Rows, base: Rows) -> Mapping[str, Finding]:
    files = sliced()
    world = World(
        changed("specs/recipes/adapter.yaml", "r: 8", "r: 16", files), files,
        lambda _made: head, lambda _made: base,
    )  # fmt: skip
    return {f.gate.removeprefix("Evaluation/quality/"): f for f in world.found("regression")}


def test_a_group_that_got_worse_fails_although_the_mean_did_not() -> None:
    base = languages(zh=(2700, 3000), en=(270, 300))
    head = languages(zh=(2760, 3000), en=(200, 300))
    found = regressions(head, base)
    assert found["accuracy/regression"].outcome is Outcome.PASSED
    assert found["each/regression[zh]"].outcome is Outcome.PASSED
    assert found["each/regression[en]"].outcome is Outcome.FAILED
    assert found["each/regression[en]"].n == 300
    assert "accuracy [language=en] 0.667 is worse than base by more than 0.05" in (
        found["each/regression[en]"].message
    )


def test_a_slice_without_its_column_is_inconclusive() -> None:
    rows = [row(i, {"accuracy": 1.0}) for i in range(300)]
    found = regressions(rows, rows)
    assert found["each/regression"].outcome is Outcome.INCONCLUSIVE
    assert 'no case has a column "language"' in found["each/regression"].message


def test_a_regression_by_slice_needs_bases_target_too() -> None:
    files = changed(E, ", regression: {margin: 0.02}", "", sliced())
    found = exams(graph(files), graph(files))
    assert all(exam.base is not None for exam in found)


@pytest.mark.parametrize(("before", "after", "looser"), [
    ("0.05", "0.1", True), ("0.1", "0.05", False), ("0.1, prove: true", "0.1", True),
])  # fmt: skip
def test_a_wider_margin_of_a_slice_is_looser(before: str, after: str, looser: bool) -> None:
    world = World(
        sliced(after), sliced(before), lambda _made: languages(zh=(500, 500), en=(500, 500))
    )
    assert bool(world.verdict().loosened) is looser


def test_turning_the_check_of_a_sliced_regression_is_looser() -> None:
    base = changed(E, ", require: {min: 0.8}, regression: {margin: 0.02}", "", sliced())
    head = changed(
        E, "metric: builtin/accuracy", "metric: builtin/accuracy, require: {max: 0.9}", base
    )
    world = World(head, base, lambda _made: languages(zh=(400, 500), en=(400, 500)))
    assert any("higher is better" in o.before for o in world.verdict().loosened)


def test_an_undecided_gap_is_listed_as_not_shown() -> None:
    found = judged(languages(zh=(45, 50), en=(44, 50)))
    assert "neither shown" in found.not_shown
    files = in_pairs()
    world = World(files, files, answers(swaps(500, 450, 450)))
    assert not [one for one in world.verdict().unshown if one.kind == "reported"]
