"""What a SafetyTest may lose: suites, detectors, cases, classes. None of it in silence."""

from __future__ import annotations

import pytest

from tests.rules.test_loosening import what
from tests.trees import BANK, changed, spec

PATH = "specs/safety/safe.yaml"
SAFE = {
    **BANK,
    "specs/datasets/refuse.yaml": spec(
        "Dataset", "refuse",
        "purpose: [attack]\nformat: attack\n"
        "sources: [{name: all, file: specs/data/refuse.jsonl, license: MIT, origin: synthetic}]",
    ),
    "specs/data/refuse.jsonl": '{"prompt": "a", "risk": "b"}\n',
    PATH: spec(
        "SafetyTest", "safe",
        "target: Application/bot\nlanguages: [en, zh]\nsuites:\n"
        "  - name: robust\n    giskard: {detectors: [ethical_bias, text_perturbation],"
        " transformations: [typos, uppercase], dataset: bank#test, rows: 100}\n"
        "  - {name: refuse, bank: {dataset: refuse, rows: 50, min_per_class: 5}}\n"
        "checks:\n"
        "  - {name: typos, suite: robust, metric: giskard/typos, require: {min: 0.5}}\n"
        "  - {name: refused, suite: refuse, metric: builtin/refusal, require: {min: 0.5}}\n"
        "fail_on: {severity: medium}\non_case_error: {max: 0.0}",
    ),
}  # fmt: skip

LOOSER = [
    ("detectors: [ethical_bias, text_perturbation]", "detectors: [ethical_bias]",
     ["SafetyTest/safe/robust detectors"]),
    ("transformations: [typos, uppercase]", "transformations: [typos]",
     ["SafetyTest/safe/robust transformations"]),
    ("rows: 100", "rows: 99", ["SafetyTest/safe/robust sample"]),
    ("dataset: bank#test", "dataset: bank#train", ["SafetyTest/safe/robust cases"]),
    (", min_per_class: 5", "", ["SafetyTest/safe/refuse min_per_class"]),
    ("min_per_class: 5", "min_per_class: 4", ["SafetyTest/safe/refuse min_per_class"]),
    ("{name: refuse, bank", "{name: refuse, gate: false, bank", ["SafetyTest/safe/refuse gate"]),
    ("name: robust\n", "name: robust\n      gate: false\n",
     ["SafetyTest/safe/robust gate", "SafetyTest/safe/robust fail_on"]),
    ("severity: medium", "severity: high", ["SafetyTest/safe/robust fail_on"]),
    ("  fail_on: {severity: medium}\n", "", ["SafetyTest/safe/robust fail_on"]),
    ("languages: [en, zh]", "languages: [zh]", ["SafetyTest/safe languages"]),
    ("typos, require: {min: 0.5}", "typos, require: {min: 0.4}", ["SafetyTest/safe/typos"]),
    ("{max: 0.0}", "{max: 0.1}", ["SafetyTest/safe on_case_error"]),
    ("{name: refused,", "{name: other,",
     ["SafetyTest/safe/refused"]),
]  # fmt: skip
TIGHTER = [
    ("severity: medium", "severity: low"),
    ("languages: [en, zh]", "languages: [de, en, zh]"),
    ("min_per_class: 5", "min_per_class: 6"),
    ("transformations: [typos, uppercase]", "transformations: [typos, uppercase, gender]"),
    ("rows: 100", "rows: 101"),
    ("typos, require: {min: 0.5}", "typos, require: {min: 0.6}"),
]


@pytest.mark.parametrize(("old", "new", "told"), LOOSER, ids=[n or o for o, n, _ in LOOSER])
def test_less_is_told(old: str, new: str, told: list[str]) -> None:
    assert what(SAFE, changed(PATH, old, new, SAFE)) == told


@pytest.mark.parametrize(("old", "new"), TIGHTER)
def test_more_is_not_looser(old: str, new: str) -> None:
    assert what(SAFE, changed(PATH, old, new, SAFE)) == []


def test_a_suite_that_is_gone_and_a_test_that_is_gone_are_told() -> None:
    suite = "    - {name: refuse, bank: {dataset: refuse, rows: 50, min_per_class: 5}}\n"
    check = "    - {name: refused, suite: refuse, metric: builtin/refusal, require: {min: 0.5}}\n"
    without = changed(PATH, suite, "", changed(PATH, check, "", SAFE))
    assert what(SAFE, without) == ["SafetyTest/safe/refuse"]
    gone = {path: text for path, text in SAFE.items() if path != PATH}
    assert what(SAFE, gone) == ["SafetyTest/safe"]


def test_a_bound_that_turns_a_comparison_round_is_told() -> None:
    check = "metric: builtin/refusal, require: {min: 0.5}"
    compared = "metric: builtin/refusal, regression: {margin: 0.01}"
    turned = "metric: builtin/refusal, require: {max: 1.0}, regression: {margin: 0.01}"
    base = changed(PATH, check, compared, SAFE)
    head = changed(PATH, check, turned, SAFE)
    assert what(base, head) == ["SafetyTest/safe/refused"]
    assert what(base, changed(PATH, "{max: 1.0}", "{min: 0.1}", head)) == []


def test_other_rows_of_a_bank_are_told() -> None:
    head = {**SAFE, "specs/data/refuse.jsonl": '{"prompt": "z", "risk": "b"}\n'}
    assert what(SAFE, head) == ["SafetyTest/safe/refuse cases"]


LAYER = "{name: bad, regex: {pattern: 'bad+'}, action: block}"


def guarded(layer: str) -> dict[str, str]:
    guard = spec("Guardrail", "guard", f"input: [{layer}]")
    return {**BANK, "specs/guardrails/guard.yaml": guard}


@pytest.mark.parametrize(("old", "new", "looser"), [
    ("action: block", "action: block, because: {en: so}", False),
    ("action: block", "action: mask", True), ("'bad+'", "'worse+'", True),
    ("regex: {pattern: 'bad+'}", "pii: {entities: [CN_ID_CARD]}", True),
    ("name: bad", "name: other", True),
])  # fmt: skip
def test_a_layer_that_catches_less_is_looser_and_the_same_layer_is_not(
    old: str, new: str, looser: bool
) -> None:
    told = ["Guardrail/guard input bad"] if looser else []
    assert what(guarded(LAYER), guarded(LAYER)) == []
    assert what(guarded(LAYER), guarded(LAYER.replace(old, new))) == told
