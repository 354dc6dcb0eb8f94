from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.app.queue import TRIES, Entry, Folder, Queue
from llmops.app.subjects import Subject
from llmops.errors import StoreError
from tests.app.conftest import HEAD, REPO, Clock, Memory

ONE, TWO = Subject(REPO, "pull", 1), Subject(REPO, "pull", 2)
OTHER = Subject("octo/other", "pull", 1)


def queue(disk: Memory | None = None, clock: Clock | None = None) -> Queue:
    return Queue(disk or Memory(), clock or Clock())


def waiting(found: Queue) -> list[Subject]:
    return [entry.subject for entry in found.entries()]


def test_ten_events_of_a_subject_are_one_look() -> None:
    disk = Memory()
    found = queue(disk)
    assert [found.put(ONE) for _ in range(10)] == [True] + [False] * 9
    assert found.take() == ONE
    found.done(ONE)
    assert found.take() is None
    assert disk.files == {}


def test_first_come_first_served() -> None:
    found = queue()
    for subject in (TWO, ONE, TWO):
        found.put(subject)
    assert found.take() == TWO
    found.done(TWO)
    assert found.take() == ONE


def test_a_repository_is_worked_on_by_one_at_a_time_and_others_beside_it() -> None:
    found = queue()
    for subject in (ONE, TWO, OTHER):
        found.put(subject)
    assert [found.take(), found.take(), found.take()] == [ONE, OTHER, None]
    found.done(ONE)
    assert found.take() == TWO


def test_what_is_asked_for_while_somebody_looks_is_looked_at_again() -> None:
    disk = Memory()
    found = queue(disk)
    found.put(ONE)
    found.take()
    found.put(ONE)
    found.put(TWO)
    found.done(ONE)
    assert waiting(found) == [TWO, ONE]
    assert len(disk.files) == 2


def test_a_kill_loses_nothing_whatever_was_going_on() -> None:
    disk = Memory()
    found = queue(disk)
    for subject in (ONE, TWO, OTHER):
        found.put(subject)
    found.take()
    found.put(ONE)
    found.failed(ONE, "GitHub is down")
    found.take()
    assert sorted(waiting(queue(disk))) == sorted([ONE, TWO, OTHER])


@pytest.mark.parametrize("at", range(12))
def test_a_disk_that_refuses_at_any_write_leaves_what_was_acknowledged(at: int) -> None:
    disk, acknowledged, finished = Memory(full_after=at), set(), set()
    found = queue(disk)
    for number in range(1, 5):
        subject = Subject(REPO, "pull", number)
        try:
            found.put(subject)
            acknowledged.add(subject)
        except StoreError:
            assert subject not in waiting(found)
    for call in (found.done, lambda one: found.failed(one, "why"), found.done):
        subject = found.take()
        if subject is None:
            break
        try:
            call(subject)
            if call == found.done:
                finished.add(subject)
        except StoreError:
            pass
    assert acknowledged - finished <= set(waiting(queue(disk)))


def test_a_failed_one_comes_back_after_a_longer_wait_each_time() -> None:
    clock = Clock()
    found = queue(clock=clock)
    found.put(ONE)
    waits = []
    for _ in range(TRIES - 1):
        assert found.take() == ONE
        later = found.failed(ONE, "GitHub is down").not_before
        assert later is not None
        waits.append((later - clock.at).total_seconds())
        clock.at = later - timedelta(seconds=1)
        assert found.take() is None
        clock.at = later
    assert waits == [5, 10, 20, 40, 80, 160, 320]


def test_after_so_many_tries_it_is_left_for_an_hour_or_until_somebody_asks() -> None:
    clock, disk = Clock(), Memory()
    found = queue(disk, clock)
    found.put(ONE)
    for _ in range(TRIES):
        assert found.take() == ONE
        left = found.failed(ONE, "GitHub is down")
        clock.at += timedelta(minutes=10)
    assert left.parked
    assert found.take() is None
    assert found.entries()[0].why == "GitHub is down"
    assert queue(disk, clock).take() == ONE, "a new start asks for it"
    clock.at += timedelta(minutes=49)
    assert found.take() is None
    clock.at += timedelta(minutes=2)
    assert found.take() == ONE
    assert found.failed(ONE, "still").parked
    found.put(ONE)
    assert found.take() == ONE, "an event asks for it"


def test_nothing_comes_back_before_it_may_not_even_after_a_new_start() -> None:
    clock, disk = Clock(), Memory()
    found = queue(disk, clock)
    found.put(ONE)
    found.take()
    until = clock.at + timedelta(minutes=40)
    found.failed(ONE, "limit", until=until)
    for held in (found, queue(disk, clock)):
        held.put(ONE)
        clock.at = until - timedelta(seconds=1)
        assert held.take() is None
    clock.at = until
    assert found.take() == ONE


