"""From rows to a trained model to its answers, through torchrun with two ranks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

# One process of the suite has what DeepSpeed compiles before the first training.

COLOURS = ("red", "blue", "green", "yellow", "black", "white")
THINGS = ("car", "door", "hat", "bird", "boat", "cup", "chair", "wall", "lamp", "stone")
ASKS = ("the {t} is {c}", "look, a {c} {t}", "my {t} was painted {c} again")


def rows_of(things: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"question": ask.format(t=thing, c=colour), "answer": f"colour_{colour}"}
        for ask in ASKS
        for thing in things
        for colour in COLOURS
    ]


INIT = {
    "init": {
        "architecture": {
            "model_type": "llama",
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 128,
        },
        "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 512}},
        "seed": 0,
    }
}
TRAINING = {
    "learning_rate": 3e-3,
    "lr_scheduler_type": "linear",
    "max_steps": 40,
    "per_device_train_batch_size": 16,
}
CHOICE = {"format": "choice", "labels_column": "answer"}


LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"]}


@pytest.fixture(scope="module")
def data(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {
        "train": kit.write_rows(folder / "train.jsonl", rows_of(THINGS[:8])),
        "test": kit.write_rows(folder / "test.jsonl", rows_of(THINGS[8:])),
    }


def generate_job(**more: Any) -> dict[str, Any]:
    return {
        "target": "Recipe/test",
        "format": "qa",
        "output": CHOICE,
        "generation": {"temperature": 0.0, "max_tokens": 16, "batch_size": 32},
        "dataset": "colours",
        "split": "test",
        "rows": None,
        **more,
    }


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def accuracy(folder: Path, cases: Path) -> float:
    expected = {case["id"]: case["answer"] for case in lines_of(cases)}
    responses = lines_of(folder / "artifacts/responses.jsonl")
    assert len(responses) == len(expected)
    return sum(expected[r["id"]] == r["response"] for r in responses) / len(responses)


def train_spec(**more: Any) -> dict[str, Any]:
    return {
        "method": "sft",
        "base": INIT,
        "data": [{"format": "qa", "weight": None}],
        "template": {"chat_template": "tokenizer", "train_on": "assistant", "max_length": 64},
        "training": TRAINING,
        **more,
    }


@pytest.fixture(scope="module")
def taught(kit: Any, data: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained from nothing on two ranks under ZeRO 2."""
    spec = train_spec(full={}, deepspeed={"zero_optimization": {"stage": 2}})
    inputs = {"data/0": data["train"], "tokenizer": data["train"]}
    folder = tmp_path_factory.mktemp("taught") / "train"
    kit.write_job(folder, "train", spec, inputs, processes=2)
    done = kit.start(folder, processes=2)
    assert done.returncode == 0, done.stderr
    assert noise(done.stdout + done.stderr) == []
    result = kit.result_of(folder)
    assert result["status"] == "ok", result["reason"]
    return folder  # type: ignore[no-any-return]


def noise(log: str) -> list[str]:
    """The lines of a log that nobody needs to read when all went well."""
    known = "deepspeed_shm_comm_op built successfully"
    return [line for line in log.splitlines() if line.strip() and known not in line]


def test_two_ranks_train_from_nothing_and_the_model_answers_unseen_questions(
    kit: Any, data: dict[str, Path], taught: Path, tmp_path: Path
) -> None:
    inputs = {
        "cases": data["test"],
        "labels/0": data["train"],
        "model": taught / "artifacts/model",
    }
    generate = kit.write_job(
        tmp_path / "generate", "generate", generate_job(base={"folder": True}), inputs
    )
    done = kit.start(generate, processes=1)
    assert done.returncode == 0, done.stderr
    assert noise(done.stdout + done.stderr) == []
    assert accuracy(generate, data["test"]) > 0.5  # chance is 1/6


def lora(
    kit: Any, data: dict[str, Path], taught: Path, folder: Path, stage: int | None, **training: Any
) -> dict[str, Any]:
    """The result of a LoRA on two ranks over the taught model."""
    zero = {} if stage is None else {"deepspeed": {"zero_optimization": {"stage": stage}}}
    spec = train_spec(
        base={"folder": True},
        lora=LORA,
        training={**TRAINING, "max_steps": 6, **training},
        **zero,
    )
    inputs = {"data/0": data["train"], "model": taught / "artifacts/model"}
    kit.write_job(folder, "train", spec, inputs, processes=2)
    done = kit.start(folder, processes=2)
    assert done.returncode == 0, done.stdout + done.stderr
    return kit.result_of(folder)  # type: ignore[no-any-return]


