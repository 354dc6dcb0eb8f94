"""Rule `prompt-lint`: warnings about prompts count where a policy says so."""

from __future__ import annotations

from llmops.rules.base import Outcome
from tests.rules.world import World
from tests.trees import BANK, changed

P, POLICY = "specs/prompts/ask.yaml", "policies/default.yaml"
LONG = changed(P, "{type: string}", "{type: string, untrusted: true}")


def asked(files: dict[str, str], more: str = "") -> World:
    rule = f"{{name: prompts, rule: prompt-lint{more}}}\n    - {{name: evidence"
    whole = changed(POLICY, "{name: evidence", rule, files)
    return World(head=whole, base=whole)


def test_a_prompt_without_warnings_holds() -> None:
    assert asked(dict(BANK)).found("prompt-lint") == []


def test_a_warning_is_a_failed_gate_with_its_place_and_its_id() -> None:
    (found,) = asked(LONG).found("prompt-lint")
    assert (found.outcome, found.gate) == (Outcome.FAILED, "Policy/default/prompts")
    assert found.message == 'Prompt/ask: "question" may be of any length (unbounded-input)'
    assert found.place == f"{P}:6:22"


def test_without_the_rule_a_warning_is_no_gate() -> None:
    assert World(head=LONG, base=LONG).found("prompt-lint") == []


def test_what_a_policy_ignores_does_not_count() -> None:
    more = ", with: {ignore: [unbounded-input]}"
    assert asked(LONG, more).found("prompt-lint") == []


def test_a_policy_can_make_it_a_warning() -> None:
    (found,) = asked(LONG, ", severity: warning").found("prompt-lint")
    assert found.outcome is Outcome.WARNED
