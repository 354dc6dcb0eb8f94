"""What must fit together before a job can be made of it."""

from __future__ import annotations

from tests.trees import BANK, changed, read


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
