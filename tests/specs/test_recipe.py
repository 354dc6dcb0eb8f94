"""Kind Recipe: what training reads, what the machine is, what a base may be."""

from __future__ import annotations

import pytest

from llmops.specs.base import Ref
from tests.specs.examples import RECIPE, spec


def test_training_reads_everything_but_the_machine() -> None:
    found = spec("support-lora").projections
    assert set(found) == {"train", "placement"}
    assert set(found["train"]) == {
        "base_model", "method", "data", "template", "lora", "training", "deepspeed", "seed",
        "resources",
    }  # fmt: skip
    assert found["train"]["resources"] == {"processes_per_node": 2}
    assert "processes_per_node" not in found["placement"]["resources"]


def test_verbatim_blocks_stay_as_they_were_written() -> None:
    assert spec("support-lora").spec["training"]["learning_rate"] == 2e-4
    assert spec("support-lora").spec["lora"]["target_modules"] == ["q_proj", "v_proj"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("tiny", Ref("Model", "tiny")), ("Model/tiny", Ref("Model", "tiny")),
     ("Recipe/base-full", Ref("Recipe", "base-full"))],
)  # fmt: skip
def test_a_base_is_a_model_by_name_or_a_recipe(written: str, meant: Ref) -> None:
    text = RECIPE.replace("base_model: tiny", f"base_model: {written}")
    assert spec("support-lora", text).references[0].target == meant


def test_full_training_is_an_empty_block_that_stays() -> None:
    assert spec("base-full").projections["train"]["full"] == {}


def test_more_memory_trains_nothing() -> None:
    text = RECIPE.replace("memory: 4Gi", "memory: 8Gi").replace("keep: 3", "keep: 1")
    before, after = spec("support-lora").projections, spec("support-lora", text).projections
    assert {key for key in before if before[key] != after[key]} == {"placement"}
