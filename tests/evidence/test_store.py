"""The store keeps what was found, whole or not at all, and trusts no byte unseen."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_bytes, of_file
from llmops.errors import StoreError
from llmops.evidence import files
from llmops.evidence.store import Store
from llmops.jobs.base import Artifact
from tests.evidence.conftest import Maker, Run


def statements(store: Store) -> list[Path]:
    return sorted((store.root / "evidence").glob("*/*.json"))


def test_what_is_kept_is_found_again_by_its_closure(store: Store, make: Maker) -> None:
    job, result = make.run(files={"rows.jsonl": b"1\n", "parts/a b.jsonl": b"2\n"})
    inputs = {"cases": of_bytes(b"cases")}
    kept = store.keep(job, result, inputs)
    again = Store(store.root)
    assert again.evidence(job.closure) == kept
    assert kept.result == result
    assert kept.inputs == inputs
    assert dict(again.proven()) == {job.closure: kept}
    assert again.proofs()[job.closure].measured == {"accuracy": 0.75}
    assert again.notes == ()


def test_a_statement_is_named_by_the_digest_of_its_bytes(store: Store, make: Maker) -> None:
    job, result = make.run()
    kept = store.keep(job, result)
    (path,) = statements(store)
    assert path.parent.name == job.closure[7:]
    assert f"sha256:{path.stem}" == of_file(path) == kept.digest


def test_keeping_twice_changes_nothing(store: Store, make: Maker) -> None:
    job, result = make.run()
    assert store.keep(job, result) == store.keep(job, result)
    assert len(statements(store)) == 1


def test_an_empty_store_proves_nothing(store: Store) -> None:
    closure = of_bytes(b"x")
    assert store.evidence(closure) is None
    assert closure not in store.proven()
    assert len(store.proven()) == 0
    assert store.missing(closure, ["rows.jsonl"]) == {"rows.jsonl"}
    with pytest.raises(StoreError, match="no evidence"):
        store.artifact(closure, "rows.jsonl")


def test_every_flipped_byte_of_a_statement_takes_the_proof_away(store: Store, make: Maker) -> None:
    job, result = make.run()
    store.keep(job, result)
    (path,) = statements(store)
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        fresh = Store(store.root)
        assert fresh.evidence(job.closure) is None
        assert job.closure not in fresh.proven()
        assert "holds other bytes than its name says; not used" in fresh.notes[0]
    path.write_bytes(good)
    assert store.evidence(job.closure) is not None


@pytest.mark.parametrize("data", [b"", b"null", b"{}", b"NaN", b"\xff", b"[" * 99_999, b"{" * 9])
def test_what_is_no_statement_is_noted_and_not_used(store: Store, make: Maker, data: bytes) -> None:
    job, _ = make.run()
    path = store.root / "evidence" / job.closure[7:] / f"{of_bytes(data)[7:]}.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert store.evidence(job.closure) is None
    assert "is no statement of ours" in store.notes[0]


def test_a_statement_filed_under_another_closure_is_not_used(store: Store, make: Maker) -> None:
    store.keep(*make.run("a"))
    (path,) = statements(store)
    other = of_bytes(b"b")
    (store.root / "evidence" / other[7:]).mkdir()
    shutil.copy(path, store.root / "evidence" / other[7:] / path.name)
    assert store.evidence(other) is None
    assert "is about another closure" in store.notes[0]


def test_a_pipe_or_a_folder_in_a_statements_place_does_not_block(store: Store, make: Maker) -> None:
    job, _ = make.run()
    folder = store.root / "evidence" / job.closure[7:]
    (folder / ("0" * 64 + ".json")).mkdir(parents=True)
    os.mkfifo(folder / ("1" * 64 + ".json"))
    assert store.evidence(job.closure) is None
    assert len(store.notes) == 2


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def link(path: Path) -> None:
    moved = path.rename(path.parent.parent / "moved")
    path.symlink_to(moved)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def parent_link(path: Path) -> None:
    moved = path.parent.rename(path.parent.parent / "elsewhere")
    path.parent.symlink_to(moved)


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink, link, pipe, parent_link])
def test_a_damaged_artifact_is_missing_and_never_handed_out(
    store: Store, make: Maker, damage: Callable[[Path], None]
) -> None:
    job, result = make.run(files={"m/weights": b"0123456789", "other": b"1"})
    store.keep(job, result)
    path = store.artifact(job.closure, "m/weights")
    assert path.read_bytes() == b"0123456789"
    damage(path)
    for fresh in (store, Store(store.root)):
        assert fresh.missing(job.closure) == {"m/weights"}
        assert fresh.missing(job.closure, ["other"]) == frozenset()
        assert fresh.proofs()[job.closure].missing == {"m/weights"}
        with pytest.raises(StoreError, match="m/weights"):
            fresh.artifact(job.closure, "m/weights")
    assert store.artifact(job.closure, "other").read_bytes() == b"1"


def test_damage_is_noted_but_absence_is_not(store: Store, make: Maker) -> None:
    job, result = make.run(files={"a": b"1", "b": b"2"})
    store.keep(job, result)
    store.artifact(job.closure, "a").unlink()
    flip(store.artifact(job.closure, "b"))
    assert store.missing(job.closure) == {"a", "b"}
    (note,) = store.notes
    assert "artifacts/b is sha256:" in note


@pytest.mark.parametrize("damage", [flip, Path.unlink, link])
def test_a_folder_is_missing_when_any_file_in_it_is_damaged(
    store: Store, make: Maker, damage: Callable[[Path], None]
) -> None:
    job, result = make.run(files={"model/a": b"12", "model/deep/b": b"34"}, folders=("model",))
    store.keep(job, result)
    folder = store.artifact(job.closure, "model")
    damage(folder / "deep" / "b")
    assert store.missing(job.closure) == {"model", "model/deep/b"}


def test_a_file_that_was_added_to_a_folder_makes_it_another(store: Store, make: Maker) -> None:
    job, result = make.run(files={"model/a": b"12"}, folders=("model",))
    store.keep(job, result)
    (store.artifact(job.closure, "model") / "more").write_bytes(b"")
    assert store.missing(job.closure) == {"model"}


def test_an_artifact_that_no_job_made_is_named(store: Store, make: Maker) -> None:
    job, result = make.run()
    store.keep(job, result)
    with pytest.raises(StoreError, match='made no artifact "adapter"') as caught:
        store.artifact(job.closure, "adapter")
    assert caught.value.hint == "it made rows.jsonl"


@pytest.mark.parametrize("damage", [flip, Path.unlink, link, pipe])
def test_a_result_whose_files_are_others_is_not_kept(
    store: Store, make: Maker, damage: Callable[[Path], None]
) -> None:
    job, result = make.run(files={"rows.jsonl": b"rows"})
    damage(store.run_folder(job.closure) / "artifacts" / "rows.jsonl")
    with pytest.raises(StoreError, match="cannot be kept"):
        store.keep(job, result)
    assert statements(store) == []


def test_a_result_of_another_job_is_not_kept(store: Store, make: Maker) -> None:
    job, _ = make.run("a")
    with pytest.raises(StoreError, match="cannot be kept"):
        store.keep(job, make.run("b").result)
    outside = replace(make.run("a").result, artifacts=(Artifact("../../x", of_bytes(b""), 0),))
    with pytest.raises(StoreError, match="not a path below"):
        store.keep(job, outside)
    assert statements(store) == []


def test_when_a_job_ran_again_the_statement_whose_files_are_there_counts(
    store: Store, make: Maker
) -> None:
    old = make.run(files={"rows.jsonl": b"old"}, finished_at="2026-11-22T09:00:00Z")
    first = store.keep(*old)
    store.artifact(old.job.closure, "rows.jsonl").unlink()
    assert store.missing(old.job.closure) == {"rows.jsonl"}
    # The clock went back in between: place counts before time.
    new = make.run(files={"rows.jsonl": b"new"}, finished_at="2026-11-22T08:00:00Z")
    second = store.keep(*new)
    assert len(statements(store)) == 2
    assert store.evidence(old.job.closure) == second != first
    assert store.artifact(old.job.closure, "rows.jsonl").read_bytes() == b"new"


def test_damaged_bytes_under_a_statements_name_are_mended_by_keeping_again(
    store: Store, make: Maker
) -> None:
    run = make.run()
    kept = store.keep(*run)
    flip(statements(store)[0])
    assert store.evidence(run.job.closure) is None
    assert store.keep(*run) == kept
    assert store.evidence(run.job.closure) == kept


class Failing:
    """Fails the k-th call that changes a file, as a full or a dying disk would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> None:
        self.count, self.at, self.error = 0, at, error
        for name in ("write", "fsync", "link", "replace", "unlink", "mkdir"):
            monkeypatch.setattr(files.os, name, self.wrap(getattr(os, name)))
        monkeypatch.setattr(files.os, "open", self.wrap(os.open, only_writes=True))

    def wrap(self, real: Callable[..., Any], only_writes: bool = False) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if only_writes and not args[1] & os.O_WRONLY:
                return real(*args, **more)
            self.count += 1
            if self.count == self.at:
                raise self.error
            return real(*args, **more)

        return call


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_anywhere_leaves_nothing_partial(
    store: Store, make: Maker, error: BaseException
) -> None:
    """Every k-th call fails in turn, until a run needs fewer than k calls and succeeds."""
    finished, failures = False, []
    for at in range(1, 20):
        shutil.rmtree(store.root, ignore_errors=True)
        run = make.run()
        with pytest.MonkeyPatch.context() as patch:
            shim = Failing(patch, at, error)
            try:
                store.keep(*run)
            except (StoreError, KeyboardInterrupt) as stopped:
                failures.append(stopped)
            finished = shim.count < at
        fresh = Store(store.root)
        assert fresh.evidence(run.job.closure) in (None, store.keep(*run))
        assert fresh.notes == ()
        if finished:
            break
    assert finished
    assert len(failures) >= 5
    for failure in failures:
        if isinstance(failure, StoreError):
            assert "No space left on device" in failure.message
            assert f"evidence/{run.job.closure[7:]}" in failure.message
            assert failure.exit_code == 3


