"""A run that is interrupted or killed leaves no orphan, loses nothing and does nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.jobs.base import Job, Result
from llmops.jobs.wire import to_json
from tests.executors.conftest import FAKE, Bench, alive, job, pids, wait_for

DRIVER = str(Path(__file__).with_name("driver.py"))


def drive(root: Path, *jobs: Job) -> subprocess.Popen[str]:
    """A run of these jobs, started."""
    process = subprocess.Popen(
        [sys.executable, DRIVER, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jobs": [to_json(j) for j in jobs], "command": FAKE}))
    process.stdin.close()
    process.stdin = None  # communicate would flush it
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, list[list[str]]]:
    """Exit code and the events; nothing may be said on stderr."""
    out, err = process.communicate(timeout=60)
    assert err == ""
    return process.returncode, [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_no_orphan_and_exits_130(
    tmp_path: Path, number: signal.Signals
) -> None:
    slow, other = job("slow", "sleep"), job("other", "sleep")
    run = drive(tmp_path, slow, other)
    store = Store(tmp_path)
    started = [pid for j in (slow, other) for pid in pids(store.run_folder(j.closure))]
    assert len(started) == 6
    run.send_signal(number)
    code, events = ended(run)
    assert code == 130
    assert [pid for pid in started if alive(pid)] == []
    assert {kind for kind, _ in events} == {"started"}
    assert dict(store.proven()) == {}


def test_an_impatient_interrupt_leaves_no_orphan_either(tmp_path: Path) -> None:
    slow, other = job("slow", "sleep"), job("other", "sleep")
    run = drive(tmp_path, slow, other)
    store = Store(tmp_path)
    started = [pid for j in (slow, other) for pid in pids(store.run_folder(j.closure))]
    while run.poll() is None:
        run.send_signal(signal.SIGINT)
        time.sleep(0.01)
    run.communicate()
    # 130, or by the signal when one came after the run had ended and cleaned up.
    assert run.returncode in (130, -signal.SIGINT, 1)
    assert [pid for pid in started if alive(pid)] == []


def test_an_interrupted_job_runs_again_and_the_finished_one_does_not(tmp_path: Path) -> None:
    count, go = tmp_path / "count", tmp_path / "go"
    first = job("first", count=str(count))
    second = job("second", after=[first], count=str(count), wait_for=[str(go)])
    run = drive(tmp_path / "reports", first, second)
    wait_for(Store(tmp_path / "reports").run_folder(second.closure) / "log.txt")
    run.send_signal(signal.SIGINT)
    assert ended(run)[0] == 130
    go.touch()
    code, events = ended(drive(tmp_path / "reports", first, second))
    assert code == 0
    assert ["reused", "curate/first"] in events
    assert Counter(count.read_text().splitlines())["curate/first"] == 1


def test_a_killed_run_leaves_its_worker_the_claim_and_the_next_takes_the_result(
    tmp_path: Path,
) -> None:
    count, go = tmp_path / "count", tmp_path / "go"
    slow = job("slow", count=str(count), wait_for=[str(go)])
    run = drive(tmp_path / "reports", slow)
    wait_for(count)
    run.kill()
    run.communicate()
    again = drive(tmp_path / "reports", slow)
    assert again.stdout is not None
    assert json.loads(again.stdout.readline()) == ["waits", "curate/slow"]
    go.touch()
    assert ended(again) == (0, [["finished", "curate/slow"]])
    assert count.read_text().splitlines() == ["curate/slow"]


def test_a_claim_ends_with_the_last_process_that_worked_on_it(tmp_path: Path) -> None:
    slow = job("slow", "sleep")
    run = drive(tmp_path, slow)
    started = pids(Store(tmp_path).run_folder(slow.closure))
    run.kill()
    run.communicate()
    (Store(tmp_path).run_folder(slow.closure) / "pids.json").unlink()
    for pid in started:
        os.kill(pid, signal.SIGKILL)
    again = drive(tmp_path, slow)
    assert len(pids(Store(tmp_path).run_folder(slow.closure))) == 3
    again.send_signal(signal.SIGINT)
    assert ended(again)[0] == 130


def test_two_runs_at_once_do_each_job_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    jobs: list[Job] = []
    for i in range(6):
        jobs.append(job(f"j{i}", after=jobs[-2:-1], count=str(count)))
    runs = [drive(tmp_path / "reports", *order) for order in (jobs, jobs[::-1], jobs)]
    codes, events = zip(*map(ended, runs), strict=True)
    assert codes == (0, 0, 0)
    assert Counter(count.read_text().splitlines()) == {j.id: 1 for j in jobs}
    kinds = Counter(kind for run in events for kind, _ in run)
    assert kinds["finished"] == 6
    assert kinds["reused"] == 12


def results(store: Store, jobs: list[Job]) -> list[Result]:
    return [store.proven()[j.closure].result for j in jobs]


@pytest.mark.parametrize("seed", range(6))
def test_wherever_a_run_is_killed_the_next_ends_with_the_same_evidence(
    tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    a = job("a")
    b = job("b", after=[a])
    jobs = [a, b, job("c", after=[a, b]), job("d", "quality_failed")]
    whole = Bench(Store(tmp_path / "whole"), LocalExecutor(FAKE))
    whole.run(*jobs)
    for _ in range(3):
        run = drive(tmp_path / "reports", *jobs)
        time.sleep(0.15 + 0.4 * dice.random())
        run.kill()
        run.communicate()
    code, _ = ended(drive(tmp_path / "reports", *jobs))
    assert code == 1, f"seed {seed}"
    store = Store(tmp_path / "reports")
    assert results(store, jobs) == results(whole.store, jobs)
    assert store.notes == ()
    assert len(list((tmp_path / "reports" / "evidence").glob("*/*.json"))) == 4
    assert all(not store.missing(j.closure) for j in jobs)
