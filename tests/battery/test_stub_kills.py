"""Wherever `llmops run` or one of its workers dies, the next run ends with the same report.

Each kill point is a repository of its own with eight jobs: a run that dies at a seeded moment (the
k-th thing that the command or a worker asks of the machine), then a run that is let alone. After
the first nothing that it started may be alive; after the second the evidence and the verdict must
be those of a run that nobody killed, and no job may have been started after it had a result.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmops.evidence.store import Store
from llmops.jobs.wire import to_json
from llmops.pipeline import make_plan, verdict
from llmops.project import Project, pair
from tests.battery import processes
from tests.conftest import GitRepo
from tests.scenarios.story import HERE, Scenario

ROOT = Path(__file__).parents[2]
GOOD = Scenario(HERE / "good")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SEED = 20261125
FEW, MANY = 12, 200


@dataclass(frozen=True)
class Point:
    """Who dies, by which signal, and when: a share of all moments that there are."""

    seed: int
    victim: str  # "command", or the id of a job
    number: signal.Signals
    moment: float

    @classmethod
    def drawn(cls, seed: int, jobs: list[str]) -> Point:
        """The kill point of a seed: mostly SIGKILL of the command, every fourth a worker."""
        dice = random.Random(SEED + seed)
        if seed % 4 == 3:
            return cls(seed, dice.choice(jobs), signal.SIGKILL, dice.random())
        others = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
        return cls(seed, "command", dice.choice(others), dice.random())


@dataclass(frozen=True)
class Bench:
    """A repository that nothing ran in yet, and what an undisturbed run found there."""

    template: Path
    moments: int
    ledger: Counter[str]
    found: Mapping[str, Any]

    def jobs(self) -> list[str]:
        return sorted({line.split()[1] for line in self.ledger})


def start(
    folder: Path, moment: str = "-", number: int = signal.SIGKILL, victim: str = "-", at: int = 0
) -> subprocess.Popen[str]:
    """`llmops run` in a copy of the repository."""
    (folder / "ledger").touch()
    ledger = [str(folder / "ledger"), victim, str(at)]
    script, world = ROOT / "tests/battery/worker.py", GOOD.path / "world.json"
    worker = [sys.executable, "-I", "-S", str(script), *ledger, str(world)]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LLMOPS_CACHE": str(folder / "cache"),
        "CI": "true",
        "PYTHONPATH": str(ROOT),
        "BATTERY_WORKER": json.dumps(worker),
    }
    words = ["run", "-C", str(folder / "repo"), "--head", "change"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.battery.command", str(folder / "moments"), moment,
         str(int(number)), *words],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = run.communicate(timeout=240)
    assert "Traceback" not in out + err, out + err
    return run.returncode, out + err


def found_in(folder: Path) -> dict[str, Any]:
    """The results that are evidence, and the verdict on them. Made-up workers say no real time."""
    project = Project.find(folder / "repo", folder / "cache")
    judged = verdict(project, make_plan(project, pair(project, "main", "change")), now=NOW)
    kept = project.store.proven()
    results = {closure: to_json(kept[closure].result) for closure in sorted(kept)}
    return {"results": results, "verdict": repr(judged)}


def lines(folder: Path) -> Counter[str]:
    return Counter((folder / "ledger").read_text(encoding="utf-8").splitlines())


def copied(template: Path, folder: Path) -> Path:
    shutil.copytree(template, folder / "repo")
    return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    repo = GitRepo(tmp_path_factory.mktemp("template"))
    repo.git("init", "--quiet")
    repo.commit(GOOD.files("base"))
    repo.git("switch", "--quiet", "--create", "change")
    repo.commit(GOOD.files("head"))
    repo.git("switch", "--quiet", "main")
    folder = copied(repo.path, tmp_path_factory.mktemp("whole"))
    code, said = ended(start(folder))
    assert (code, said.splitlines()[-1]) == (0, "Run: 8 ran.")
    moments = int((folder / "moments").read_text())
    return Bench(repo.path, moments, lines(folder), found_in(folder))


def holds(bench: Bench, folder: Path, point: Point) -> None:
    """One kill point: dies, goes on, and all is as if nothing had happened."""
    copied(bench.template, folder)
    if point.victim == "command":
        at = str(1 + int(point.moment * bench.moments))
        code, _ = ended(start(folder, at, point.number))
        assert code in (0, 130, -point.number), point
    else:
        code, said = ended(start(folder, victim=point.victim, at=1 + int(point.moment * 40)))
        assert code in (0, 3), (point, said)
    assert processes.orphans(folder) == [], point
    before = lines(folder)
    code, said = ended(start(folder))
    assert code == 0, (point, said)
    assert processes.orphans(folder) == [], point
    assert found_in(folder) == bench.found, point
    assert Store(folder / "repo/reports").notes == (), point
    assert_nothing_twice(bench, before, lines(folder), point)
    statements = list((folder / "repo/reports/evidence").glob("*/[!.]*"))
    assert len(statements) == len(bench.found["results"]), point


def assert_nothing_twice(
    bench: Bench, before: Counter[str], after: Counter[str], point: Point
) -> None:
    """Each job ended once; it was started once, and once more if it was cut off."""
    for line in bench.ledger:
        if line.startswith("start "):
            end = line.replace("start ", "end ", 1)
            cut_off = before[line] == 1 and after[end] == 1 and before[end] == 0
            assert before[line] <= 1, (point, line)
            assert after[end] <= 1, (point, line)
            assert after[line] in ((1, 2) if cut_off else (1,)), (point, line)
    assert after.keys() <= bench.ledger.keys(), point


@pytest.mark.parametrize("seed", range(FEW))
def test_a_run_that_dies_anywhere_goes_on_to_the_same_report(
    bench: Bench, tmp_path: Path, seed: int
) -> None:
    holds(bench, tmp_path, Point.drawn(seed, bench.jobs()))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FEW, MANY))
def test_a_run_that_dies_at_two_hundred_points_goes_on_to_the_same_report(
    bench: Bench, tmp_path: Path, seed: int
) -> None:
    holds(bench, tmp_path, Point.drawn(seed, bench.jobs()))


def test_two_runs_at_once_in_one_repository_do_each_job_once(bench: Bench, tmp_path: Path) -> None:
    folder = copied(bench.template, tmp_path)
    runs = [start(folder) for _ in range(3)]
    said = [ended(run) for run in runs]
    assert [code for code, _ in said] == [0, 0, 0], said
    assert lines(folder) == bench.ledger
    assert found_in(folder) == bench.found


def test_a_run_beside_one_that_dies_does_what_is_left(bench: Bench, tmp_path: Path) -> None:
    folder = copied(bench.template, tmp_path)
    dies = start(folder, str(bench.moments // 2))
    lives = start(folder)
    assert ended(dies)[0] in (0, -signal.SIGKILL)
    assert ended(lives)[0] == 0
    assert found_in(folder) == bench.found
    assert processes.orphans(folder) == []