@pytest.mark.parametrize("name", ["open", "write", "fsync", "link"])
def test_each_step_of_a_write_that_fails_is_an_error_and_leaves_no_file(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = make.run()

    def fail(*args: Any, **more: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, name, fail)
        with pytest.raises(StoreError, match="Input/output error"):
            store.keep(*run)
    assert not list((store.root / "evidence").glob("*/*.json"))
    assert store.keep(*run) == store.evidence(run.job.closure)


def test_a_write_that_is_cut_short_goes_on(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(files.os, "write", lambda fd, data: real(fd, bytes(data[:100])))
    run = make.run()
    kept = store.keep(*run)
    assert Store(store.root).evidence(run.job.closure) == kept


def test_a_folder_that_cannot_be_written_is_named(
    store: Store, make: Maker, tmp_path: Path
) -> None:
    run = make.run()
    (store.root / "evidence").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write .*/evidence/") as caught:
        store.keep(*run)
    assert "move away what stands in its place" in caught.value.hint
    assert store.evidence(run.job.closure) is None


def test_many_keepers_at_once_leave_one_statement(store: Store, make: Maker) -> None:
    runs: list[Run] = [make.run(str(i)) for i in range(5)]
    errors: list[BaseException] = []

    def keep() -> None:
        try:
            for run in runs:
                store.keep(*run)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=keep) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(statements(store)) == 5
    assert not list((store.root / "evidence").rglob(".*"))
    assert set(store.proven()) == {run.job.closure for run in runs}


def test_what_is_not_a_closure_in_the_evidence_folder_is_passed_over(
    store: Store, make: Maker
) -> None:
    run = make.run()
    store.keep(*run)
    (store.root / "evidence" / "README").write_text("x")
    (store.root / "evidence" / ("Z" * 64)).mkdir()
    (store.root / "evidence" / run.job.closure[7:] / ".half.tmp").write_text("{")
    assert list(store.proven()) == [run.job.closure]
    assert store.notes == ()


def test_a_remembered_digest_is_not_believed_after_a_change(store: Store, make: Maker) -> None:
    job, result = make.run(files={"rows.jsonl": b"0123"})
    store.keep(job, result)
    path = store.artifact(job.closure, "rows.jsonl")
    past = path.stat().st_mtime_ns - 10**12
    for _ in range(50):
        assert store.missing(job.closure) == frozenset()
        path.write_bytes(b"3210")
        os.utime(path, ns=(past, past))
        assert store.missing(job.closure) == {"rows.jsonl"}
        path.write_bytes(b"0123")
        os.utime(path, ns=(past, past))


class Frozen:
    """`lstat` as a file system with coarse times would answer: the same before and after."""

    def __init__(self, path: Path, changed_ns: int) -> None:
        self.real, self.changed_ns = os.lstat(path), changed_ns

    def __call__(self, path: Path) -> Any:
        return self

    def __getattr__(self, name: str) -> int:
        if name in ("st_mtime_ns", "st_ctime_ns"):
            return self.changed_ns
        return int(getattr(self.real, name))


def test_a_digest_is_remembered_only_once_a_file_has_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123")
    for age_ns, remembered in ((10**7, False), (10**10, True)):
        digests = files.Digests()
        path.write_bytes(b"0123")
        with monkeypatch.context() as patch:
            patch.setattr(files.os, "lstat", Frozen(path, time.time_ns() - age_ns))
            before = digests.of(path)
            path.write_bytes(b"3210")
            assert (digests.of(path) == before) == remembered


def test_a_settled_file_whose_times_were_set_back_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123")
    past = path.stat().st_mtime_ns - 10**12
    os.utime(path, ns=(past, past))
    digests = files.Digests()
    monkeypatch.setattr(files.time, "time_ns", lambda: past + 10**15)  # long ago, by this clock
    assert digests.of(path) == of_bytes(b"0123")
    time.sleep(0.02)
    path.write_bytes(b"3210")
    os.utime(path, ns=(past, past))
    assert digests.of(path) == of_bytes(b"3210")
