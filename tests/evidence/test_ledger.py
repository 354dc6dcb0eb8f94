"""The ledger on a disk: whoever writes, fails, dies or meddles, entries are whole and in a row."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.digest import canonical
from llmops.errors import StoreError
from llmops.evidence.ledger import Damaged, Ledger
from llmops.jobs.attempts import Attempt, ClaimName, Decided, Entry, Granted
from tests.disk import Failing, Recording

ROOT = Path(__file__).parents[2]
CLAIM = ClaimName("Application/bot", "Evaluation/quality/准确率")
ATTEMPT = Attempt(
    CLAIM, ("sha256:a", "sha256:b"), 1, 3, "0.025", 300, "Policy/default", "sha256:p", "tree", None,
    "pr-1", "2026-11-23T08:00:00Z",
)  # fmt: skip
ENTRIES: tuple[Entry, ...] = (
    ATTEMPT,
    Decided(CLAIM, "sha256:a", "passed", "tree", "2026-11-23T08:00:00Z"),
    Granted(CLAIM, "sha256:a", 4, "Policy/default/more", ("wang", "李"), "2026-11-23T08:00:00Z"),
)


def filled(reports: Path, count: int = 5) -> Ledger:
    ledger = Ledger(reports)
    for i in range(count):
        ledger.append(lambda _, i=i: ENTRIES[i % 3])
    return ledger


def path(reports: Path, number: int) -> Path:
    return reports / "ledger" / f"{number:08}.json"


def test_entries_come_back_as_they_were_written(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    assert Ledger(tmp_path).entries() == ENTRIES
    assert sorted(os.listdir(tmp_path / "ledger")) == [
        "00000001.json", "00000002.json", "00000003.json", "checkpoint.json"
    ]  # fmt: skip


def test_a_ledger_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "none").entries() == ()
    assert not (tmp_path / "none").exists()


def test_each_entry_names_the_one_before(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    kept = ledger.kept()
    assert kept[0].previous is None
    assert [one.previous for one in kept[1:]] == [one.digest for one in kept[:-1]]
    assert ledger.tip.digest == kept[-1].digest


def test_nothing_is_written_where_nothing_is_wanted(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 2)
    assert ledger.append(lambda known: None if len(known) == 2 else ATTEMPT) is None
    assert len(Ledger(tmp_path).entries()) == 2


def test_who_was_slower_is_asked_again(tmp_path: Path) -> None:
    slow, asked = filled(tmp_path, 1), []

    def wanted(known: tuple[Entry, ...]) -> Entry | None:
        asked.append(len(known))
        if len(asked) == 1:
            filled(tmp_path, 1)  # somebody else, meanwhile
        return ATTEMPT if len(known) < 2 else None

    assert slow.append(wanted) is None
    assert asked == [1, 2]
    assert len(slow.entries()) == 2


# ---- damage ------------------------------------------------------------------------------------


def edited(reports: Path) -> None:
    file = path(reports, 2)
    file.write_bytes(file.read_bytes().replace(b"passed", b"warned"))


def rewritten(reports: Path) -> None:
    """The last entry, whole and with the right entry before it, but another one."""
    file = path(reports, 5)
    file.write_bytes(file.read_bytes().replace(b"passed", b"warned"))


def spaced(reports: Path) -> None:
    file = path(reports, 5)
    file.write_bytes(json.dumps(json.loads(file.read_bytes())).encode())


def swapped(reports: Path) -> None:
    one, two = path(reports, 1), path(reports, 2)
    one.rename(reports / "x")
    two.rename(one)
    (reports / "x").rename(two)


def linked(reports: Path) -> None:
    file = path(reports, 3)
    file.rename(reports / "elsewhere")
    file.symlink_to(reports / "elsewhere")


def folder_linked(reports: Path) -> None:
    (reports / "ledger").rename(reports / "elsewhere")
    (reports / "ledger").symlink_to(reports / "elsewhere")


def piped(reports: Path) -> None:
    path(reports, 3).unlink()
    os.mkfifo(path(reports, 3))


def with_float(reports: Path) -> None:
    data = json.loads(path(reports, 5).read_bytes())
    data["number"] = 5.5
    path(reports, 5).write_bytes(canonical(data))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (edited, "00000003.json does not follow the entry before it"),
    "the last one edited": (rewritten, "00000005.json is not the one that was written"),
    "written otherwise": (spaced, "00000005.json is no entry: it is not written as canonical JSON"),
    "the first removed": (lambda r: path(r, 1).unlink(), "00000001.json is gone"),
    "one removed": (lambda r: path(r, 3).unlink(), "00000003.json is gone"),
    "the last removed": (lambda r: path(r, 5).unlink(), "00000005.json is gone"),
    "all removed": (lambda r: [path(r, i).unlink() for i in range(1, 6)], "00000001.json is gone"),
    "swapped": (swapped, "00000001.json is entry 2"),
    "torn": (lambda r: path(r, 5).write_bytes(path(r, 5).read_bytes()[:40]), "is no entry"),
    "empty": (lambda r: path(r, 5).write_bytes(b""), "00000005.json is no entry"),
    "deep": (lambda r: path(r, 5).write_bytes(b"[" * 100_000), "00000005.json is no entry"),
    "not text": (lambda r: path(r, 5).write_bytes(b"\xff"), "00000005.json is no entry"),
    "no number": (with_float, "00000005.json is no entry"),
    "a foreign file": (lambda r: (r / "ledger/notes.txt").write_text("x"), "notes.txt is none"),
    "a foreign number": (lambda r: (r / "ledger/6.json").write_text("{}"), "6.json is none"),
    "a gap": (lambda r: path(r, 7).write_text("{}"), "00000006.json is gone"),
    "a folder": (lambda r: path(r, 6).mkdir(), "00000006.json is no regular file"),
    "a link": (linked, "00000003.json is no regular file"),
    "a folder that is a link": (folder_linked, "ledger is a link"),
    "a pipe": (piped, "00000003.json is no regular file"),
    "a file for the folder": (
        lambda r: ((r / "ledger").rename(r / "x"), (r / "ledger").write_text("")), "is no"
    ),
    "an odd checkpoint": (
        lambda r: (r / "ledger/checkpoint.json").write_text('{"count":-1,"last":""}'),
        "checkpoint.json is none of ours",
    ),
    "no checkpoint": (lambda r: (r / "ledger/checkpoint.json").write_text("5"), "none of ours"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_and_takes_no_entry(tmp_path: Path, name: str) -> None:
    filled(tmp_path)
    spoil, told = DAMAGE[name]
    spoil(tmp_path)
    before = sorted(os.listdir(tmp_path / "ledger")) if (tmp_path / "ledger").is_dir() else []
    for act in (lambda ledger: ledger.entries(), lambda ledger: ledger.append(lambda _: ATTEMPT)):
        with pytest.raises(Damaged) as said:
            act(Ledger(tmp_path))
        assert told in said.value.message
        assert said.value.hint
    after = sorted(os.listdir(tmp_path / "ledger")) if (tmp_path / "ledger").is_dir() else []
    assert after == before


def test_every_flipped_bit_of_every_entry_is_found(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    for number in (1, 2, 3):
        file = path(tmp_path, number)
        data = file.read_bytes()
        for place in range(len(data)):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(Damaged):
                Ledger(tmp_path).entries()
        file.write_bytes(data)
    assert Ledger(tmp_path).entries() == ENTRIES


def test_an_entry_of_another_shape_is_none_of_ours(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    good = json.loads(path(tmp_path, 1).read_bytes())
    entry = good["entry"]
    for wrong in (
        {**good, "kind": "waiver"}, {**good, "kind": ["attempt"]}, {**good, "more": 1}, [good],
        {**good, "format_version": 2}, {**good, "previous": "x"}, {**good, "entry": {}},
        {**good, "entry": {**entry, "closures": []}}, {**good, "entry": {**entry, "attempt": 0}},
        {**good, "entry": {**entry, "level": "1.5"}}, {**good, "entry": {**entry, "level": "nan"}},
        {**good, "entry": {**entry, "attempt": True}},
    ):  # fmt: skip
        path(tmp_path, 1).write_bytes(canonical(wrong))
        with pytest.raises(Damaged, match="no entry"):
            Ledger(tmp_path).entries()


# ---- a disk that fails, a machine that dies ------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_at_any_operation_leaves_whole_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for at in range(1, 40):
        reports = tmp_path / str(at)
        filled(reports, 2)
        disk = Failing(reports, at=at, number=number)
        with monkeypatch.context() as patch:
            disk.shim(patch)
            said = _failure(lambda reports=reports: filled(reports, 2))
        failed = said is not None
        assert failed is (disk.seen >= at)
        assert not isinstance(said, Damaged)
        assert said is None or said.exit_code == 3
        kept = Ledger(reports).entries()
        assert kept[:2] == ENTRIES[:2]
        assert 2 <= len(kept) <= 4
        filled(reports, 1)  # and it takes entries again
        if not failed:
            return
    raise AssertionError("the last operation was not reached")


def _failure(act: Callable[[], object]) -> StoreError | None:
    try:
        act()
    except StoreError as error:
        return error
    return None


def test_no_loss_of_power_damages_what_was_told_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, kept = tmp_path / "reports", tmp_path / "kept"
    reports.mkdir()
    disk, told = Recording(reports, kept=kept), []
    with monkeypatch.context() as patch:
        disk.shim(patch)
        ledger = Ledger(reports)
        for entry in ENTRIES:
            ledger.append(lambda _, entry=entry: entry)
            told.append(disk.count)
    disk.keep()
    for state in disk.states():
        entries = Ledger(state).entries()
        assert entries == ENTRIES[: len(entries)]
        written = sum(int(state.name.split()[0]) > count for count in told)
        assert len(entries) >= written
    assert all(len(Ledger(state).entries()) == 3 for state in disk.last())


WRITER = """
import sys
from pathlib import Path
from llmops.evidence.ledger import Ledger
from llmops.jobs.attempts import ClaimName, Decided

