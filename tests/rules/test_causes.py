"""A finding names the changed lines below its target, and no others."""

from __future__ import annotations

from llmops.rules import causes
from llmops.rules.base import Cause, Outcome
from tests.rules.world import World, right
from tests.trees import BANK, changed, spec

RECIPE, EVALUATION = "specs/recipes/adapter.yaml", "specs/evaluations/quality.yaml"
R16 = changed(RECIPE, "r: 8", "r: 16")


def causes_of(head: dict[str, str], rule: str = "require") -> tuple[Cause, ...]:
    (found,) = World(head=head, head_rows=lambda m: right(100, 200)).found(rule)[-1:]
    assert found.outcome is Outcome.FAILED
    return found.causes


def line_of(files: dict[str, str], path: str, words: str) -> int:
    return next(i for i, line in enumerate(files[path].split("\n"), 1) if words in line)


def test_a_failure_names_the_line_that_was_changed_below_its_target() -> None:
    (cause,) = causes_of(R16)
    assert (cause.about, cause.field) == ("Recipe/adapter", "lora.r")
    assert cause.place.startswith(f"{RECIPE}:{line_of(R16, RECIPE, 'r: 16')}:")


def test_a_prompt_far_below_is_found_too() -> None:
    path = "specs/prompts/ask.yaml"
    (cause,) = causes_of(changed(path, "{{ question }}", "Say: {{ question }}"))
    assert (cause.about, cause.place.partition(":")[0]) == ("Prompt/ask", path)


def test_a_moved_bound_is_a_cause_of_its_own_gate() -> None:
    (cause,) = causes_of(changed(EVALUATION, "require: {min: 0.8}", "require: {min: 0.9}"))
    assert (cause.about, cause.field) == ("Evaluation/quality", "checks[accuracy].require.min")


def test_what_is_for_people_is_no_cause() -> None:
    assert causes_of(changed(RECIPE, "name: adapter", "name: adapter, owner: me")) == ()


def test_what_the_target_is_not_made_of_is_no_cause() -> None:
    other = {**BANK, "specs/prompts/other.yaml": spec(
        "Prompt", "other", "template: jinja2\ninputs: {}\nmessages: [{role: user, content: hi}]"
    )}  # fmt: skip
    assert causes_of(other) == ()


def test_what_passed_names_nothing() -> None:
    verdict = World(head=R16).verdict()
    assert all(f.causes == () for f in verdict.findings if f.outcome is Outcome.PASSED)


def test_no_more_lines_than_a_reader_looks_at() -> None:
    many = changed(RECIPE, "seed: 1", "seed: 2", R16)
    for before, after in (("lora_alpha: 16", "lora_alpha: 32"), ("1.0e-3", "2.0e-3"),
                          ("max_steps: 10", "max_steps: 11")):  # fmt: skip
        many = changed(RECIPE, before, after, many)
    assert len(causes_of(many)) == causes.MOST
