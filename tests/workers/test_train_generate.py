"""From rows to a trained model to its answers, through torchrun with two ranks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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


def test_two_ranks_train_from_nothing_and_the_model_answers_unseen_questions(
    kit: Any, data: dict[str, Path], tmp_path: Path
) -> None:
    spec = {
        "method": "sft",
        "base": INIT,
        "data": [{"format": "qa", "weight": None}],
        "template": {"chat_template": "tokenizer", "train_on": "assistant", "max_length": 64},
        "full": {},
        "training": TRAINING,
        "deepspeed": {"zero_optimization": {"stage": 2}},
    }
    inputs = {"data/0": data["train"], "tokenizer": data["train"]}
    train = kit.write_job(tmp_path / "train", "train", spec, inputs, processes=2)
    done = kit.start(train, processes=2)
    assert done.returncode == 0, done.stderr
    result = kit.result_of(train)
    assert result["status"] == "ok", result["reason"]

    inputs = {
        "cases": data["test"],
        "labels/0": data["train"],
        "model": train / "artifacts/model",
    }
    generate = kit.write_job(
        tmp_path / "generate", "generate", generate_job(base={"folder": True}), inputs
    )
    done = kit.start(generate, processes=1)
    assert done.returncode == 0, done.stderr
    assert accuracy(generate, data["test"]) > 0.5  # chance is 1/6
