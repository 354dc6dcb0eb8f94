"""Kind Prompt: all of it reaches generation; files and labels are found."""

from __future__ import annotations

from llmops.specs.base import FileUse, Ref
from tests.specs.examples import PROMPT, spec


def test_all_of_a_prompt_reaches_whoever_asks_the_target_and_nothing_else() -> None:
    found = spec("support-system").projections
    assert set(found) == {"generate", "scan", "evaluate", "gate", "static"}
    assert set(found["static"]) == {"tests"}
    assert set(found["evaluate"]) == set(found["gate"]) == {"constraints"}
    assert found["generate"] == found["scan"]
    assert set(found["generate"]) == {
        "template", "inputs", "system", "few_shot", "messages", "output", "parameters",
        "constraints",
    }  # fmt: skip


def test_examples_in_a_file_are_a_use_of_that_file() -> None:
    place = ("spec", "few_shot", 1, "file")
    assert spec("support-system").files == (FileUse(place, "specs/data/shots.jsonl"),)


def test_labels_are_a_reference_to_the_whole_dataset() -> None:
    (use,) = spec("support-system").references
    assert (use.target, use.part) == (Ref("Dataset", "support"), None)


def test_without_an_output_the_answer_is_text() -> None:
    cut = "  output: {format: choice, labels: {dataset: support, column: answer}}\n"
    found = spec("support-system", PROMPT.replace(cut, ""))
    assert found.spec["output"] == {"format": "text"}
    assert found.references == ()
