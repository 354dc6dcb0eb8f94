"""Two ranks that were killed go on to the bytes of two that were not, under every ZeRO stage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmops import digest
from llmops.workers import checkpoints
from llmops.workers.checkpoints import Maker
from tests.workers.conftest import Kit, environment

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch.*")

LORA = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.2, "target_modules": ["q_proj", "v_proj"]}
INIT = {
    "init": {
        "architecture": {
            "model_type": "llama",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 64,
        },
        "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 300}},
        "seed": 0,
    }
}
TRAINING = {
    "learning_rate": 1e-2,
    "max_steps": 9,
    "save_steps": 2,
    "logging_steps": 4,
    "per_device_train_batch_size": 8,
}


@pytest.fixture(scope="module")
def rows(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = {"sun": "day", "noon": "day", "moon": "night", "star": "night"}
    made = [
        {"question": f"{n} {word} {n * 7}", "answer": answer}
        for word, answer in words.items()
        for n in range(16)
    ]
    return kit.write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", made)


def job(kit: Kit, folder: Path, rows: Path, **more: Any) -> Path:
    spec = {
        "method": "sft",
        "base": INIT,
        "data": [{"format": "qa", "weight": None}],
        "training": TRAINING,
        **more,
    }
    return kit.write_job(folder, "train", spec, {"data/0": rows, "tokenizer": rows}, processes=2)


def finished(kit: Kit, folder: Path) -> dict[str, Any]:
    """Starts both ranks and gives what they found, but for times."""
    done = kit.start(folder, processes=2)
    assert done.returncode == 0, done.stdout + done.stderr
    found = kit.result_of(folder)
    assert found["status"] == "ok", found["reason"]
    measured = [m for m in found["measurements"] if m["metric"] != "train_seconds"]
    return {"artifacts": found["artifacts"], "measurements": measured}


def resumed_at(folder: Path) -> list[int]:
    lines = (folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    return [line["step"] for line in map(json.loads, lines) if line["phase"] == "resume"]


def goes_on(kit: Kit, folder: Path, rows: Path, whole: Path, steps: int, **more: Any) -> Any:
    job(kit, folder, rows, **more)
    for checkpoint in (whole / "checkpoints").iterdir():
        if int(checkpoint.name[11:]) <= steps:
            shutil.copytree(checkpoint, folder / "checkpoints" / checkpoint.name)
    found = finished(kit, folder)
    assert resumed_at(folder) == [steps]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("what", ["lora", "full"])
@pytest.mark.parametrize("stage", [None, 0, 1, 2, 3])
def test_two_ranks_go_on_to_the_same_bytes(
    kit: Kit, rows: Path, tmp_path: Path, stage: int | None, what: str
) -> None:
    zero = {} if stage is None else {"deepspeed": {"zero_optimization": {"stage": stage}}}
    more: dict[str, Any] = {**zero, **({"lora": LORA} if what == "lora" else {"full": {}})}
    whole = job(kit, tmp_path / "whole", rows, **more)
    expected = finished(kit, whole)
    assert goes_on(kit, tmp_path / "in an epoch", rows, whole, 6, **more) == expected
    if (stage, what) == (3, "lora"):
        assert goes_on(kit, tmp_path / "at the end", rows, whole, 9, **more) == expected


def ranks_of(folder: Path) -> list[int]:
    """The processes that work on a run folder, torchrun not among them."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            told = Path("/proc", name, "environ").read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if str(folder).encode() in words and b"\0LOCAL_RANK=" in told:
            found.append(int(name))
    return sorted(found)


def wait_until(folder: Path, step: int) -> None:
    """Waits until a checkpoint of that step is sealed."""
    until = time.monotonic() + 600
    while not (folder / f"checkpoints/checkpoint-{step}/manifest.json").exists():
        assert time.monotonic() < until, "the checkpoint never came"
        time.sleep(0.005)


@pytest.mark.slow
def test_when_one_rank_is_killed_all_end_and_the_next_start_goes_on(
    kit: Kit, rows: Path, tmp_path: Path
) -> None:
    more: dict[str, Any] = {
        "lora": LORA,
        "deepspeed": {"zero_optimization": {"stage": 2}},
        "training": {**TRAINING, "max_steps": 60, "logging_steps": 7},
    }
    folder = job(kit, tmp_path / "run", rows, **more)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
    launcher = subprocess.Popen(
        [*command, "2", "-m", "llmops.workers", str(folder)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(folder, 4)
    ranks = ranks_of(folder)
    assert len(ranks) == 2
    os.kill(ranks[1], signal.SIGKILL)
    assert launcher.wait(60) != 0
    assert ranks_of(folder) == []
    assert not (folder / "result.json").exists()
    found = finished(kit, folder)
    (step,) = resumed_at(folder)
    assert 4 <= step < 60
    whole = job(kit, tmp_path / "whole", rows, **more)
    assert found == finished(kit, whole)
    for run in (folder, whole):
        assert digest.of_folder(run / "artifacts/adapter") == digest.of_folder(
            whole / "artifacts/adapter"
        )


class Planted:
    """Unpickled it leaves a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.mark),))


def forged(checkpoint: Path, name: str, mark: Path) -> None:
    """One file of a checkpoint is a pickle that runs code, and the manifest is right again."""
    import torch

    for found in checkpoint.rglob(name):
        torch.save({"state": Planted(mark)}, found)
    said = json.loads((checkpoint / "manifest.json").read_bytes())
    (checkpoint / "manifest.json").unlink()
    maker = Maker(said["closure"], said["processes"], said["versions"])
    checkpoints.seal(checkpoint, said["step"], maker)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stage"),
    [("*optim_states.pt", 1), ("*model_states.pt", 1), ("optimizer.pt", None), ("rng_*_0.pth", 1)],
)
def test_a_checkpoint_that_was_forged_and_sealed_runs_no_code(
    kit: Kit, rows: Path, tmp_path: Path, name: str, stage: int | None
) -> None:
    """Whoever may write there knows the closure too: a digest of their own proves nothing."""
    zero = {} if stage is None else {"deepspeed": {"zero_optimization": {"stage": stage}}}
    more = {**zero, "lora": LORA, "training": {**TRAINING, "max_steps": 3, "save_steps": 2}}
    folder = job(kit, tmp_path / "run", rows, **more)
    finished(kit, folder)
    for path in (folder / "checkpoints").iterdir():
        if path.name != "checkpoint-2":
            shutil.rmtree(path)
    forged(folder / "checkpoints" / "checkpoint-2", name, tmp_path / "ran")
    (folder / "result.json").unlink()
    done = kit.start(folder, processes=2)
    assert done.returncode != 0
    assert not (tmp_path / "ran").exists()
    said = json.loads((folder / "error.json").read_text())
    assert said["message"].startswith("checkpoint-2 holds more than tensors")
