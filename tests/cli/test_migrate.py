"""`llmops migrate`: older words in files become today's, or the files stay as they are."""

from __future__ import annotations

import pytest

OLD = """\
# tuned in March
apiVersion: llmops/v1alpha1
kind: Recipe
metadata: {name: old}
spec:
  base_model: tiny
  data: [{dataset: "bank#train"}]
  full: {}
  training:
    warmup_ratio: 0.03  # as in the paper
"""
NEW = OLD.replace("warmup_ratio", "warmup_steps").replace('"bank#train"', "bank#train")
PATH = "specs/recipes/old.yaml"


@pytest.fixture
def old(git_repo):
    return git_repo({PATH: OLD})


def test_old_words_are_told_and_mended(llmops, old) -> None:
    change = (
        f"{PATH}: training.warmup_ratio -> warmup_steps (Transformers 5: below 1 it is a share)"
    )
    said = llmops("migrate", "--check", "-C", old.path)
    assert (said.code, said.err) == (1, "")
    assert said.out.splitlines()[0] == change
    assert (old.path / PATH).read_text() == OLD
    said = llmops("migrate", "-C", old.path)
    last = "1 file: 1 migrated; the newest version is llmops/v1alpha1"
    assert (said.code, said.out) == (0, f"{change}\n{last}\n")
    assert (old.path / PATH).read_text() == NEW
    assert llmops("migrate", "-q", "--check", "-C", old.path).out == ""


def test_a_spec_in_todays_words_is_not_even_formatted(llmops, bank) -> None:
    before = {path: path.read_bytes() for path in bank.path.rglob("*.yaml")}
    assert llmops("migrate", "-C", bank.path).code == 0
    assert {path: path.read_bytes() for path in bank.path.rglob("*.yaml")} == before


def test_a_change_that_is_not_committed_is_written_over_with_force_alone(llmops, old) -> None:
    old.write({PATH: OLD + "# thinking\n", "specs/recipes/new.yaml": OLD.replace("old}", "new}")})
    said = llmops("migrate", "-C", old.path)
    assert said.code == 2
    assert "has changes that are not committed" in said.err
    assert (old.path / PATH).read_text() == OLD + "# thinking\n"
    assert llmops("migrate", "--force", "-C", old.path).code == 0
    assert (old.path / PATH).read_text().endswith("# thinking\n")


def test_one_that_cannot_be_read_afterwards_is_left_and_the_others_are_mended(llmops, old) -> None:
    wrong = OLD.replace("    warmup", "    learning_rat: 1\n    warmup").replace("old}", "bad}")
    old.commit({"specs/recipes/bad.yaml": wrong, "specs/recipes/twice.yaml": "a: 1\na: 2\n"})
    said = llmops("migrate", "-C", old.path)
    assert said.code == 2
    assert "specs/recipes/bad.yaml:10:5: error[unknown-field]: TrainingArguments has" in said.err
    assert "specs/recipes/twice.yaml:2:1: error[duplicate-key]" in said.err
    assert (old.path / "specs/recipes/bad.yaml").read_text() == wrong
    assert (old.path / PATH).read_text() == NEW
