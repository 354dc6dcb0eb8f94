"""Documents -> specs: the envelope, names, duplicates, warnings, places."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmops.diagnostics import Severity
from llmops.source.document import Document
from llmops.specs import load as room
from llmops.specs import policy
from llmops.specs.base import Ref
from llmops.specs.load import CHECKS, KINDS, load, load_one
from tests.specs.examples import ENDPOINT, VALID, document, spec

ALL = [document(name, text) for name, text in VALID.items()]


def _moved(read: Document, path: str) -> Document:
    return Document(path, read.text, read.value)


def test_every_kind_loads_and_is_named_by_its_reference() -> None:
    loaded = load(ALL)
    assert loaded.diagnostics == ()
    assert {ref.kind for ref in loaded.specs} == set(KINDS)
    assert {ref.name for ref in loaded.specs} == set(VALID)
    assert loaded.broken == frozenset()


def test_the_order_of_documents_means_nothing() -> None:
    assert load(reversed(ALL)).specs == load(ALL).specs


def test_a_name_used_twice_in_a_kind_is_told_at_the_second() -> None:
    twin = _moved(document("tiny", VALID["tiny"]), "specs/team/tiny.yaml")
    loaded = load([twin, *ALL])
    (told,) = loaded.diagnostics
    assert told.rule == "duplicate-spec"
    assert told.message == "Model/tiny is declared twice, first in specs/team/tiny.yaml"
    assert told.span.path == "specs/tiny.yaml"


def test_one_name_in_two_kinds_is_no_duplicate() -> None:
    text = VALID["assistant"].replace("name: assistant", "name: tiny")
    loaded = load([*ALL, _moved(document("tiny", text), "specs/applications/tiny.yaml")])
    assert loaded.diagnostics == ()
    assert {Ref("Model", "tiny"), Ref("Application", "tiny")} <= set(loaded.specs)


def test_a_broken_spec_is_named_so_that_its_users_are_not_blamed() -> None:
    broken = document("tiny", VALID["tiny"].replace("license:", "licence:"))
    loaded = load([broken])
    assert loaded.specs == {}
    assert loaded.broken == {Ref("Model", "tiny")}


def test_a_place_is_found_when_it_is_asked_for() -> None:
    span = load(ALL).spans(Ref("Recipe", "support-lora"), ("spec", "data", 0, "dataset"))
    line = VALID["support-lora"].split("\n")[span.line - 1]
    assert line[span.column - 1 :].startswith("support#train")


def test_a_warning_does_not_hold_a_spec_back() -> None:
    text = ENDPOINT.replace("gpt-5.6-2026-08-14", "gpt-latest")
    found, (told,) = load_one(document("judge-large", text))
    assert found is not None
    assert (told.severity, told.rule) == (Severity.WARNING, "pinned-revision")


def test_defaults_are_filled_in_and_nothing_is_left_out() -> None:
    full = spec("base-full").spec
    assert full["seed"] == 0
    assert full["template"]["train_on"] == "assistant"
    assert full["resources"] == {"nodes": 1, "processes_per_node": 1}
    assert "lora" not in full


def test_a_block_left_out_means_the_same_as_an_empty_one() -> None:
    other = VALID["base-full"] + "  resources: {}\n  checkpoint: {}\n  template: {}\n"
    assert spec("base-full", other).projections == spec("base-full").projections


def test_a_file_name_may_hold_dots() -> None:
    assert spec("qwen2.5-7b-instruct").ref == Ref("Model", "qwen2.5-7b-instruct")


def test_a_label_is_gate_and_an_owner_is_not_in_any_projection() -> None:
    found = spec("tiny")
    assert found.projections["gate"] == {"metadata": {"labels": {"team": "platform"}}}
    assert "team-platform" not in str(found.projections)
    assert found.labels == {"team": "platform"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_its_file_its_docstring_its_check_and_its_tests(kind: str) -> None:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    module = __import__(f"llmops.specs.{name}", fromlist=[kind])
    assert (module.__doc__ or "").startswith(f"Kind `{kind}`")
    assert CHECKS[kind] is module.check
    assert KINDS[kind] is getattr(module, kind)
    assert (Path(__file__).parent / f"test_{name}.py").exists()


def test_the_parameters_of_every_rule_are_at_hand() -> None:
    shape = room.shape_of("Policy").fields["rules"]
    assert {name for model in policy.RULE_PARAMETERS.values() for name in model.model_fields} <= {
        *shape.fields["with"].fields,
        "field_",
    }