def test_a_lora_under_zero_3_on_two_ranks_is_a_whole_adapter(
    kit: Any, data: dict[str, Path], taught: Path, tmp_path: Path
) -> None:
    result = lora(kit, data, taught, tmp_path / "run", 3)
    assert (result["status"], result["reason"]) == ("ok", "")
    tensors = load_file(tmp_path / "run/artifacts/adapter/adapter_model.safetensors")
    assert len(tensors) == 8
    assert all(torch.isfinite(t).all() and t.abs().sum() > 0 for t in tensors.values())


def test_two_ranks_stop_together_when_the_loss_is_not_finite(
    kit: Any, data: dict[str, Path], taught: Path, tmp_path: Path
) -> None:
    training = {**TRAINING, "learning_rate": 1e30, "max_grad_norm": 0}
    spec = train_spec(base={"folder": True}, full={}, training=training)
    inputs = {"data/0": data["train"], "model": taught / "artifacts/model"}
    folder = kit.write_job(tmp_path / "run", "train", spec, inputs, processes=2)
    done = kit.start(folder, processes=2)
    assert done.returncode == 0, done.stdout + done.stderr
    result = kit.result_of(folder)
    assert result["status"] == "quality_failed"
    assert re.fullmatch(r"(loss|gradient) is not finite at step [234]", result["reason"])
    assert not (folder / "artifacts/model").exists()


@pytest.mark.slow
def test_all_zero_stages_and_plain_ranks_train_the_same(
    kit: Any, data: dict[str, Path], taught: Path, tmp_path: Path
) -> None:
    found = {}
    for stage in (None, 0, 1, 2, 2, 3):
        folder = tmp_path / f"{stage}-{len(found)}-{stage in found}"
        assert lora(kit, data, taught, folder, stage)["status"] == "ok"
        tensors = load_file(folder / "artifacts/adapter/adapter_model.safetensors")
        if stage in found:
            assert all(torch.equal(found[stage][name], tensors[name]) for name in tensors)
        found[stage] = tensors
    for stage, tensors in found.items():
        for name, tensor in tensors.items():
            torch.testing.assert_close(tensor, found[2][name], rtol=1e-3, atol=1e-5, msg=str(stage))


@pytest.mark.slow
def test_a_deepspeed_optimizer_and_one_process_need_no_mpi_and_no_compiled_adam(
    kit: Any, data: dict[str, Path], taught: Path, tmp_path: Path
) -> None:
    deepspeed = {"zero_optimization": {"stage": 1}, "optimizer": {"type": "AdamW"}}
    spec = train_spec(base={"folder": True}, lora=LORA, deepspeed=deepspeed)
    inputs = {"data/0": data["train"], "model": taught / "artifacts/model"}
    folder = kit.write_job(tmp_path / "one", "train", spec, inputs, processes=1)
    done = kit.start(folder, processes=1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert kit.result_of(folder)["status"] == "ok"


@pytest.mark.slow
def test_offloading_the_optimizer_to_the_cpu_compiles_no_adam(
    kit: Any, data: dict[str, Path], taught: Path, tmp_path: Path
) -> None:
    zero = {"stage": 2, "offload_optimizer": {"device": "cpu"}}
    spec = train_spec(base={"folder": True}, lora=LORA, deepspeed={"zero_optimization": zero})
    inputs = {"data/0": data["train"], "model": taught / "artifacts/model"}
    folder = kit.write_job(tmp_path / "run", "train", spec, inputs, processes=2)
    done = kit.start(folder, processes=2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert kit.result_of(folder)["status"] == "ok"


@pytest.mark.slow
def test_a_job_that_cannot_be_trained_ends_all_ranks_with_its_error(
    kit: Any, data: dict[str, Path], tmp_path: Path
) -> None:
    spec = train_spec(full={}, data=[{"format": "alpaca", "weight": None}])
    inputs = {"data/0": data["train"], "tokenizer": data["train"]}
    folder = kit.write_job(tmp_path / "run", "train", spec, inputs, processes=2)
    assert kit.start(folder, processes=2).returncode != 0
    error = json.loads((folder / "error.json").read_text(encoding="utf-8"))
    assert 'column "instruction" is missing' in error["message"]
    assert not (folder / "result.json").exists()
