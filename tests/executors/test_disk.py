"""A disk that is full, sick, read-only or loses power costs a clear error, never a result."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmops.errors import LlmopsError, StoreError
from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.jobs.base import Job
from tests.disk import Failing, Recording, remount, small_disk
from tests.executors.conftest import FAKE, Bench, job
from tests.executors.test_real_worker import ROWS, curation


def bench_in(root: Path) -> Bench:
    return Bench(Store(root), LocalExecutor(FAKE, grace_seconds=0.2))


def finals(root: Path) -> list[Path]:
    """Files under names that readers look at, but for what workers write."""
    named = [*root.glob("evidence/*/[!.]*"), *root.glob("runs/*/job.json")]
    return [*named, *root.glob("blobs/sha256/[!.]*")]


def assert_whole(root: Path) -> None:
    for path in finals(root):
        json.loads(path.read_bytes())


def said(bench: Bench, *jobs: Job) -> LlmopsError | None:
    """How a run of these jobs fails, None if it does not."""
    try:
        failed = bench.run(*jobs).world_failed
    except LlmopsError as error:
        return error
    return failed[0].error if failed else None


NUMBERS = (errno.ENOSPC, errno.EIO, errno.EROFS)


def test_wherever_a_disk_fails_the_error_names_it_and_the_next_run_ends_well(
    tmp_path: Path,
) -> None:
    whole = bench_in(tmp_path / "whole")
    count = tmp_path / "count"
    a = job("a", count=str(count))
    whole.run(a)
    at, failures = 0, 0
    while True:
        at += 1
        number = NUMBERS[at % 3]
        bench = bench_in(tmp_path / f"{at}" / "reports")
        disk = Failing(bench.store.root, at=at, number=number)
        with pytest.MonkeyPatch.context() as patch:
            disk.shim(patch)
            error = said(bench, a)
        if disk.seen < at:
            break
        failures += 1
        assert isinstance(error, StoreError), at
        assert (error.exit_code, os.strerror(number) in error.message) == (3, True)
        assert str(bench.store.root) in error.message
        assert_whole(bench.store.root)
        assert bench.run(a).exit_code == 0, at
        kept = bench.store.evidence(a.closure)
        assert kept == whole.store.evidence(a.closure)
        assert bench.store.notes == ()
    assert failures >= 10
    # Where only evidence could not be written, the work itself was not done again.
    assert len(count.read_text().splitlines()) <= 1 + 2 * failures


def test_a_write_that_fails_says_how_many_bytes_it_was_and_how_many_are_free(
    tmp_path: Path,
) -> None:
    bench = bench_in(tmp_path / "reports")
    bench.store.prepare()
    with pytest.MonkeyPatch.context() as patch:
        Failing(bench.store.root / "evidence", at=1).shim(patch)
        error = said(bench, job("a"))
    assert error is not None
    told = error.message
    assert ".json (" in told
    assert " bytes): No space left on device, " in told
    assert told.endswith(" bytes are free")
    assert "free space" in error.hint


def test_every_state_that_a_crash_leaves_recovers(tmp_path: Path) -> None:
    whole, root, a = bench_in(tmp_path / "whole"), tmp_path / "reports", job("a")
    whole.run(a)
    expected = whole.store.evidence(a.closure)
    root.mkdir()
    (tmp_path / "states").mkdir()
    bench = bench_in(root)
    disk = Recording(root, kept=tmp_path / "states")
    with pytest.MonkeyPatch.context() as patch:
        disk.shim(patch)
        assert said(bench, a) is None
        disk.keep()
    for state in disk.last():
        kept = bench_in(state).store.evidence(a.closure)
        assert kept == expected, f"{state.name}: the run was over, so its evidence is safe"
    states = list(disk.states())
    for state in states:
        found = bench_in(state)
        assert_readable(found.store, state)
        assert found.run(a).exit_code == 0, state.name
        assert found.store.evidence(a.closure) == expected
        assert found.store.missing(a.closure) == frozenset()
    assert len(states) >= 12


def assert_readable(store: Store, state: Path) -> None:
    """Each statement is whole, or is noted and not used."""
    files = [path for path in state.glob("evidence/*/[!.]*") if path.is_file()]
    assert len(store.proven()) + len(store.notes) >= len(files), state.name


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", "192k") as folder:
        yield folder


def test_a_real_worker_on_a_full_disk_says_so_and_goes_on_when_there_is_space(small: Path) -> None:
    rows = ROWS * 100
    bench = Bench(Store(small / "reports"), LocalExecutor(), {"data/bank.jsonl": rows})
    big = curation(rows)
    error = said(bench, big)
    assert error is not None
    assert error.exit_code == 3
    assert "bytes" in error.message
    assert str(small) in error.message
    assert "o space" in error.message
    assert_whole_but_for_inputs(bench.store.root)
    assert bench.store.evidence(big.closure) is None
    remount(small, "size=64m")
    assert bench.run(big).exit_code == 0


def assert_whole_but_for_inputs(root: Path) -> None:
    for path in (*root.glob("evidence/*/[!.]*"), *root.glob("runs/*/job.json")):
        json.loads(path.read_bytes())
    for path in root.glob("blobs/sha256/[!.]*"):
        assert path.read_bytes() in (ROWS, ROWS * 100)


def test_a_read_only_folder_is_named_and_nothing_is_lost(small: Path) -> None:
    bench = bench_in(small / "reports")
    a, b = job("a"), job("b")
    bench.run(a)
    remount(small, "ro")
    error = said(bench, b)
    assert isinstance(error, StoreError)
    assert str(small / "reports/runs") in error.message
    assert "Read-only file system" in error.message
    assert "make the folder writable" in error.hint
    assert bench.store.evidence(a.closure) is not None
    remount(small, "rw")
    assert bench.run(a, b).exit_code == 0
