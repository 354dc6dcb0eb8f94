from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.errors import UsageError
from llmops.jobs.base import Job, Plan, Resources, Step, TreeName
from llmops.jobs.shards import MOST, part, shards
from llmops.specs.base import Ref


def step(number: int, needs: tuple[int, ...] = (), **asked: object) -> Step:
    closures = tuple(f"sha256:{need:064}" for need in needs)
    job = Job(
        "evaluate",
        Ref("Evaluation", f"Q_{number}.x"),
        f"sha256:{number:064}",
        {},
        needs=closures,
        resources=Resources(**asked),  # type: ignore[arg-type]
    )
    return Step(job, "run", "")


def plan(*steps: Step) -> Plan:
    return Plan(None, TreeName("x", "0" * 40), None, (), steps, ())


graphs = st.integers(0, 30).flatmap(
    lambda size: st.tuples(
        *(
            st.sets(st.integers(0, max(n - 1, 0)), max_size=2) if n else st.just(set())
            for n in range(size)
        )
    )
)


@given(graphs)
def test_shards_are_the_connected_parts_of_what_runs(graph: tuple[set[int], ...]) -> None:
    made = plan(*(step(n, tuple(needs)) for n, needs in enumerate(graph)))
    found = shards(made)
    of = {s.job.closure: shard.id for shard in found for s in shard.steps}
    assert sorted(of) == [s.job.closure for s in made.steps], "each job is in one shard"
    near: dict[int, set[int]] = {n: {n} for n in range(len(graph))}
    for _ in graph:  # brute force: whoever is reached from whom
        for n, needs in enumerate(graph):
            for need in needs:
                both = near[n] | near[need]
                for one in both:
                    near[one] = near[one] | both
    for n in near:
        alike = {m for m in near if of[f"sha256:{m:064}"] == of[f"sha256:{n:064}"]}
        assert alike == near[n]


@given(graphs)
def test_the_order_in_a_shard_is_the_plans(graph: tuple[set[int], ...]) -> None:
    for shard in shards(plan(*(step(n, tuple(needs)) for n, needs in enumerate(graph)))):
        closures = [s.job.closure for s in shard.steps]
        assert closures == sorted(closures)


def test_more_groups_than_a_matrix_holds_are_bundled_and_none_is_lost() -> None:
    steps = [step(n, gpu="H100" if n % 3 == 0 else None) for n in range(1000)]
    found = shards(plan(*steps))
    assert len(found) == MOST
    assert len({shard.id for shard in found}) == MOST
    assert sorted(s.job.closure for shard in found for s in shard.steps) == [
        s.job.closure for s in steps
    ]
    mixed = [one for one in found if len({s.job.resources.gpu for s in one.steps}) > 1]
    assert len(mixed) <= 1, "neighbours ask for the same machine"
    assert {len(shard.steps) for shard in found} == {3, 4}


def test_names_hold_no_letter_that_a_workflow_would_read() -> None:
    for shard in shards(plan(*(step(n) for n in range(20)))):
        assert re.fullmatch(r"[a-z0-9-]{1,64}", shard.id)
        assert shard.id.startswith("evaluate-q-")


def test_a_shard_asks_for_the_largest_of_each_and_all_of_the_time() -> None:
    steps = (
        step(0, memory="512Mi", cpu=4, timeout_minutes=5.0),
        step(1, (0,), memory="2Gi", processes=2, gpu="H100", timeout_minutes=10.0),
    )
    (found,) = shards(plan(*steps))
    assert found.resources == Resources(2, 4, "2Gi", "H100", 15.0)


def test_the_same_plan_has_the_same_names_whatever_else_is_in_it() -> None:
    alone = shards(plan(step(1), step(2, (1,))))
    beside = shards(plan(step(1), step(2, (1,)), step(3)))
    assert alone[0] in beside


def test_a_part_has_the_kept_steps_that_it_needs() -> None:
    from dataclasses import replace

    kept, other = replace(step(0), state="reuse"), replace(step(5), state="reuse")
    made = plan(kept, other, step(1, (0,)), step(2))
    names = {len(shard.steps): shard.id for shard in shards(made)}
    first = next(s.id for s in shards(made) if s.steps[0].job.needs)
    assert names
    assert [s.job.closure[-1] for s in part(made, first).steps] == ["0", "1"]
    with pytest.raises(UsageError, match="the plan has no shard"):
        part(made, "x")