name, count = sys.argv[2], int(sys.argv[3])
ledger = Ledger(Path(sys.argv[1]))
for i in range(count):
    ledger.append(lambda _: Decided(ClaimName(name, str(i)), name, "passed", "t", "now"))
    print(i, flush=True)
"""


def writer(reports: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(reports), name, str(count)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("writers", "each"), [(6, 30), pytest.param(20, 50, marks=pytest.mark.slow)]
)
def test_many_writers_at_once_lose_nothing_and_leave_no_gap(
    tmp_path: Path, writers: int, each: int
) -> None:
    running = [writer(tmp_path, f"w{i}", each) for i in range(writers)]
    assert [one.wait(timeout=300) for one in running] == [0] * writers
    for one in running:
        one.stdout.close()  # type: ignore[union-attr]
    entries = Ledger(tmp_path).entries()
    assert len(entries) == writers * each
    by: dict[str, list[str]] = {}
    for entry in entries:
        assert isinstance(entry, Decided)
        by.setdefault(entry.claim.target, []).append(entry.claim.gate)
    assert by == {f"w{i}": [str(n) for n in range(each)] for i in range(writers)}


def test_a_writer_that_is_killed_leaves_whole_entries_and_no_lock(tmp_path: Path) -> None:
    dice, told = random.Random(7), 0
    for round_ in range(10):
        one = writer(tmp_path, f"r{round_}", 10_000)
        assert one.stdout is not None
        one.stdout.readline()
        time.sleep(dice.random() * 0.05)
        one.send_signal(signal.SIGKILL)
        said = 1 + len(one.stdout.read().splitlines())
        one.wait()
        one.stdout.close()
        entries = Ledger(tmp_path).entries()
        own = [e for e in entries if isinstance(e, Decided) and e.closure == f"r{round_}"]
        assert said <= len(own) <= said + 1
        told += len(own)
    assert len(Ledger(tmp_path).entries()) == told


def test_who_dies_while_other_entries_take_the_place_of_these_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, kept = tmp_path / "reports", tmp_path / "kept"
    filled(reports, 2)
    theirs = filled(tmp_path / "theirs", 1)
    theirs.append(lambda _: ENTRIES[2])
    theirs.append(lambda _: ENTRIES[1])
    other = tuple(theirs.kept())
    disk = Recording(reports, kept=kept)
    with monkeypatch.context() as patch:
        disk.shim(patch)
        assert Ledger(reports).follow(lambda own: other) == 2
    disk.keep()
    seen = set()
    for state in sorted(kept.glob("* as it was")):
        entries = Ledger(state).entries()
        assert entries in (ENTRIES[:2], (ENTRIES[0], ENTRIES[2], ENTRIES[1])), state.name
        seen.add(entries)
        assert Ledger(state).append(lambda _: ATTEMPT) == ATTEMPT
    assert len(seen) == 2, "before and after, and nothing in between"


def test_who_holds_an_older_end_sees_what_took_its_place(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    mine = filled(reports, 2)
    theirs = filled(tmp_path / "theirs", 1)
    theirs.append(lambda _: ENTRIES[2])
    Ledger(reports).follow(lambda own: tuple(theirs.kept()))
    assert mine.entries() == (ENTRIES[0], ENTRIES[2])
    assert mine.append(lambda known: ENTRIES[1] if len(known) == 2 else None) == ENTRIES[1]
    assert Ledger(reports).entries() == (ENTRIES[0], ENTRIES[2], ENTRIES[1])
