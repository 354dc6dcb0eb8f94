"""All permutations of ten webhook events end in the same state, doubled and dropped ones too.

`test_every_order_..._at_any_speed` walks every state that the service can reach while the world
moves and events arrive late, in any order, any number of times, with workers that empty the queue
at any moment: each of the 10! orders is a path in it. States are merged by all that the future
depends on (`orders.Snapshot`); that merging is held against literal enumeration on shorter stories,
and, marked slow, against all 3,628,800 orders one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.orders import (
    EVENTS,
    PULL,
    RIGHT,
    SUBJECTS,
    SWEEP,
    WORLDS,
    Machine,
    Published,
    Snapshot,
)

LAST = len(EVENTS)
State = tuple[int, int, int]  # moves of the world, events delivered (bits), a snapshot's number


def moves(machine: Machine, state: State, last: int = LAST) -> Iterator[State]:
    """The world moves on, an event that was emitted arrives (again), or the workers work."""
    time, delivered, at = state
    if time < last:
        yield time + 1, delivered, at
    for number in range(time):
        yield time, delivered | 1 << number, machine.deliver(at, number)
    yield time, delivered, machine.drain(at, time)


def reachable(machine: Machine, last: int = LAST) -> set[State]:
    """Every state of a story of `last` events."""
    start: State = (0, 0, 0)
    found, todo = {start}, [start]
    while todo:
        for after in moves(machine, todo.pop(), last):
            if after not in found:
                found.add(after)
                todo.append(after)
    return found


def published(machine: Machine, at: int) -> Published:
    return machine.known[at].published


def ends(machine: Machine, states: set[State], last: int = LAST) -> set[Published]:
    """What is published where every event has arrived and the workers are done."""
    return {
        published(machine, machine.drain(at, time))
        for time, delivered, at in states
        if time == last and delivered == 2**last - 1
    }


def test_every_order_of_ten_events_ends_in_the_same_state_at_any_speed() -> None:
    machine = Machine(ordered=False)
    states = reachable(machine)
    assert len(states) > 100_000
    assert ends(machine, states) == {RIGHT}
    dropped = {machine.sweep(at, time) for time, _, at in states if time == LAST}
    told = {frozenset(dict(published(machine, at)).items()) for at in dropped}
    assert {dict(one).get("pull", "closed") for one in told} == {"closed"}
    assert {dict(one)["group"] for one in told} == {"judged"}
    assert {dict(one)["landed"] for one in told} == {dict(RIGHT)["landed"]}


def test_the_order_in_the_queue_changes_nothing_of_what_is_published() -> None:
    """So states that differ in it alone may be merged."""
    machine = Machine()
    for time, world in enumerate(WORLDS):
        for size in range(2, len(SUBJECTS) + 1) if time in (5, LAST) else (2,):
            ended: dict[frozenset[object], set[int]] = {}
            for order in permutations(SUBJECTS, size):
                after = machine.drain(machine.id(Snapshot(order)), time)
                ended.setdefault(frozenset(order), set()).add(after)
            assert {len(one) for one in ended.values()} == {1}, (time, world)


@pytest.mark.parametrize("last", [4, 5])
def test_merged_states_end_as_a_literal_enumeration_does(last: int) -> None:
    """Every order of the first events, with workers after each subset of the deliveries."""
    machine, merged = Machine(), Machine(ordered=False)
    literal = set()
    for order in permutations(range(last)):
        for worked in range(2**last):
            at = 0
            for place, number in enumerate(order):
                at = machine.deliver(at, number)
                at = machine.drain(at, last) if worked >> place & 1 else at
            literal.add(published(machine, machine.drain(at, last)))
    assert literal == ends(merged, reachable(merged, last), last)
    assert len(literal) == 1


def test_a_service_that_believes_events_fails_this_test() -> None:
    broken = Machine(levels=False, ordered=False)
    assert len(ends(broken, reachable(broken, 7), 7)) > 1


@given(st.lists(st.sampled_from(range(LAST)), min_size=LAST, max_size=10 * LAST), st.data())
def test_duplicates_in_any_order_end_in_the_same_state(
    order: list[int], data: st.DataObject
) -> None:
    at = 0
    for number in [*order, *range(LAST)]:
        at = MACHINE.deliver(at, number)
        if data.draw(st.booleans()):
            at = MACHINE.drain(at, LAST)
    assert published(MACHINE, MACHINE.drain(at, LAST)) == RIGHT


MACHINE = Machine()


def test_each_event_ten_times_is_one_look_at_each_subject() -> None:
    at = 0
    for number in [n for n in range(LAST) for _ in range(10)]:
        at = MACHINE.deliver(at, number)
    assert sorted(MACHINE.known[at].waiting) == sorted(SUBJECTS)


def test_the_story_is_one_in_which_order_could_matter() -> None:
    judged = {frozenset(world.judge(PULL).items()) for world in WORLDS[1:]}
    assert len(judged) >= 6
    assert LAST == 10
    assert SWEEP.kind == "sweep"


@pytest.mark.slow
def test_all_3628800_orders_one_by_one() -> None:
    """Once with the workers after each delivery, once with them at the end."""
    machine, count = Machine(), 0
    right = machine.id(Snapshot((), RIGHT))
    for order in permutations(range(LAST)):
        eager = late = 0
        for number in order:
            eager = machine.drain(machine.deliver(eager, number), LAST)
            late = machine.deliver(late, number)
        assert eager == right
        assert machine.drain(late, LAST) == right
        count += 1
    assert count == 3_628_800
