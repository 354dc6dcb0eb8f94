"""The second example on real data: the whole road, from addresses with digests to a verdict.

Needs `LLMOPS_MIRROR` with the two files of BANKING77 (no network) and trains for a minute or more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SELECT = ("--select", "Evaluation/banking77-quality")


def llmops(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmops", words[0], "-C", str(folder), *words[1:]]
    env = {**os.environ, "LLMOPS_OFFLINE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_77_intents_from_scratch_reach_the_claim(tmp_path: Path) -> None:
    assert os.environ.get("LLMOPS_MIRROR"), "LLMOPS_MIRROR names no folder"
    for name in ("specs", "policies", ".github"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / ".gitignore").write_text("/reports/\n")
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "x"]):
        author = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *author, *words], cwd=tmp_path, check=True)
    done = llmops(tmp_path, "run", *SELECT)
    assert done.returncode == 0, done.stdout + done.stderr
    judged = llmops(tmp_path, "gate", *SELECT, "--format", "json")
    verdict: dict[str, Any] = json.loads(judged.stdout)
    found = {f["gate"]: f for f in verdict["findings"]}
    accuracy = found["Evaluation/banking77-quality/accuracy"]
    assert accuracy["n"] == 3080
    assert accuracy["outcome"] == "passed", accuracy["message"]
    assert accuracy["value"] >= 0.84
