"""Spoiled weights for drills: rounded to noise, merged with the wrong sign, or left as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from llmops.digest import of_folder
from llmops.workers import models, spoil

INIT = {
    "architecture": {
        "model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 64,
        "tie_word_embeddings": False,
    },
    "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 300}},
    "seed": 0,
}  # fmt: skip
Q = "model.layers.0.self_attn.q_proj.weight"
K = "model.layers.0.self_attn.k_proj.weight"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Rows of a tokenizer, and an adapter that moves q_proj."""
    root = tmp_path_factory.mktemp("spoil")
    rows = root / "rows.jsonl"
    rows.write_text(json.dumps({"question": "why?", "answer": "so"}) + "\n", encoding="utf-8")
    base = models.from_init(INIT, rows)
    torch.manual_seed(1)
    config = LoraConfig(
        r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", init_lora_weights=False
    )
    model = get_peft_model(base.model, config)
    from peft import get_peft_model_state_dict

    models.save_adapter(model, get_peft_model_state_dict(model), root / "adapter")
    return {"tokenizer": str(rows), "adapter/0": str(root / "adapter")}


def made(how: str, inputs: dict[str, str], folder: Path) -> dict[str, torch.Tensor]:
    spoil.spoil({"how": how, "base": {"init": INIT}, "inputs": inputs}, folder)
    return load_file(folder / "model.safetensors")


def test_the_sign_of_the_adapter_is_turned_and_all_else_stays(inputs, tmp_path: Path) -> None:
    alone = made("as-they-are", {"tokenizer": inputs["tokenizer"]}, tmp_path / "alone")
    right = made("as-they-are", inputs, tmp_path / "right")
    wrong = made("wrong-sign", inputs, tmp_path / "wrong")
    assert not torch.equal(right[Q], alone[Q])
    torch.testing.assert_close(wrong[Q] - alone[Q], alone[Q] - right[Q])
    assert torch.equal(wrong[K], alone[K])


def test_two_bits_leave_three_values_and_eight_bits_nearly_all(inputs, tmp_path: Path) -> None:
    right = made("as-they-are", inputs, tmp_path / "right")
    coarse = made("two-bits", inputs, tmp_path / "coarse")
    fine = made("eight-bits", inputs, tmp_path / "fine")
    assert len(coarse[Q].unique()) <= 3
    assert coarse[Q].abs().max() == right[Q].abs().max()
    assert torch.equal(coarse["model.norm.weight"], right["model.norm.weight"])
    off = (fine[Q] - right[Q]).abs().amax(-1)
    assert (off <= right[Q].abs().amax(-1) / 250).all()
    assert not torch.equal(fine[Q], right[Q])


def test_a_tensor_of_zeros_stays_finite() -> None:
    zeros = torch.zeros(2, 3)
    for how in spoil.ROUNDED.values():
        assert torch.equal(how(zeros), zeros)


def test_the_same_request_gives_the_same_bytes_that_jobs_can_load(inputs, tmp_path: Path) -> None:
    for name in ("one", "two"):
        made("two-bits", inputs, tmp_path / name)
    assert of_folder(tmp_path / "one") == of_folder(tmp_path / "two")
    loaded = models.from_folder(tmp_path / "one")
    assert loaded.tokenizer.decode(loaded.tokenizer("why?")["input_ids"]) == "why?"


@pytest.mark.parametrize(
    ("how", "adapters", "said"),
    [("melted", True, 'cannot be spoiled "melted"'), ("wrong-sign", False, "there is no adapter")],
)
def test_what_cannot_be_made_is_said_in_a_line(
    how: str, adapters: bool, said: str, inputs, tmp_path: Path
) -> None:
    given = inputs if adapters else {"tokenizer": inputs["tokenizer"]}
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"how": how, "base": {"init": INIT}, "inputs": given}))
    command = [sys.executable, "-m", "llmops.workers.spoil", str(request), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert said in done.stderr
    assert "Traceback" not in done.stderr
