"""The demo on real data, whole: rows by digest, a base, a LoRA, and six pull requests judged.

Needs `LLMOPS_MIRROR` with the two files of BANKING77 (no network) and trains for some minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmops.cli import demo

TALE = demo.tale_of("banking77")


def llmops(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmops", words[0], "-C", str(folder), *words[1:]]
    env = {**os.environ, "LLMOPS_OFFLINE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_comes_out_as_told_and_the_test_rows_were_looked_at_once(tmp_path: Path) -> None:
    assert os.environ.get("LLMOPS_MIRROR"), "LLMOPS_MIRROR names no folder"
    done = llmops(tmp_path, "demo", "--example", "banking77", "--keep", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all came out as told" in done.stdout
    for story in TALE.stories:
        assert f"{story.title}: {story.outcome}" in done.stdout
    kept = tmp_path / "kept"
    verdict = gate(kept, "test-rows")
    looks = {look["dataset"]: look["count"] for look in verdict["looks"]}
    assert looks["Dataset/banking77-known-test"] == looks["Dataset/banking77-new-test"] == 1
    assert looks["Dataset/banking77-known#validation"] == 3  # main, #1, #2; of #3 no model is left
    forgot = found(gate(kept, "no-rehearsal"), "Evaluation/banking77-known/accuracy")
    assert forgot["outcome"] == "failed"
    assert forgot["value"] < 0.3
    learnt = found(gate(kept, "no-rehearsal"), "Evaluation/banking77-new/accuracy")
    assert learnt["outcome"] == "passed"  # whoever looks at the new intents alone sees nothing


def gate(repo: Path, branch: str) -> dict[str, Any]:
    said = llmops(repo, "gate", "--base", "main", "--head", branch, "--format", "json")
    verdict: dict[str, Any] = json.loads(said.stdout)
    return verdict


def found(verdict: dict[str, Any], gate: str) -> dict[str, Any]:
    return next(f for f in verdict["findings"] if f["gate"] == gate and f["judged_by"] == "base")
