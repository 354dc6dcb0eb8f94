"""Verbatim blocks: the shipped key lists are those of the installed tools, and they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmops.specs import owned, upstream

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "llmops" / "specs" / "upstream"
PINS = dict(
    line.split("==")
    for line in (ROOT / ".ci" / "constraints.txt").read_text().split()
    if "==" in line
)


def _told(problems: Any) -> list[tuple[str, str]]:
    return [(problem.rule, problem.message) for problem in problems]


@pytest.mark.parametrize("name", ["lora", "training", "deepspeed", "architecture"])
def test_a_list_is_of_the_pinned_version(name: str) -> None:
    listing = json.loads((SHIPPED / f"{name}.json").read_text())
    assert PINS[listing["tool"]] == listing["version"]


@pytest.mark.slow
def test_the_lists_are_what_the_installed_tools_declare(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from tests.tools import upstream_keys as made\n"
        "for name in made.FILES: (Path(sys.argv[2]) / name).write_text(made.text(name))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(ROOT), str(tmp_path)], check=True, timeout=600)
    for name in ("lora", "training", "deepspeed", "architecture"):
        assert (tmp_path / name).read_text() == (SHIPPED / f"{name}.json").read_text(), name


def test_keys_that_are_not_for_a_spec_are_keys_of_the_tool() -> None:
    lists = {name: json.loads((SHIPPED / f"{name}.json").read_text())["keys"]
             for name in ("lora", "training", "deepspeed")}  # fmt: skip
    assert set(owned.TRAINING) <= set(lists["training"])
    assert set(owned.LORA) | set(owned.LORA_ONLY) <= set(lists["lora"])
    assert set(owned.DEEPSPEED) <= set(lists["deepspeed"])
    known = set(upstream.paths())
    assert {f"deepspeed.{path}" for path in owned.DEEPSPEED_AUTO} <= known
    for start in owned.TRAINING_PREFIXES:
        assert any(key.startswith(start) for key in lists["training"])


def test_words_of_other_versions_are_no_keys_of_this_one() -> None:
    known = {path.rpartition(".")[2] for path in upstream.paths() if path.count(".") == 1}
    assert set(owned.RENAMED) & known == set()


def test_the_classic_recipe_is_accepted() -> None:
    training = {"learning_rate": 2e-4, "lr_scheduler_type": "cosine", "warmup_steps": 0.03,
                "num_train_epochs": 3, "per_device_train_batch_size": 4, "optim": "adamw_torch",
                "gradient_accumulation_steps": 4, "weight_decay": 0.0, "max_grad_norm": 1,
                "bf16": True, "gradient_checkpointing": True, "save_steps": 200}  # fmt: skip
    lora = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05, "bias": "none",
            "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}  # fmt: skip
    deepspeed = {"zero_optimization": {"stage": 2, "reduce_bucket_size": 5e8,
                 "stage3_prefetch_bucket_size": "auto", "offload_optimizer": {"device": "none"}},
                 "train_batch_size": "auto", "optimizer": {"type": "AdamW", "params":
                 {"lr": "auto", "betas": "auto", "torch_adam": True}}}  # fmt: skip
    assert _told(upstream.training(training, ())) == []
    assert _told(upstream.lora(lora, ())) == []
    assert _told(upstream.deepspeed(deepspeed, ())) == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [(True, "wrong-type"), ("x", "wrong-type"), ([1], "wrong-type"), (None, "wrong-type"),
     (1, None), (0.5, None)],
)  # fmt: skip
def test_a_number_takes_numbers_only(value: Any, rule: str | None) -> None:
    found = _told(upstream.training({"learning_rate": value}, ("spec", "training")))
    assert [r for r, _ in found] == ([rule] if rule else [])


def test_auto_is_taken_only_where_the_trainer_fills_it_in() -> None:
    good = {"gradient_clipping": "auto"}
    bad = {"zero_optimization": {"sub_group_size": "auto"}}
    assert _told(upstream.deepspeed(good, ("spec", "deepspeed"))) == []
    assert [r for r, _ in _told(upstream.deepspeed(bad, ("spec", "deepspeed")))] == ["wrong-type"]


def test_a_key_of_another_architecture_is_unknown() -> None:
    given = {"model_type": "llama", "n_embd": 64}
    found = _told(upstream.architecture(given, ("spec", "init", "architecture")))
    assert found == [("unknown-field", 'the config of llama has no key "n_embd"')]
    assert _told(upstream.architecture({"model_type": "gpt2", "n_embd": 64}, ())) == []


def test_a_key_knows_the_block_it_belongs_to() -> None:
    assert upstream.home("learning_rate") == "training.learning_rate"
    assert upstream.home("r") == "lora.r"
    assert upstream.home("nonsense") == ""
