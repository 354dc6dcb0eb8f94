"""Kind Application: model and prompt decide answers, the rest is judged without evidence."""

from __future__ import annotations

from llmops.specs.base import Ref
from tests.specs.examples import APPLICATION, spec


def test_model_prompt_and_guardrails_reach_generation() -> None:
    found = spec("assistant").projections
    assert found["generate"] == {
        "model": "Recipe/support-lora",
        "prompt": "support-system",
        "guardrails": ["support-guard"],
    }
    assert set(found["static"]) == {
        "intended_purpose", "jurisdictions", "risk_class", "oversight", "routes",
    }  # fmt: skip


def test_all_of_them_are_references() -> None:
    targets = [use.target for use in spec("assistant").references]
    assert targets[:3] == [
        Ref("Recipe", "support-lora"),
        Ref("Prompt", "support-system"),
        Ref("Guardrail", "support-guard"),
    ]


def test_routes_are_references_and_change_no_answer() -> None:
    found = spec("assistant")
    targets = [str(use.target) for use in found.references if "routes" in use.loc]
    assert targets == ["Recipe/support-lora", "Model/judge-large", "Recipe/support-lora"]
    plain = spec("assistant", APPLICATION.partition("  routes:")[0])
    assert plain.projections["generate"] == found.projections["generate"]
    assert plain.meaning != found.meaning


def test_an_application_needs_no_prompt() -> None:
    text = APPLICATION.replace("  prompt: support-system\n", "")
    kinds = {use.target.kind for use in spec("assistant", text).references}
    assert kinds == {"Recipe", "Model", "Guardrail"}
