"""Whatever a worker does, there is a true result or a clear error, and never something between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_bytes
from llmops.errors import ExecutorError, LlmopsError, StoreError
from llmops.evidence import files
from llmops.evidence.store import Store
from llmops.executors.inputs import Inputs
from llmops.executors.local import LocalExecutor
from llmops.jobs.base import Job, Resources
from tests.executors.conftest import FAKE, Bench, alive, job, pids, wait_for


def failure(bench: Bench, broken: Job) -> LlmopsError:
    """The error of the only job, which left no evidence and is ready to run again."""
    report = bench.run(broken)
    (failed,) = report.world_failed
    assert report.exit_code == 3
    assert bench.store.evidence(broken.closure) is None
    assert broken.closure not in bench.store.proofs()
    assert bench.kinds(broken)[-1] == "world_failed"
    return failed.error


def test_a_killed_worker_is_named_with_its_signal(bench: Bench) -> None:
    error = failure(bench, job("a", "kill"))
    assert isinstance(error, ExecutorError)
    assert error.message == (
        'worker of "curate/a" was killed by SIGKILL (out of memory?): hello from curate/a'
    )
    assert error.hint.startswith("see ")
    assert error.hint.endswith("/log.txt")


def test_a_worker_that_ends_without_a_result_is_an_error(bench: Bench) -> None:
    error = failure(bench, job("a", "silent"))
    assert error.message == 'worker of "curate/a" ended without a result'


def test_the_result_of_another_job_is_an_error(bench: Bench) -> None:
    error = failure(bench, job("a", "other"))
    assert "wrote the result of another job, curate sha256:0000" in error.message


GARBAGE = ["", "{", "[]", "null", '{"format_version": 2}', '{"a": NaN}', "[" * 50_000, "\x00"]


@pytest.mark.parametrize("text", GARBAGE)
def test_a_result_that_cannot_be_read_is_an_error(bench: Bench, text: str) -> None:
    error = failure(bench, job("a", "garbage", text=text))
    assert "wrote no readable result" in error.message


def test_a_result_whose_files_are_others_is_an_error(bench: Bench) -> None:
    broken = job("a", "wrong_digest")
    error = failure(bench, broken)
    assert "is not what its worker left" in error.message
    assert "artifacts/out.txt is sha256:" in error.message
    assert not (bench.folder(broken) / "result.json").exists()


def test_a_worker_that_says_what_is_wrong_with_the_world_is_heard(bench: Bench) -> None:
    error = failure(bench, job("a", "error"))
    assert (error.message, error.hint) == ("ninja is not on PATH", "install ninja")


def test_ranks_that_say_what_is_wrong_are_heard_through_torchrun(bench: Bench) -> None:
    account = (
        "E1123 12:14:25.917 1 torch/distributed/elastic/x.py:2] failed\n  exitcode  : 3 (pid: 7)"
    )
    told = job("a", "error", code=1, log=account)
    (failed,) = bench.run(told).world_failed
    assert failed.error.message == "ninja is not on PATH"
    assert failed.log == ()


def test_the_log_of_a_dead_training_ends_before_torchruns_account(bench: Bench) -> None:
    account = "E1123 12:14:25.917 1 torch/distributed/elastic/x.py:2] failed\n====="
    dead = job("a", "error", code=1, text="{", log=account)
    (failed,) = bench.run(dead).world_failed
    assert failed.log == ("hello from curate/a",)


def test_what_a_rank_says_about_a_killed_one_is_not_the_cause(bench: Bench) -> None:
    killed = "  exitcode  : -9 (pid: 7) (SIGKILL)"
    error = failure(bench, job("a", "error", code=1, log=killed))
    assert "one of its ranks was killed by SIGKILL (out of memory?)" in error.message


@pytest.mark.parametrize("text", ["{", "[]", '{"message": 3}', '{"message": "x", "hint": []}'])
def test_a_worker_whose_error_cannot_be_read_died(bench: Bench, text: str) -> None:
    error = failure(bench, job("a", "error", text=text))
    assert 'worker of "curate/a" died with exit code 3' in error.message


@pytest.mark.parametrize("code", [1, 2, 77])
def test_a_worker_that_died_is_shown_with_its_last_lines(bench: Bench, code: int) -> None:
    broken = job("a", "exit", code=code)
    error = failure(bench, broken)
    assert f"died with exit code {code}: boom: 宽" in error.message
    bench.events.clear()
    (failed,) = bench.run(broken).world_failed
    assert failed.log == ("hello from curate/a", "Traceback", "boom: 宽 \x1b[31m")


def test_a_worker_that_died_on_a_full_disk_is_told_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(bench.store.root.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=4096))
    error = failure(bench, job("a", "exit", code=120))
    assert "died with exit code 120: no space is left in" in error.message
    assert "free space, then run again" in error.hint


def test_a_result_before_a_death_does_not_count_now_or_later(bench: Bench, tmp_path: Path) -> None:
    broken = job("a", "result_then_die", count=str(tmp_path / "count"))
    failure(bench, broken)
    assert not (bench.folder(broken) / "result.json").exists()
    failure(bench, broken)
    assert len((tmp_path / "count").read_text().splitlines()) == 2


def test_at_its_timeout_a_worker_ends_with_all_it_started(bench: Bench) -> None:
    slow = job("a", "sleep", resources=Resources(timeout_minutes=1.0 / 60))
    error = failure(bench, slow)
    assert error.message == '"curate/a" was stopped after 0.0166667 minutes, its timeout'
    started = pids(bench.folder(slow))
    assert len(started) == 3
    assert [pid for pid in started if alive(pid)] == []


def test_what_a_worker_leaves_behind_is_ended_too(bench: Bench) -> None:
    leaves = job("a", "leave")
    assert bench.run(leaves).exit_code == 0
    assert [pid for pid in pids(bench.folder(leaves)) if alive(pid)] == []


def test_nothing_of_an_earlier_attempt_leaks_into_the_next(bench: Bench, tmp_path: Path) -> None:
    a = job("a")
    folder = bench.folder(a)
    for stale in ("artifacts/half.bin", "artifacts/deep/x", "checkpoints/1/x", "error.json", "x"):
        (folder / stale).parent.mkdir(parents=True, exist_ok=True)
        (folder / stale).write_text("stale")
    (tmp_path / "precious").write_text("kept")
    (folder / "link").symlink_to(tmp_path)
    (folder / "progress.jsonl").write_text('{"phase": "stale"}\n')
    bench.run(a)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))
    ours = ["job.json", "lock", "log.txt", "owner", "result.json"]
    assert names == ["artifacts", "artifacts/out.txt", *ours]
    assert (tmp_path / "precious").read_text() == "kept"
    assert "stale" not in [e.progress.phase for e in bench.events if e.progress]


def test_checkpoints_of_a_training_are_kept_for_the_next_attempt(bench: Bench) -> None:
    a = job("a", kind="train")
    checkpoint = bench.folder(a) / "checkpoints" / "step-10" / "state"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("ten steps")
    (bench.folder(a) / "artifacts").mkdir()
    (bench.folder(a) / "artifacts" / "half").write_text("stale")
    bench.run(a)
    assert checkpoint.read_text() == "ten steps"
    assert not (bench.folder(a) / "artifacts" / "half").exists()


def test_a_whole_result_without_a_statement_is_kept_and_not_made_again(
    bench: Bench, tmp_path: Path
) -> None:
    first = job("first")
    a = job("a", after=[first], count=str(tmp_path / "count"))
    done = {d.job.id: d.evidence for d in bench.run(first, a).ran}
    shutil.rmtree(bench.store.root / "evidence" / a.closure[7:])
    bench.events.clear()
    report = bench.run(a)
    assert [d.evidence for d in report.ran] == [done["curate/a"]]
    assert report.ran[0].note == "finished by an earlier run that was stopped"
    assert bench.kinds(a) == ["finished"]
    assert (tmp_path / "count").read_text().splitlines() == ["curate/a"]


def test_a_result_whose_files_changed_since_is_made_again(bench: Bench, tmp_path: Path) -> None:
    a = job("a", count=str(tmp_path / "count"))
    bench.run(a)
    for damage in (
        lambda: shutil.rmtree(bench.store.root / "evidence"),
        lambda: None,
    ):
        (bench.folder(a) / "artifacts" / "out.txt").write_text("flipped")
        damage()
        assert bench.run(a).ran[0].note == ""
        assert bench.out(a) != "flipped"
    assert len((tmp_path / "count").read_text().splitlines()) == 3


def test_a_result_forged_over_altered_files_is_not_believed(bench: Bench, tmp_path: Path) -> None:
    a = job("a", count=str(tmp_path / "count"))
    bench.run(a)
    (bench.folder(a) / "artifacts" / "out.txt").write_text("all correct")
    result = json.loads((bench.folder(a) / "result.json").read_text())
    result["artifacts"][0]["digest"] = of_bytes(b"all correct")
    (bench.folder(a) / "result.json").write_text(json.dumps(result))
    report = bench.run(a)
    assert [d.note for d in report.ran] == [""]
    assert bench.out(a) != "all correct"
    assert len((tmp_path / "count").read_text().splitlines()) == 2


@pytest.mark.parametrize("link", ["runs", "runs/{hex}", "evidence", "evidence/{hex}"])
def test_a_link_in_the_place_of_a_folder_is_refused_and_what_it_names_untouched(
    bench: Bench, tmp_path: Path, link: str
) -> None:
    a, precious = job("a"), tmp_path / "home"
    (precious / "deep").mkdir(parents=True)
    (precious / "deep" / "keys").write_text("mine")
    place = bench.store.root / link.format(hex=a.closure[7:])
    place.parent.mkdir(parents=True)
    place.symlink_to(precious)
    error = failure(bench, a)
    assert isinstance(error, StoreError)
    assert "is a link" in error.message
    assert "remove the link" in error.hint
    assert [p.relative_to(precious).as_posix() for p in sorted(precious.rglob("*"))] == [
        "deep",
        "deep/keys",
    ]


def test_a_link_in_the_place_of_the_lock_is_refused(bench: Bench, tmp_path: Path) -> None:
    a = job("a")
    bench.folder(a).mkdir(parents=True)
    (bench.folder(a) / "lock").symlink_to(tmp_path / "elsewhere")
    error = failure(bench, a)
    assert isinstance(error, StoreError)
    assert "move away what stands in its place" in error.hint
    assert not (tmp_path / "elsewhere").exists()


def test_what_a_run_leaves_is_ignored_by_git(bench: Bench) -> None:
    bench.run(job("a"))
    assert (bench.store.root / ".gitignore").read_text() == "*\n"
    (bench.store.root / ".gitignore").write_text("runs/\n")
    bench.run(job("b"))
    assert (bench.store.root / ".gitignore").read_text() == "runs/\n"


def test_a_job_that_was_done_meanwhile_is_reused(bench: Bench, tmp_path: Path) -> None:
    a = job("a", count=str(tmp_path / "count"))
    bench.run(a)
    report = bench.run(a)
    assert [d.note for d in report.reused] == ["done by another run meanwhile"]
    assert len((tmp_path / "count").read_text().splitlines()) == 1


def test_a_damaged_input_fails_the_job_before_its_worker_starts(bench: Bench) -> None:
    a = job("a")
    b = job("b", after=[a])
    bench.run(a)
    (bench.folder(a) / "artifacts" / "out.txt").write_text("flipped")
    error = failure(bench, b)
    assert isinstance(error, StoreError)
    assert "artifacts/out.txt is sha256:" in error.message
    assert "started" not in bench.kinds(b)


def test_a_run_folder_that_cannot_be_made_is_named(bench: Bench) -> None:
    bench.store.root.mkdir()
    (bench.store.root / "runs").write_text("in the way")
    error = failure(bench, job("a"))
    assert isinstance(error, StoreError)
    assert "cannot write" in error.message
    assert "reports/runs/" in error.message
    assert error.exit_code == 3


@pytest.mark.parametrize("name", ["write", "link", "replace", "fsync"])
def test_a_full_disk_is_a_store_error_and_the_run_resumes_afterwards(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    a = job("a", count=str(tmp_path / "count"))

    def full(*args: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device")

    bench.store.prepare()
    with monkeypatch.context() as patch:
        patch.setattr(files.os, name, full)
        error = failure(bench, a)
    assert isinstance(error, StoreError)
    assert "No space left on device" in error.message
    assert a.closure[7:] in error.message
    report = bench.run(a)
    assert report.exit_code == 0
    # Where only the statement could not be written, the work itself is not done again.
    assert len((tmp_path / "count").read_text().splitlines()) == 1


def test_a_worker_that_cannot_be_started_is_an_error_with_its_command(bench: Bench) -> None:
    bench.executor = LocalExecutor(("/nowhere/python",))
    error = failure(bench, job("a"))
    assert isinstance(error, ExecutorError)
    assert "cannot start the worker" in error.message
    assert "/nowhere/python" in error.hint


def test_a_log_that_cannot_be_written_is_a_store_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmops.executors.folder import RunFolder

    a = job("a")
    clean = RunFolder.clean

    def clean_and_block(folder: RunFolder, of: Job) -> None:
        clean(folder, of)
        (folder.path / "log.txt").mkdir()

    monkeypatch.setattr(RunFolder, "clean", clean_and_block)
    error = failure(bench, a)
    assert isinstance(error, StoreError)
    assert "log.txt" in error.message


def test_job_json_says_what_the_contract_says(bench: Bench, tmp_path: Path) -> None:
    first = job("first")
    a = job("a", after=[first], resources=Resources(processes=1, cpu=2, memory="2Gi"))
    bench.run(first, a)
    told = json.loads((bench.folder(a) / "job.json").read_text())
    out = bench.store.artifact(first.closure, "out.txt")
    assert told == {
        "format_version": 1,
        "id": "curate/a",
        "type": "curate",
        "closure": a.closure,
        "spec": {"fake": "ok"},
        "inputs": {"in/first": {"path": str(out), "digest": files.Digests().of(out)}},
        "seed": 0,
        "resources": {
            "processes": 1, "cpu": 2, "memory": "2Gi", "gpu": None, "timeout_minutes": 60.0,
        },
        "tools": {},
    }  # fmt: skip
    assert out.is_absolute()


def test_awkward_folder_names_are_no_trouble(tmp_path: Path) -> None:
    store = Store(tmp_path / "a b\n'宽\"$(x)" / "reports")
    bench = Bench(store, LocalExecutor(FAKE))
    a = job("a")
    b = job("b", after=[a])
    assert bench.run(a, b).exit_code == 0
    assert json.loads(bench.out(b))[0] == "curate/b"


def test_a_store_given_by_a_relative_path_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(Store(Path("reports")), LocalExecutor(FAKE))
    a = job("a", "exit", code=1)
    (failed,) = bench.run(a).world_failed
    assert failed.error.hint == f"see reports/runs/{a.closure[7:]}/log.txt"
    assert os.path.isabs(bench.folder(a))


def test_inputs_are_found_again_for_a_result_that_was_left(bench: Bench) -> None:
    a = job("a")
    b = job("b", after=[a])
    bench.run(a, b)
    before = bench.store.evidence(b.closure)
    shutil.rmtree(bench.store.root / "evidence" / b.closure[7:])
    bench.run(b)
    assert bench.store.evidence(b.closure) == before
    assert isinstance(Inputs(bench.store, bench.fetch, lambda d, f: b"")(b.inputs[0]).path, Path)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches us, also where the suite was started in the background and inherits none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_result_that_was_there_when_the_run_was_stopped_is_kept_by_the_next(
    bench: Bench, tmp_path: Path
) -> None:
    a = job("a", "result_then_sleep", count=str(tmp_path / "count"))
    stop = threading.Thread(
        target=lambda: (wait_for(bench.folder(a) / "written"), os.kill(os.getpid(), signal.SIGINT))
    )
    stop.start()
    with pytest.raises(KeyboardInterrupt):
        bench.run(a)
    stop.join()
    assert bench.store.evidence(a.closure) is None
    assert [d.note for d in bench.run(a).ran] == ["finished by an earlier run that was stopped"]
    assert (tmp_path / "count").read_text().splitlines() == ["curate/a"]
