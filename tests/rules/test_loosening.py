"""What counts as looser, and what does not: parts, expectations, decoding, labels, approvals."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llmops.rules.base import Outcome
from llmops.rules.facts import Approval
from tests.rules.world import World
from tests.trees import BANK, changed, spec

GIVEN = {
    **BANK,
    "specs/datasets/bank.yaml": spec(
        "Dataset", "bank",
        "purpose: [sft, evaluation]\nsources:\n"
        "  - {name: a, file: specs/data/a.jsonl, license: MIT, origin: synthetic}\n"
        "  - {name: b, file: specs/data/b.jsonl, license: MIT, origin: synthetic}\n"
        "format: qa\nexpectations: [{unique: question}]\n"
        "splits: {method: given, parts: {train: a, test: b}}",
    ),
    "specs/data/a.jsonl": '{"question": "a", "answer": "b"}\n',
    "specs/data/b.jsonl": '{"question": "c", "answer": "d"}\n',
}  # fmt: skip


def what(base: Mapping[str, str], head: Mapping[str, str]) -> list[str]:
    return [one.what for one in World(head, base).verdict().loosened]


def test_training_rows_of_a_given_part_are_not_the_cases() -> None:
    assert what(GIVEN, {**GIVEN, "specs/data/a.jsonl": '{"question": "z", "answer": "y"}\n'}) == []


def test_test_rows_of_a_given_part_are_the_cases() -> None:
    head = {**GIVEN, "specs/data/b.jsonl": '{"question": "z", "answer": "y"}\n'}
    assert what(GIVEN, head) == ["Evaluation/quality cases"]


def test_a_part_that_is_given_another_source_has_other_cases() -> None:
    head = changed("specs/datasets/bank.yaml", "{train: a, test: b}", "{train: b, test: a}", GIVEN)
    assert what(GIVEN, head) == ["Evaluation/quality cases"]


def test_an_expectation_that_is_gone_is_looser_and_a_new_one_is_not() -> None:
    more = changed("specs/datasets/bank.yaml", "[{unique: question}]",
                   "[{unique: question}, {unique: answer}]", GIVEN)  # fmt: skip
    assert what(GIVEN, more) == []
    assert what(more, GIVEN) == ["Dataset/bank expectations"]


def test_other_decoding_may_be_looser() -> None:
    path = "specs/evaluations/quality.yaml"
    head = changed(path, "engine: builtin", "engine: builtin\n  generation: {temperature: 0.0}")
    assert what(BANK, head) == ["Evaluation/quality generation"]


def test_more_cases_of_the_same_part_are_not_looser() -> None:
    path = "specs/evaluations/quality.yaml"
    more = changed(path, "rows: 200", "rows: 201")
    assert what(BANK, more) == []
    assert what(more, BANK) == ["Evaluation/quality sample"]
    assert what(BANK, changed(path, "\n  sample: {rows: 200}", "")) == []


LABELLED = {
    **changed("policies/default.yaml", "rules:", "applies_to: {labels: {risk: high}}\n  rules:"),
    "specs/applications/bot.yaml": spec(
        "Application", "bot", "model: Recipe/adapter\nprompt: ask"
    ).replace("{name: bot}", "{name: bot, labels: {risk: high, team: a}}"),
}


def test_an_application_that_leaves_a_policy_is_looser() -> None:
    head = changed("specs/applications/bot.yaml", "risk: high", "risk: low", LABELLED)
    assert what(LABELLED, head) == ["Policy/default for Application/bot"]


def test_another_label_is_not_looser() -> None:
    assert (
        what(LABELLED, changed("specs/applications/bot.yaml", "team: a", "team: b", LABELLED)) == []
    )


def test_a_policy_for_more_applications_is_tighter_and_for_fewer_is_looser() -> None:
    for_all = changed(
        "policies/default.yaml", "  applies_to: {labels: {risk: high}}\n", "", LABELLED
    )
    assert what(LABELLED, for_all) == []
    assert what(for_all, LABELLED) == ["Policy/default applies_to"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rules:", "alpha: 0.01\n  rules:"),
        ("rules:", "on_inconclusive: fail\n  rules:"),
        ("count: 1}", "count: 2}"),
        (", severity: error", ""),
    ],
)
def test_a_policy_that_asks_for_more_is_not_looser(old: str, new: str) -> None:
    assert what(BANK, changed("policies/default.yaml", old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rules:", "alpha: 0.2\n  rules:"),
        ("rules:", "on_inconclusive: warn\n  rules:"),
        ("count: 1}", "count: 1, allow_author: true}"),
        ("[team-compliance]", "[team-cs]"),
        ("severity: error", "severity: warning"),
    ],
)
def test_a_policy_that_asks_for_less_is_looser(old: str, new: str) -> None:
    assert what(BANK, changed("policies/default.yaml", old, new)) != []


def test_every_approval_that_base_names_is_needed() -> None:
    other = BANK["policies/default.yaml"].replace("name: default", "name: other")
    base = {**BANK, "policies/other.yaml": other.replace("team-compliance", "team-legal")}
    head = changed("specs/evaluations/quality.yaml", "min: 0.8}", "min: 0.5}", base)
    compliance, legal = Approval("team-compliance", "wang"), Approval("team-legal", "li")
    for given in ((), (compliance,), (legal,)):
        (found,) = World(head, base, approvals=given).found("policy-looser")
        assert found.outcome is Outcome.INCONCLUSIVE
    (found,) = World(head, base, approvals=(compliance, legal)).found("policy-looser")
    assert found.outcome is Outcome.WARNED


JUDGE = "specs/models/judge.yaml"
JUDGED: Mapping[str, str] = {
    **BANK,
    JUDGE: spec(
        "Model", "judge",
        "endpoint: {protocol: openai, base_url: 'http://127.0.0.1:1/v1', model: m-2026-08-14}",
    ),
    "specs/evaluations/kind.yaml": spec(
        "Evaluation", "kind",
        "target: Application/bot\ndataset: bank#test\njudge: {model: judge, repeats: 3}\n"
        "checks:\n  - {name: kind, metric: deepeval/bias, require: {min: 0.5}}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (JUDGE, "127.0.0.1:1", "127.0.0.1:2"),
        (JUDGE, "m-2026-08-14", "m-2026-08-15"),
        ("specs/evaluations/kind.yaml", "model: judge", "model: Recipe/base"),
        ("specs/evaluations/kind.yaml", "repeats: 3", "repeats: 1"),
    ],
)
def test_another_judge_may_be_milder(path: str, old: str, new: str) -> None:
    assert what(JUDGED, changed(path, old, new, JUDGED)) == ["Evaluation/kind judge"]


def test_limits_of_a_judge_are_not_looser() -> None:
    slower = changed(JUDGE, "model: m-", "limits: {max_retries: 9}, model: m-", JUDGED)
    longer = changed(
        "specs/evaluations/kind.yaml", "repeats: 3", "repeats: 3, timeout_minutes: 9", JUDGED
    )
    assert what(JUDGED, slower) == what(JUDGED, longer) == []


def test_what_is_expected_of_rows_to_learn_from_is_told() -> None:
    data = spec(
        "Dataset", "more",
        "purpose: [sft]\nformat: qa\nexpectations: [{unique: question}]\n"
        "sources: [{name: all, file: specs/data/bank.jsonl, license: MIT, origin: synthetic}]",
    )  # fmt: skip
    base = {**BANK, "specs/datasets/more.yaml": data}
    head = changed("specs/datasets/more.yaml", "  expectations: [{unique: question}]\n", "", base)
    assert what(base, head) == ["Dataset/more expectations"]


def placed(words: str) -> dict[str, str]:
    return changed("specs/datasets/bank.yaml", "  format: qa\n", f"  format: qa\n{words}")


def test_rows_that_may_go_further_are_told() -> None:
    here = placed("  residency: [CN]\n  sensitivity: personal\n")
    assert what(here, placed("  sensitivity: personal\n")) == ["Dataset/bank residency"]
    wider = placed("  residency: [CN, US]\n  sensitivity: internal\n")
    assert what(here, wider) == ["Dataset/bank residency", "Dataset/bank sensitivity"]
    assert what(wider, here) == []
    assert what(BANK, here) == []


RATED = "specs/datasets/rated.yaml"
CALIBRATED = {
    **JUDGED,
    RATED: spec(
        "Dataset", "rated",
        "purpose: [evaluation]\nformat: ratings\n"
        "sources: [{name: all, file: specs/data/rated.jsonl, license: MIT, origin: first_party}]\n"
        "splits: {method: hash, parts: {a: 0.5, b: 0.5}}",
    ),
    "specs/data/rated.jsonl": '{"input": "a", "response": "b", "rating": 1}\n',
    "specs/evaluations/kind.yaml": JUDGED["specs/evaluations/kind.yaml"].replace(
        "repeats: 3", "repeats: 3, calibration: {dataset: rated#a, min_sensitivity: 0.8,"
        " min_specificity: 0.8, max_control_errors: 0.1}",
    ),
}  # fmt: skip
KIND = "specs/evaluations/kind.yaml"


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (KIND, "sensitivity: 0.8", "sensitivity: 0.7", ".min_sensitivity"),
        (KIND, "specificity: 0.8", "specificity: 0.7", ".min_specificity"),
        (KIND, "errors: 0.1", "errors: 0.2", ".max_control_errors"),
        (KIND, "rated#a", "rated#b", ".dataset"),
        ("specs/data/rated.jsonl", '"rating": 1', '"rating": 0', ".dataset"),
    ],
)
def test_a_judge_of_less_well_known_errors_is_looser(
    path: str, old: str, new: str, said: str
) -> None:
    head = changed(path, old, new, CALIBRATED)
    assert what(CALIBRATED, head) == [f"Evaluation/kind judge.calibration{said}"]


def test_a_calibration_that_is_gone_is_looser_and_a_new_one_is_not() -> None:
    assert what(CALIBRATED, {**CALIBRATED, KIND: JUDGED[KIND]}) == [
        "Evaluation/kind judge.calibration"
    ]
    assert what(JUDGED, CALIBRATED) == []


def test_stricter_minima_are_not_looser() -> None:
    for old, new in (("sensitivity: 0.8", "sensitivity: 0.9"), ("errors: 0.1", "errors: 0.05")):
        assert what(CALIBRATED, changed(KIND, old, new, CALIBRATED)) == []


def test_repeats_are_those_of_base_whatever_head_says() -> None:
    """Base's gate asks head's target as often as base says; head's fewer repeats are its own."""
    head = changed(KIND, "repeats: 3", "repeats: 1", CALIBRATED)
    asked = World(head, CALIBRATED).facts().exams
    repeats = {
        exam.judged_by: exam.head.job.spec["judge"]["repeats"]
        for exam in asked
        if exam.head is not None and "judge" in exam.head.job.spec
    }
    assert repeats == {"base": 3, "head": 1}
    assert what(CALIBRATED, head) == ["Evaluation/kind judge"]
