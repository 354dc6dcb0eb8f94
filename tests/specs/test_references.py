"""References and paths: what they may look like, and what they mean."""

from __future__ import annotations

import pytest

from llmops.specs.base import FileUse, Ref, Reference
from llmops.specs.fields import RefTo
from llmops.specs.problem import Problem
from llmops.specs.references import file_use, reference

LOC = ("spec", "x")
ONE = RefTo(("Dataset",), part="optional")
PART = RefTo(("Dataset",), part="required")
SEVERAL = RefTo(("Recipe", "Model"))
BARE = RefTo(("Model", "Recipe"), bare="Model")


@pytest.mark.parametrize(
    ("to", "text", "target", "part"),
    [
        (ONE, "rows", Ref("Dataset", "rows"), None),
        (ONE, "rows#test", Ref("Dataset", "rows"), "test"),
        (PART, "rows#test", Ref("Dataset", "rows"), "test"),
        (SEVERAL, "Recipe/qwen2.5-lora", Ref("Recipe", "qwen2.5-lora"), None),
        (BARE, "tiny", Ref("Model", "tiny"), None),
        (BARE, "Recipe/r", Ref("Recipe", "r"), None),
    ],
)
def test_a_good_reference(to: RefTo, text: str, target: Ref, part: str | None) -> None:
    assert reference(LOC, to, text) == Reference(LOC, target, part)


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (ONE, ""), (ONE, "#test"), (ONE, "rows#"), (ONE, "Dataset/rows"), (ONE, "Rows"),
        (ONE, "a" * 64), (ONE, "rows#a#b/"), (PART, "rows"), (SEVERAL, "tiny"),
        (SEVERAL, "Model/tiny#test"), (SEVERAL, "/tiny"), (SEVERAL, "Model/"),
        (SEVERAL, "Guardrail/g"), (BARE, "Dataset/rows"), (ONE, "rows\n"),
    ],
)  # fmt: skip
def test_a_bad_reference_is_a_problem(to: RefTo, text: str) -> None:
    assert isinstance(reference(LOC, to, text), Problem)


@pytest.mark.parametrize("path", ["a.jsonl", "specs/data/客服 数据.jsonl", "a/b.c/d", ".github/x"])
def test_a_path_inside_the_repository(path: str) -> None:
    assert file_use(LOC, path) == FileUse(LOC, path)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\\b", "C:/x", "a\0b", "a\nb",
     ".git/config", "~/x/.."],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_a_problem(path: str) -> None:
    assert isinstance(file_use(LOC, path), Problem)