def test_a_clock_that_was_put_back_a_day_keeps_nothing_waiting() -> None:
    clock = Clock()
    found = queue(clock=clock)
    found.put(ONE)
    found.take()
    found.failed(ONE, "GitHub is down")
    clock.at -= timedelta(days=1)
    assert found.take() == ONE


def test_what_needs_a_person_is_left_at_once_and_is_due_if_asked_for_meanwhile() -> None:
    clock = Clock()
    found = queue(clock=clock)
    found.put(ONE)
    found.take()
    found.park(ONE, "no permission")
    assert found.take() is None
    found.put(ONE)
    found.take()
    found.put(ONE)
    found.park(ONE, "no permission")
    assert found.take() == ONE
    found.park(ONE, "no permission")
    clock.at += timedelta(hours=1)
    assert found.take() == ONE


def test_the_folder_holds_the_same_as_the_memory(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "queue")
    found = Queue(folder, Clock())
    subjects = [ONE, TWO, Subject(REPO, "group", sha=HEAD, branch="release/1.x"),
                Subject(REPO, "comment", 7, comment=99)]  # fmt: skip
    for subject in subjects:
        found.put(subject)
    assert waiting(Queue(folder, Clock())) == subjects
    found.take()
    found.done(ONE)
    assert waiting(Queue(folder, Clock())) == subjects[1:]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"{}"],
                         ids=lambda data: repr(data[:9]))  # fmt: skip
def test_a_damaged_file_is_set_aside_and_the_rest_goes_on(tmp_path: Path, data: bytes) -> None:
    folder = Folder(tmp_path)
    Queue(folder, Clock()).put(ONE)
    (tmp_path / "bad.json").write_bytes(data)
    found = Queue(folder, Clock())
    assert (waiting(found), found.damaged) == ([ONE], ("bad.json",))
    assert (tmp_path / "damaged" / "bad.json").read_bytes() == data


def test_a_file_that_names_another_place_is_no_entry() -> None:
    good = Entry(ONE, 1)
    for found in (b'"../../x"', b'"evil repo"', b"7", b"null"):
        with pytest.raises(ValueError, match="repository"):
            Entry.of(good.data().replace(b'"octo/bank"', found))


def test_many_hands_do_each_subject_once() -> None:
    found, seen = queue(), []
    everything = [Subject(f"octo/r{n % 5}", "pull", n) for n in range(1, 101)]

    def put() -> None:
        for subject in everything:
            found.put(subject)

    def work() -> None:
        while (subject := found.take()) is not None:
            seen.append(subject)
            found.done(subject)

    put()
    hands = [threading.Thread(target=work) for _ in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    work()
    assert sorted(seen) == sorted(everything)


WORDS = ("put", "take", "done", "put", "take", "done", "failed", "park", "restart", "full", "later")
MOVES = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 2)), min_size=8, max_size=40)


@settings(max_examples=300)
@given(MOVES)
def test_whatever_happens_what_was_acknowledged_is_looked_at_afterwards(moves) -> None:
    """Against a model that only knows: acknowledged, and no finished look began since."""
    clock, disk = Clock(), Memory()
    found, owed, begun, at = queue(disk, clock), {}, {}, 0
    for at, (what, number) in enumerate(moves):
        subject = Subject(REPO if number % 2 else "octo/other", "pull", number)
        held = found.working()[:1]
        try:
            if what == "put":
                found.put(subject)
                owed[subject] = at
            elif what == "take" and (taken := found.take()):
                begun[taken] = at
            elif what == "restart":
                disk.full_after = 1 << 60
                found, begun = queue(disk, clock), {}
            elif what == "full":
                disk.full_after = number - 1
            elif what == "later":
                clock.at += timedelta(minutes=20 * number)
            elif held and what == "done":
                if owed.get(held[0], -1) < begun[held[0]]:
                    owed.pop(held[0], None)
                found.done(held[0])
            elif held and what in ("failed", "park"):
                getattr(found, what)(held[0], "why")
        except StoreError:
            pass
    for survivor in (queue(disk, clock), found):
        seen = set(survivor.working())
        clock.at += timedelta(hours=2)
        for one in survivor.working():
            survivor.park(one, "as it is")
        while (subject := survivor.take()) is not None:
            seen.add(subject)
            disk.full_after = 1 << 60
            survivor.done(subject)
        assert owed.keys() <= seen
