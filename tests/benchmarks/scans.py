"""Seconds of one scan of 200 rows in a process of its own, over its imports.

A model of the running example's size with random weights over its test rows: it is asked as often
as a trained one, and what it answers does not matter to the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from llmops import digest

ROOT = Path(__file__).parent.parent.parent
ROWS = ROOT / "specs" / "data" / "bank" / "test.jsonl"
DETECTORS = ["text_perturbation", "ethical_bias", "performance_bias", "prompt_injection"]
TRANSFORMATIONS = ["typos", "uppercase", "gender", "religion", "country"]
CODE = """
import sys, time
from pathlib import Path
began = time.perf_counter()
import torch
from llmops.workers import giskard_tools, scan
from llmops.workers.contract import open_run
torch.set_num_threads(1)
run = open_run(Path(sys.argv[1]))
giskard_tools.load(run.path)
import pandas, peft, sklearn.model_selection, scipy.stats
from transformers import AutoModelForCausalLM
imported = time.perf_counter()
scan.work(run)
print(imported - began, time.perf_counter() - imported)
"""


def per_scan(rows: int = 200) -> tuple[float, float]:
    """Seconds of the scan, and of importing what it needs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = folder / "cases.jsonl"
        cases.write_text("".join(map(_line, ROWS.read_text("utf-8").splitlines())), "utf-8")
        given = {"path": str(cases), "digest": digest.of_file(cases)}
        job = _job(rows) | {"inputs": dict.fromkeys(("cases", "tokenizer", "labels/0"), given)}
        (folder / "job.json").write_text(json.dumps(job), "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", CODE, name], capture_output=True, text=True, check=True, cwd=ROOT
        )
    imports, ours = map(float, done.stdout.split())
    return ours, imports


def _line(line: str) -> str:
    row = json.loads(line)
    return json.dumps({**row, "case": digest.of_value(row)}, ensure_ascii=False) + "\n"


def _job(rows: int) -> dict[str, Any]:
    architecture = {
        "model_type": "llama", "hidden_size": 128, "intermediate_size": 352,
        "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256,
    }  # fmt: skip
    tokenizer = {"train": {"algorithm": "byte_level_bpe", "vocab_size": 2048}}
    spec = {
        "base": {"init": {"architecture": architecture, "tokenizer": tokenizer, "seed": 0}},
        "format": "qa", "expected": "answer", "dataset": "bank", "split": "test", "rows": rows,
        "output": {"format": "choice", "labels_column": "answer"}, "languages": ["en", "zh"],
        "generation": {"max_tokens": 16, "batch_size": 100}, "detectors": DETECTORS,
        "transformations": TRANSFORMATIONS, "checks": [],
    }  # fmt: skip
    return {
        "format_version": 1, "id": "scan/bench", "type": "scan", "closure": "sha256:0",
        "spec": spec, "seed": 0, "resources": {"processes": 1, "cpu": 1}, "tools": {},
    }  # fmt: skip
