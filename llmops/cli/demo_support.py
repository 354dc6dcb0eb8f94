"""The tale of the running example: a support assistant, and seven pull requests.

A base model that knows fourteen intents stands on main; the first pull request teaches it six more
and is merged. Every edit is one that a person would make, and its outcome is what the demo checks.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from llmops.cli import tale

LEFT_OUT = ("banking77",)
APPLICATION = Path("specs/applications/support.yaml")
EVALUATION = Path("specs/evaluations/support-quality.yaml")
LORA = Path("specs/recipes/support-lora.yaml")
GUARDRAIL = Path("specs/guardrails/support-guard.yaml")
PROMPT = Path("specs/prompts/support.yaml")


def _begin(root: Path) -> None:
    tale.copy(root, *tale.SHIPPED, leave_out=LEFT_OUT)
    _before_new_intents(root)


def _before_new_intents(root: Path) -> None:
    """The example as it was one pull request ago: the base model, judged on what it knows."""
    (root / LORA).unlink()
    tale.edit(root / APPLICATION, lambda d: d["spec"].update(model="Recipe/support-base"))

    def without_new(document: Any) -> None:
        spec = document["spec"]
        for check in spec["checks"]:
            check.pop("require", None)
        for other in [s for s in spec["slices"] if "known" not in s.get("values", [])]:
            spec["slices"].remove(other)

    tale.edit(root / EVALUATION, without_new)


def _new_intents(root: Path) -> None:
    for path in (LORA, APPLICATION, EVALUATION):
        shutil.copy(tale.example() / path, root / path)


def _no_rehearsal(root: Path) -> None:
    tale.edit(root / LORA, tale.no_rehearsal)


def _rate_x100(root: Path) -> None:
    tale.edit(root / LORA, tale.rate_x100)


def _lower_bar(root: Path) -> None:
    def lower(document: Any) -> None:
        bound = document["spec"]["checks"][0]["require"]
        bound["min"] = round(float(bound["min"]) - 0.1, 2)

    tale.edit(root / EVALUATION, lower)


def _weaken_guard(root: Path) -> None:
    def no_disguises(document: Any) -> None:
        document["spec"]["input"][0]["lexicon"]["normalize"] = ["casefold"]

    tale.edit(root / GUARDRAIL, no_disguises)


def _lower_case(root: Path) -> None:
    def ask(document: Any) -> None:
        document["spec"]["messages"][0]["content"] = "{{ question | lower }}"

    tale.edit(root / PROMPT, ask)


def _rename_owner(root: Path) -> None:
    tale.edit(root / APPLICATION, lambda d: d["metadata"].update(owner="team-quality"))


_STORIES = (
    tale.Story(
        "add-intents", "Add six intents by LoRA, with rehearsal",
        "A good change: new intents are learnt, the known ones are kept.",
        _new_intents, "passed",
    ),
    tale.Story(
        "no-rehearsal", "Train the adapter on the new intents only",
        "Faster, and better on the new intents; who notices what it forgot?",
        _no_rehearsal, "failed",
    ),
    tale.Story(
        "learning-rate", "Learn faster: learning rate x 100", "Broken.", _rate_x100, "failed",
    ),
    tale.Story(
        "lower-bar", "Lower the accuracy bound by 0.1",
        "No job runs: kept rows are judged again, and the loosening is shown.",
        _lower_bar, "inconclusive", trains=False,
    ),
    tale.Story(
        "faster-guard", "Save time: the guardrail no longer undoes disguises",
        "Words in full width, or with marks between their letters, get by. The bank tells.",
        _weaken_guard, "failed",
    ),
    tale.Story(
        "lower-case", "Ask in lower case",
        "Nothing is trained: the same weights are asked, judged and scanned again.",
        _lower_case, "passed",
    ),
    tale.Story(
        "rename-owner", "Hand the application to another team",
        "Descriptive: nothing to run.", _rename_owner, "passed", trains=False,
    ),
)  # fmt: skip

TALE = tale.Tale(
    begin=_begin,
    title="A support assistant that knows fourteen intents",
    told="the first commit: a base model, trained from scratch and judged",
    stories=_STORIES,
    try_next="git switch main; edit specs/recipes/support-lora.yaml; llmops plan",
)
