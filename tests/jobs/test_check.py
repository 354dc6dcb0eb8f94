"""What must fit together before a job can be made of it."""

from __future__ import annotations

from tests.trees import BANK, changed, read, spec


def test_rows_without_answers_cannot_be_learned() -> None:
    found = read(changed("specs/datasets/bank.yaml", "format: qa", "format: attack"))
    said = [d for d in found.diagnostics if d.rule == "wrong-format"]
    assert {d.span.path for d in said} == {
        "specs/recipes/base.yaml", "specs/recipes/adapter.yaml",
    }  # fmt: skip
    assert "Dataset/bank has format attack, and such rows cannot be learned" in said[0].message


def test_a_word_list_cannot_be_asked() -> None:
    found = read(changed("specs/datasets/bank.yaml", "format: qa", "format: lexicon"))
    asked = [d for d in found.diagnostics if "cannot be asked" in d.message]
    assert [d.span.path for d in asked] == ["specs/evaluations/quality.yaml"]


def test_what_fits_is_not_told() -> None:
    assert not read(BANK).diagnostics


def safety(suite: str, more: str = "") -> dict[str, str]:
    """The bank's tree with a SafetyTest of one suite."""
    body = f"target: Application/bot\nsuites:\n  - {{name: s, {suite}}}\n{more}"
    return {**BANK, "specs/safety/red.yaml": spec("SafetyTest", "red", body)}


def test_a_bank_has_the_format_of_one() -> None:
    check = "checks: [{name: r, suite: s, metric: builtin/refusal, require: {min: 0.9}}]"
    told = read(safety("bank: {dataset: bank#test}", check)).diagnostics
    assert [d.rule for d in told] == ["wrong-format"]
    assert "a bank is of format attack" in told[0].message


def test_a_detector_that_needs_labels_is_refused_for_free_text() -> None:
    scan = safety(
        "giskard: {detectors: [prompt_injection, overconfidence], dataset: bank#test}",
        "fail_on: {severity: high}",
    )
    assert not read(scan).diagnostics
    text = changed("specs/applications/bot.yaml", "\n  prompt: ask", "", scan)
    (told,) = read(text).diagnostics
    assert told.rule == "unfit-detector"
    assert told.message.startswith("overconfidence: Application/bot writes free text")


def test_a_bound_on_a_time_without_a_limit_is_untestable_in_a_safety_test_too() -> None:
    files = safety(
        "bank: {dataset: probes}",
        "checks: [{name: slow, suite: s, metric: builtin/latency_ms, require: {max: 9}}]",
    )
    files["specs/datasets/probes.yaml"] = spec(
        "Dataset", "probes", "sources: [{name: a, file: specs/data/bank.jsonl}]\nformat: attack"
    )
    assert [d.rule for d in read(files).diagnostics] == ["untestable"]


GUARDED = {
    **BANK,
    "specs/guardrails/shield.yaml": spec(
        "Guardrail", "shield",
        "input: [{name: words, action: block, lexicon: {dataset: bank#train}}]",
    ),
}  # fmt: skip


def test_words_come_from_a_word_list() -> None:
    (said,) = read(GUARDED).diagnostics
    assert said.rule == "wrong-format"
    assert said.message == "Dataset/bank has format qa, not lexicon"
    assert said.span.line == 5


def test_a_word_list_in_parts_is_used_by_part() -> None:
    found = read(changed("specs/guardrails/shield.yaml", "bank#train", "bank", GUARDED))
    assert "unknown-part" in {d.rule for d in found.diagnostics}


SERVED = """endpoint:
  protocol: openai
  base_url: http://127.0.0.1:8000/v1
  model: {model}
"""
JUDGED = (
    "target: Application/bot\ndataset: bank#test\njudge: {{model: {judge}}}\n"
    "checks: [{{name: kind, metric: deepeval/bias}}]"
)


def judged(model: str, judge: str = "served") -> dict[str, str]:
    """The bank's tree with an Evaluation that asks a judge."""
    return {
        **BANK,
        "specs/models/served.yaml": spec("Model", "served", SERVED.format(model=model)),
        "specs/evaluations/kind.yaml": spec("Evaluation", "kind", JUDGED.format(judge=judge)),
    }


def test_a_judge_s_model_may_not_move() -> None:
    told = [d for d in read(judged("judge-large")).diagnostics if d.severity.value == "error"]
    assert [d.rule for d in told] == ["pinned-revision"]
    assert told[0].span.path == "specs/evaluations/kind.yaml"
    assert 'Model/served serves "judge-large", an alias that may move' in told[0].message


def test_a_dated_id_a_digest_and_a_recipe_may_judge() -> None:
    for model in ("judge-2026-08-14", "judge-7b@a09a354", "judge-20260814"):
        assert not read(judged(model)).diagnostics
    assert not read(judged("judge-2026-08-14", "Recipe/base")).diagnostics


def test_a_judge_is_calibrated_on_rated_rows_and_these_are_not_asked_nor_learned() -> None:
    files = judged("judge-2026-08-14")
    path = "specs/evaluations/kind.yaml"
    how = "calibration: {dataset: %s, min_sensitivity: 0.8, min_specificity: 0.8}}"
    wrong = {**files, path: files[path].replace("served}", f"served, {how % 'bank#test'}")}
    (found,) = read(wrong).diagnostics
    assert found.rule == "wrong-format"
    assert "has format qa, and a judge is calibrated on format ratings" in found.message
    rated = files["specs/datasets/bank.yaml"].replace("format: qa", "format: ratings")
    told = {d.message for d in read({**files, "specs/datasets/bank.yaml": rated}).diagnostics}
    assert "Dataset/bank has format ratings, and such rows cannot be asked" in told
    assert "Dataset/bank has format ratings, and such rows cannot be learned" in told
