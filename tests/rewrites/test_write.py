"""A spec from plain values: read back the same, as a careful author would write it."""

from __future__ import annotations

import pytest

from llmops.errors import UsageError
from llmops.rewrites.style import formatted
from llmops.rewrites.write import modeline, path_of, spec_text
from llmops.source.document import parse
from tests.rewrites.texts import OTHERS, OURS, name, paths

VALUES = {
    name(path): parsed.document.value
    for path in paths(*OURS, *OTHERS)
    if (parsed := parse(name(path), path.read_bytes())).document is not None
}


@pytest.mark.parametrize("path", VALUES)
def test_the_values_of_every_spec_are_written_and_read_back(path: str) -> None:
    text = spec_text(VALUES[path], path=path)
    again = parse(path, text.encode("utf-8")).document
    assert again is not None
    assert again.value == VALUES[path]
    assert formatted(text, path).text == text


RECIPE = {
    "kind": "Recipe",
    "apiVersion": "llmops/v1alpha1",
    "metadata": {"name": "a", "title": "no"},
    "spec": {
        "training": {"learning_rate": 2e-5, "bf16": True},
        "data": [{"dataset": "b#train"}],
        "base_model": "m",
    },
}


def test_a_spec_begins_with_the_line_for_editors_and_carries_its_comments() -> None:
    comments = {
        (): "made from config.yaml",
        ("spec", "training", "learning_rate"): "was lr",
        ("spec", "data", 0): "one line\nand another",
        ("spec", "training", "flash_attention"): "flash_attention: true has no counterpart",
    }
    assert spec_text(RECIPE, comments) == (
        "# yaml-language-server: $schema=../../.github/llmops/v1alpha1.schema.json\n"
        "# made from config.yaml\n"
        "apiVersion: llmops/v1alpha1\n"
        "kind: Recipe\n"
        "metadata:\n"
        "  name: a\n"
        '  title: "no"\n'
        "spec:\n"
        "  base_model: m\n"
        "  data:\n"
        "    # one line\n"
        "    # and another\n"
        "    - {dataset: b#train}\n"
        "  training:\n"
        "    learning_rate: 2.0e-05  # was lr\n"
        "    bf16: true\n"
        "    # flash_attention: true has no counterpart\n"
    )


def test_the_line_for_editors_counts_the_folders_above() -> None:
    assert path_of(RECIPE) == "specs/recipes/a.yaml"
    assert modeline("policies/a.yaml").endswith("$schema=../.github/llmops/v1alpha1.schema.json")
    assert modeline("a/b/c/d.yaml").endswith("=../../../.github/llmops/v1alpha1.schema.json")


def nested(depth: int) -> object:
    return {"a": nested(depth - 1)} if depth else 1


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", 2**60, nested(80), {"a": object()}],
    ids=["nan", "inf", "half a character", "too large", "too deep", "no value"],
)  # fmt: skip
def test_what_no_spec_can_hold_is_refused(value: object) -> None:
    spec = {**RECIPE, "spec": {"training": value}}
    with pytest.raises(UsageError):
        spec_text(spec)
