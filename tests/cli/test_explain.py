from __future__ import annotations

import json

import pytest

from llmops.specs.load import KINDS, roles


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_told_field_by_field(llmops, kind: str) -> None:
    found = json.loads(llmops("explain", kind, "--format", "json").out)
    assert [row["path"] for row in found["rows"]] == list(roles(kind))
    assert all(row["doc"] and row["role"] for row in found["rows"])


def test_a_field_has_its_form_role_and_words(llmops) -> None:
    said = llmops("explain", "Recipe.seed")
    assert said.code == 0
    assert "whole number" in said.out
    assert "train" in said.out


def test_a_block_shows_its_fields_with_or_without_the_marks_of_lists(llmops) -> None:
    plain = llmops("explain", "Evaluation.checks.require").out
    assert (
        plain.splitlines()[1:]
        == llmops("explain", "Evaluation.checks[].require").out.splitlines()[1:]
    )
    assert "checks[].require.min" in plain


def test_a_key_of_a_quoted_tool_is_known_with_its_version(llmops) -> None:
    assert "transformers 5.17.0" in llmops("explain", "Recipe.training.learning_rate").out
    refused = llmops("explain", "Recipe.training.output_dir").out
    assert "not for a spec to set" in refused


@pytest.mark.parametrize(
    ("subject", "hint"),
    [
        ("Recip", 'did you mean "Recipe"?'),
        ("Recipe.trainin", 'did you mean "training"?'),
        ("Recipe.training.learning_rat", 'did you mean "training.learning_rate"?'),
        ("Recipe/adaptor", 'did you mean "Recipe/adapter"?'),
        ("", "known are"),
    ],
)
def test_what_is_not_there_hints_at_the_nearest(llmops, bank, subject: str, hint: str) -> None:
    said = llmops("explain", subject, "-C", bank.path)
    assert said.code == 2
    assert hint in said.err


def test_a_spec_tells_where_each_value_comes_from(llmops, bank) -> None:
    found = json.loads(llmops("explain", "Recipe/adapter", "-C", bank.path, "--format", "json").out)
    rows = {row["path"]: row for row in found["rows"]}
    assert rows["method"]["role"] == "job: [train]"
    assert rows["template.packing"]["origin"] == "default"
    assert rows["lora.r"]["origin"].startswith("specs/recipes/adapter.yaml:")
    path, line, column = rows["lora.r"]["origin"].split(":")
    text = (bank.path / path).read_text().splitlines()[int(line) - 1]
    assert text[int(column) - 1 :].startswith(rows["lora.r"]["value"])
    assert rows["metadata.owner"]["role"] == "descriptive"


def test_a_value_that_an_environment_sets_names_its_overlay(llmops, bank) -> None:
    bank.write({
        "specs/environments/local.yaml": (
            "apiVersion: llmops/v1alpha1\nkind: Environment\nmetadata: {name: local}\nspec:\n"
            "  overlays: [{target: Recipe/base, set: {resources.timeout_minutes: 3}}]\n"
        ),
        "specs/environments/far.yaml": (
            "apiVersion: llmops/v1alpha1\nkind: Environment\nmetadata: {name: far}\nspec: {}\n"
        ),
    })  # fmt: skip

    def minutes(*words: str) -> list[str]:
        out = llmops("explain", "-C", bank.path, "Recipe/base", *words).out
        lines = [line.split() for line in out.splitlines() if "timeout_minutes" in line]
        return lines[0] if lines else []

    assert minutes() == [
        "resources.timeout_minutes", "3", "Environment/local", "specs/environments/local.yaml:5:69",
        "placement",
    ]  # fmt: skip
    assert minutes("--env", "far") == []  # nothing is said there, and nothing is set
    assert llmops("explain", "-C", bank.path, "Recipe/base", "--env", "fare").code == 2
