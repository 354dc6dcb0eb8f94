"""Ten random kills of a run that really trains: the adapter and the verdict are as without them.

A repository with five jobs: curate, a full training, a LoRA on two ranks under ZeRO 2, generate,
evaluate. A run is killed again and again, the command or all or one of its processes, within
steps, between checkpoints, while one is written; each next run goes on, until one is let alone.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmops.evidence.store import Store
from llmops.pipeline import make_plan, verdict
from llmops.project import Pair, Project, read
from tests.battery import processes
from tests.conftest import GitRepo
from tests.trees import changed, spec

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SEED, KILLS, KILLS_EACH, SECONDS = 20261125, 10, 5, 900
WORDS = {"sun": "day", "noon": "day", "moon": "night", "star": "night"}
SAVING = "max_steps: {steps}, save_steps: 4, logging_steps: 7"
TRAINING = "training: {{learning_rate: 1.0e-2, {saving}, per_device_train_batch_size: 8}}\n"
KEPT = "checkpoint: {keep: 3}\nseed: 1"


def files() -> dict[str, str]:
    """The bank of the other tests with data to learn from and checkpoints on the way."""
    rows = [
        {"question": f"{n} {word} {n * 7}", "answer": answer, "language": "en"}
        for word, answer in WORDS.items()
        for n in range(60)
    ]
    training = TRAINING.format(saving=SAVING.format(steps=80))
    base = spec(
        "Recipe", "base",
        "base_model: tiny\nmethod: sft\ndata: [{dataset: bank#train}]\nfull: {}\n"
        f"{training}{KEPT}",
    )  # fmt: skip
    adapter = spec(
        "Recipe", "adapter",
        "base_model: Recipe/base\nmethod: sft\ndata: [{dataset: bank#train}]\n"
        "lora: {r: 8, lora_alpha: 16, lora_dropout: 0.1, target_modules: [q_proj, v_proj],"
        " task_type: CAUSAL_LM}\n"
        f"{training}deepspeed: {{zero_optimization: {{stage: 2}}}}\n"
        f"resources: {{processes_per_node: 2}}\n{KEPT}",
    )  # fmt: skip
    heads = "num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 2"
    size = f"{heads}, intermediate_size: 64, max_position_embeddings: 128"
    bank = changed("specs/models/tiny.yaml", "num_hidden_layers: 1", size)
    return {
        **bank,
        "specs/recipes/base.yaml": base,
        "specs/recipes/adapter.yaml": adapter,
        "specs/data/bank.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
    }


def repository(folder: Path) -> Path:
    repo = GitRepo(folder / "repo")
    repo.path.mkdir(parents=True)
    repo.git("init", "--quiet")
    repo.commit(files(), "first")
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    """`llmops run`, its words added to a file."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "CI": "true",
    }
    with (folder / "said").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "llmops", "run", "-C", str(folder / "repo")],
            cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


def sealed(folder: Path) -> int:
    """How many checkpoints were sealed so far, as the newest of each training tells."""
    found = (folder / "repo/reports/runs").glob("*/checkpoints/checkpoint-*/manifest.json")
    newest: dict[Path, int] = {}
    for path in found:
        step = int(path.parent.name[11:])
        newest[path.parents[1]] = max(step, newest.get(path.parents[1], 0))
    return sum(step // 4 for step in newest.values())


def strike(folder: Path, run: subprocess.Popen[bytes], dice: random.Random) -> str:
    """Waits for a random moment and kills something; says what, "" if the run was over."""
    if dice.random() < 0.7:
        wanted = sealed(folder) + dice.randint(1, 8)
        while run.poll() is None and sealed(folder) < wanted:
            time.sleep(0.01)
    else:
        time.sleep(dice.uniform(0.5, 12.0))
    time.sleep(dice.uniform(0.0, 0.2))
    ranks, launchers = processes.ranks(folder), processes.launchers(folder)
    victims = {"command": [run.pid], "command and workers": [run.pid, *launchers, *ranks]}
    if launchers:
        victims["worker"] = launchers
    if ranks:
        victims |= {"one rank": [dice.choice(ranks)], "all ranks": ranks}
    what = dice.choice(sorted(victims))
    if run.poll() is not None:
        return ""
    for pid in victims[what]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it ended meanwhile, or by the death of another victim
            continue
    return what


def until_done(folder: Path, kills: int, dice: random.Random) -> list[str]:
    """Runs until the end, being killed up to so many times; says how."""
    struck: list[str] = []
    while len(struck) < kills:
        run = start(folder)
        what = strike(folder, run, dice)
        run.wait(SECONDS)
        assert processes.orphans(folder) == [], (struck, what)
        if not what:
            break
        struck.append(what)
    code = start(folder).wait(SECONDS)
    assert code in (0, 1), (folder / "said").read_text()
    return struck


def without_times(lines: bytes) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in lines.splitlines()]
    return [{k: v for k, v in line.items() if not k.endswith(("_ms", "_at"))} for line in parsed]


def found_in(folder: Path) -> Mapping[str, Any]:
    """Evidence and verdict, but for times and what a machine needed."""
    project = Project.find(folder / "repo", folder / "cache")
    store = project.store
    found: dict[str, Any] = {}
    for closure, evidence in store.proven().items():
        result = evidence.result
        named = {a.name: a.digest for a in result.artifacts}
        assert store.missing(closure) == frozenset()
        if "responses.jsonl" in named:
            data = store.artifact(closure, "responses.jsonl").read_bytes()
            named["responses.jsonl"] = without_times(data)  # type: ignore[assignment]
        measured = {m.metric: m.value for m in result.measurements if "second" not in m.metric}
        found[closure] = (result.type, result.status, result.reason, named, measured)
    pair = Pair(None, read(project, project.repository.tree("HEAD")))
    judged = repr(verdict(project, make_plan(project, pair), now=NOW))
    return {"evidence": found, "verdict": re.sub(r"[0-9a-f]{64}", "…", judged)}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_kills_of_a_real_run_change_nothing(tmp_path: Path) -> None:
    whole = repository(tmp_path / "whole")
    code = start(whole).wait(SECONDS)
    assert code in (0, 1), (whole / "said").read_text()
    expected = found_in(whole)
    kinds = sorted(found[0] for found in expected["evidence"].values())
    assert kinds == ["curate", "evaluate", "generate", "train", "train"]
    struck: list[str] = []
    number = 0
    while len(struck) < KILLS:
        folder = repository(tmp_path / f"killed-{number}")
        dice = random.Random(SEED + number)
        struck += until_done(folder, min(KILLS_EACH, KILLS - len(struck)), dice)
        number += 1
        assert found_in(folder) == expected, struck
        assert Store(folder / "repo/reports").notes == ()
        said = (folder / "said").read_text()
        print(f"{folder.name}: {struck}; resumed {said.count('resumes at step')} times")
