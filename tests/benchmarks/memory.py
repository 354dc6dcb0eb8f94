"""`python -m tests.benchmarks.memory`: estimated memory beside the peak of real trainings here.

Each case is one worker, started as the local executor starts it, on rows that fill
`template.max_length`, as an estimate assumes. Prints one row of a Markdown table a case.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from llmops import digest
from llmops.executors.local import SET
from llmops.jobs import memory
from llmops.jobs.estimate import score
from llmops.jobs.network import network


@dataclass(frozen=True, slots=True)
class Case:
    """One training to measure: a Llama of this size, learned so."""

    name: str
    hidden: int = 128
    layers: int = 2
    vocab: int = 2048
    lora: bool = False
    stage: int | None = None  # ZeRO; None is no DeepSpeed
    ranks: int = 1
    batch: int = 16
    length: int = 128
    checkpointing: bool = False
    steps: int = 6
    model_type: str = "llama"

    @property
    def spec(self) -> dict[str, Any]:
        """The training as a worker gets it."""
        zero = {"zero_optimization": {"stage": self.stage}}
        targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        lora = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": targets}
        return {
            "method": "sft",
            "base": {"init": self.init},
            "data": [{"format": "qa", "weight": None}],
            "template": {
                "chat_template": "tokenizer", "train_on": "assistant", "max_length": self.length,
            },
            **({"lora": lora} if self.lora else {"full": {}}),
            **({"deepspeed": zero} if self.stage is not None else {}),
            "training": {
                "learning_rate": 1.0e-3, "max_steps": self.steps, "optim": "adamw_torch",
                "per_device_train_batch_size": self.batch,
                **({"gradient_checkpointing": True} if self.checkpointing else {}),
            },
        }  # fmt: skip

    @property
    def init(self) -> dict[str, Any]:
        """The base: random weights."""
        return {
            "architecture": {
                "model_type": self.model_type,
                "hidden_size": self.hidden,
                "intermediate_size": self.hidden * 11 // 4,
                "num_hidden_layers": self.layers,
                "num_attention_heads": 4,
                "num_key_value_heads": 4,
                "max_position_embeddings": 1024,
                "vocab_size": self.vocab,
                "initializer_range": 0.05,
                "tie_word_embeddings": False,
            },
            "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 512}},
            "seed": 0,
        }


def measured(case: Case) -> dict[str, Any]:
    """What one training used: `resources_used` of its result, and the peak before it was saved."""
    with tempfile.TemporaryDirectory() as name:
        folder = _run_folder(case, Path(name))
        done = subprocess.run(
            [*_command(case), str(folder)], env=_environment(), capture_output=True, text=True,
            check=False, cwd=name, timeout=600,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{case.name} exited {done.returncode}:\n{done.stderr[-3000:]}")
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        lines = (folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
        training = [line["memory_mb"] for line in map(json.loads, lines) if "memory_mb" in line]
        used: dict[str, Any] = result["resources_used"]
        return {**used, "status": result["status"], "training_mb": training[-1]}


def _command(case: Case) -> list[str]:
    worker = ["-m", "llmops.workers"]
    if case.ranks == 1:
        return [sys.executable, *worker]
    ranks = ["--standalone", "--nproc_per_node", str(case.ranks)]
    return [sys.executable, "-m", "torch.distributed.run", *ranks, *worker]


def _environment() -> dict[str, str]:
    own = {name: os.environ[name] for name in ("HOME", "PYTHONPATH", "CXX") if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    cpu = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}
    return {**own, **SET, **cpu, "PATH": path}


def _run_folder(case: Case, where: Path) -> Path:
    rows = where / "rows.jsonl"
    rows.write_text("".join(_rows(case)), encoding="utf-8")
    given = {"path": str(rows), "digest": digest.of_file(rows)}
    folder = where / "run"
    folder.mkdir()
    job: Mapping[str, Any] = {
        "format_version": 1, "id": "train/memory", "type": "train",
        "closure": digest.of_value(asdict(case)), "spec": case.spec,
        "inputs": {"data/0": given, "tokenizer": given}, "seed": 42,
        "resources": {"processes": case.ranks, "cpu": 1}, "tools": {},
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def _rows(case: Case) -> Iterator[str]:
    """Rows longer than any case's `max_length`, of words that no vocabulary makes one token of."""
    dice = random.Random(0)
    for i in range(case.batch * case.ranks * 2):
        words = "".join(dice.choice("abcdefghij klmnopqrstuvwxyz") for _ in range(4 * case.length))
        row = {"question": f"number {i}?", "answer": words}
        key = digest.of_value(row)
        yield json.dumps({**row, "case": key, "id": key[7:23]}) + "\n"


def bases() -> Iterator[Case]:
    """A network of 30,000 parameters and one short row: what is left are the libraries."""
    least = Case("", hidden=16, layers=1, vocab=512, batch=1, length=16, steps=2)
    for stage, ranks in itertools.product((None, 0, 2, 3), (1, 2)):
        name = f"base zero {'-' if stage is None else stage} ranks {ranks}"
        yield replace(least, name=name, stage=stage, ranks=ranks)


def cases() -> Iterator[Case]:
    """Full and LoRA, every ZeRO stage, one rank and two, small and larger."""
    sizes = ((64, 2, 1024), (512, 4, 8192))
    stages = (None, 0, 1, 2, 3)
    for (hidden, layers, vocab), lora, stage in itertools.product(sizes, (False, True), stages):
        how = f"{'lora' if lora else 'full'} zero {'-' if stage is None else stage}"
        for ranks in (1, 2):
            name = f"{how} ranks {ranks} hidden {hidden}"
            yield Case(name, hidden, layers, vocab, lora, stage, ranks)


def estimated_mb(case: Case) -> float:
    """What a plan says of the case."""
    made = network(case.init["architecture"], 512)
    how = memory.setting(made, case.spec, case.ranks, from_folder=False)
    return memory.training(made, how).mb


def main() -> None:
    """Prints a table: estimated and measured MiB, and by how much the estimate was off."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", action="store_true", help="measure the libraries alone")
    parser.add_argument("--match", default="", help="only cases with this in their name")
    args = parser.parse_args()
    print("| training | estimated | measured | off |\n|---|---|---|---|")
    for case in bases() if args.base else cases():
        if args.match in case.name:
            peak, said = float(measured(case)["peak_memory_mb"]), estimated_mb(case)
            off = (score(said, peak) or 0.0) * 100
            print(f"| {case.name} | {said:.0f} MiB | {peak:.0f} MiB | {off:+.1f} % |", flush=True)


if __name__ == "__main__":
    main()
