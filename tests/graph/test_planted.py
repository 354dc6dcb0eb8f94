"""A tree in which fields stand otherwise, read by the same code as any other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from llmops.graph.planted import PlantError, Soil, planted
from llmops.specs.base import Ref
from tests.trees import BANK, read, spec


def soil_of(files: Mapping[str, str] = BANK) -> Soil:
    found = read(files)
    assert found.graph is not None

    return Soil(found.graph, found.loaded.written, found.loaded.span)


def value(name: str, soil: Soil | None = None, **planting: Any) -> Any:
    """The spec of a name after planting, as normalised."""
    values, removed = planting.get("values", {}), planting.get("removed", ())
    return planted(soil or soil_of(), values, removed).specs[Ref.parse(name)].spec


def test_a_field_stands_as_it_is_planted_and_the_rest_stays() -> None:
    soil = soil_of()
    before = dict(soil.graph.specs[Ref("Model", "tiny")].spec)
    found = value("Model/tiny", soil, values={"Model/tiny.license": "MIT"})
    assert found == {**before, "license": "MIT"}
    assert soil.graph.specs[Ref("Model", "tiny")].spec == before


def test_an_entry_is_found_by_its_name_and_a_block_is_made_on_the_way() -> None:
    path = "Evaluation/quality.checks[accuracy].require.min"
    assert value("Evaluation/quality", values={path: 0.9})["checks"][0]["require"] == {"min": 0.9}
    path = "Evaluation/quality.on_case_error.max"
    assert value("Evaluation/quality", values={path: 0.1})["on_case_error"] == {"max": 0.1}


def test_two_fields_of_one_spec_are_planted_together() -> None:
    values = {"Recipe/base.seed": 7, "Recipe/base.training.max_steps": 11}
    found = value("Recipe/base", values=values)
    assert (found["seed"], found["training"]["max_steps"]) == (7, 11)


def test_labels_stand_under_metadata() -> None:
    graph = planted(soil_of(), {"Application/bot.metadata.labels.risk": "high"})
    assert graph.specs[Ref("Application", "bot")].labels == {"risk": "high"}


def test_what_is_removed_is_gone() -> None:
    assert value("Evaluation/quality", removed=["Evaluation/quality.slices[by-language]"]).get(
        "slices"
    ) in ([], None)
    assert "license" not in value("Model/tiny", removed=["Model/tiny.license"])
    graph = planted(soil_of(), {}, ["Evaluation/quality"])
    assert Ref("Evaluation", "quality") not in graph.specs


def test_a_name_with_dots_is_the_longest_that_fits() -> None:
    files = {**BANK, "specs/models/tiny.v2.yaml": BANK["specs/models/tiny.yaml"].replace(
        "name: tiny", "name: tiny.v2")}  # fmt: skip
    graph = planted(soil_of(files), {"Model/tiny.v2.license": "MIT"})
    told = {name: graph.specs[Ref("Model", name)].spec["license"] for name in ("tiny", "tiny.v2")}
    assert told == {"tiny": "Apache-2.0", "tiny.v2": "MIT"}


@pytest.mark.parametrize(
    ("values", "removed", "why"),
    [
        ({"Model/tinny.license": "MIT"}, (), 'did you mean "Model/tiny"?'),
        ({"license": "MIT"}, (), 'no spec is called "license"'),
        ({"Model/tiny": {}}, (), "names a whole spec"),
        ({"Model/tiny.licence": "MIT"}, (), 'Model has no field "licence"'),
        ({"Model/tiny.license": 3}, (), "makes Model/tiny invalid"),
        ({"Model/tiny.license": "not a licence"}, (), "makes Model/tiny invalid"),
        ({"Evaluation/quality.checks[acuracy].pass_at": 1.0}, (), 'did you mean "accuracy"?'),
        ({"Evaluation/quality.target[x].y": 1}, (), 'nothing is called "x"'),
        ({"Application/bot.model": "Recipe/nothing"}, (), "makes no valid tree"),
        ({}, ("Recipe/adapter",), "makes no valid tree"),
        ({}, ("Evaluation/quality.checks[acuracy]",), 'did you mean "accuracy"?'),
        ({}, ("Model/tiny.weights",), "nothing stands at"),
        ({}, ("Model/tiny.license.x",), "nothing stands at"),
        ({}, ("Model/none",), "no spec is called"),
    ],
)  # fmt: skip
def test_what_cannot_be_planted_is_said(values, removed, why: str) -> None:
    with pytest.raises(PlantError, match=re.escape(why)):
        planted(soil_of(), values, removed)


def test_nothing_planted_is_the_same_tree() -> None:
    soil = soil_of({**BANK, "policies/more.yaml": spec("Policy", "more", "alpha: 0.01")})
    assert planted(soil, {}).specs == soil.graph.specs
