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
from llmops.executors.leftovers import place
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


def gone(started: list[int], seconds: float = 5.0) -> bool:
    """Whether all of them end within that time."""
    until = time.monotonic() + seconds
    while any(alive(pid) for pid in started):
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def test_a_killed_run_takes_its_workers_and_all_they_started_with_it(tmp_path: Path) -> None:
    slow, other = job("slow", "sleep"), job("other", "sleep")
    run = drive(tmp_path, slow, other)
    store = Store(tmp_path)
    started = [pid for j in (slow, other) for pid in pids(store.run_folder(j.closure))]
    run.kill()
    run.communicate()
    assert gone(started)


def guards(folder: Path) -> list[int]:
    """The guards of the attempts in this run folder."""
    end = place(str(folder / "lock"))
    names = (n for n in os.listdir("/proc") if n.isdecimal() and alive(int(n)))
    told = {n: Path("/proc", n, "cmdline").read_bytes().split(b"\0") for n in names}
    return [
        int(n) for n, words in told.items() if words[-2:-1] and words[-2].endswith(end.encode())
    ]


def test_what_a_killed_run_left_is_ended_by_the_next_even_without_a_guard(tmp_path: Path) -> None:
    slow = job("slow", "sleep")
    folder = Store(tmp_path).run_folder(slow.closure)
    run = drive(tmp_path, slow)
    started = pids(folder)
    (guard,) = guards(folder)
    os.kill(guard, signal.SIGKILL)
    run.kill()
    run.communicate()
    assert all(alive(pid) for pid in started)
    (folder / "pids.json").unlink()
    again = drive(tmp_path, slow)
    assert again.stdout is not None
    assert json.loads(again.stdout.readline()) == ["waits", "curate/slow"]
    assert len(pids(folder)) == 3
    assert not any(alive(pid) for pid in started)
    again.send_signal(signal.SIGINT)
    assert ended(again)[0] == 130


def test_ranks_that_outlive_their_launcher_are_ended_though_they_hold_no_claim(
    tmp_path: Path,
) -> None:
    slow = job("slow", "sleep")
    folder = Store(tmp_path).run_folder(slow.closure)
    run = drive(tmp_path, slow)
    launcher, *ranks = pids(folder)
    for pid in (*guards(folder), run.pid, launcher):
        os.kill(pid, signal.SIGKILL)
    run.communicate()
    (folder / "pids.json").unlink()
    again = drive(tmp_path, slow)
    assert len(pids(folder)) == 3
    assert not any(alive(pid) for pid in ranks)
    again.send_signal(signal.SIGINT)
    assert ended(again)[0] == 130


def test_a_stopped_run_keeps_its_claim_and_nothing_is_done_twice(tmp_path: Path) -> None:
    count, go = tmp_path / "count", tmp_path / "go"
    slow = job("slow", count=str(count), wait_for=[str(go)])
    first = drive(tmp_path / "reports", slow)
    wait_for(count)
    first.send_signal(signal.SIGSTOP)
    second = drive(tmp_path / "reports", slow)
    assert second.stdout is not None
    assert json.loads(second.stdout.readline()) == ["waits", "curate/slow"]
    go.touch()
    wait_for(Store(tmp_path / "reports").run_folder(slow.closure) / "result.json")
    time.sleep(0.2)
    assert second.poll() is None
    first.send_signal(signal.SIGCONT)
    assert ended(first) == (0, [["started", "curate/slow"], ["finished", "curate/slow"]])
    assert ended(second) == (0, [["reused", "curate/slow"]])
    assert count.read_text().splitlines() == ["curate/slow"]


def test_lock_files_that_nobody_holds_are_no_claim(tmp_path: Path) -> None:
    a = job("a")
    folder = Store(tmp_path).run_folder(a.closure)
    folder.mkdir(parents=True)
    for name in ("owner", "lock"):
        (folder / name).write_text("4711")
    assert ended(drive(tmp_path, a)) == (0, [["started", "curate/a"], ["finished", "curate/a"]])


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
