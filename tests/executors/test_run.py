"""Every job once, in order of need, and what happens to the others when one fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.errors import StoreError
from llmops.executors.base import Event
from llmops.executors.run import EXECUTORS
from llmops.jobs.base import Job, Resources, Step
from tests.executors.conftest import Bench, job


def test_jobs_run_in_the_order_of_need_and_read_what_others_made(bench: Bench) -> None:
    a = job("a")
    b = job("b", after=[a])
    c = job("c", after=[a, b])
    report = bench.run(c, b, a)
    assert [d.job.id for d in report.ran] == ["curate/a", "curate/b", "curate/c"]
    assert report.exit_code == 0
    assert json.loads(bench.out(c)) == ["curate/c", {"in/a": bench.out(a), "in/b": bench.out(b)}]
    for each in (a, b, c):
        assert bench.kinds(each) == ["started", "finished"]
        assert bench.store.evidence(each.closure) is not None


def test_evidence_names_the_digests_of_what_was_read(bench: Bench) -> None:
    a = job("a")
    b = job("b", after=[a])
    bench.run(a, b)
    of_a, of_b = bench.store.evidence(a.closure), bench.store.evidence(b.closure)
    assert of_a is not None
    assert of_b is not None
    assert of_b.inputs == {"in/a": of_a.result.artifacts[0].digest}


def test_what_is_reused_is_told_and_not_run(bench: Bench) -> None:
    a = job("a")
    first = bench.run(a).ran[0].evidence
    b = job("b", after=[a])
    report = bench.run(b, reuse=[a])
    assert [d.evidence for d in report.reused] == [first]
    assert bench.kinds(a) == ["started", "finished", "reused"]
    assert [d.job for d in report.ran] == [b]


def test_reused_evidence_that_is_gone_is_a_failure_of_the_world(bench: Bench) -> None:
    a = job("a")
    b = job("b", after=[a])
    report = bench.run(b, reuse=[a], keep_going=True)
    (failure,) = report.world_failed
    assert failure.job == a
    assert isinstance(failure.error, StoreError)
    assert failure.error.hint == "plan again"
    assert [x.job for x in report.blocked] == [b]
    assert report.exit_code == 3


def test_a_failed_result_is_evidence_and_blocks_only_what_needs_it(bench: Bench) -> None:
    bad = job("bad", "quality_failed")
    after = job("after", after=[bad])
    later = job("later", after=[after])
    free = job("free")
    report = bench.run(later, after, bad, free)
    assert [d.job for d in report.quality_failed] == [bad]
    assert {d.job.id for d in report.ran} == {"curate/bad", "curate/free"}
    assert [(b.job, b.why) for b in report.blocked] == [
        (after, "curate/bad failed: loss is not finite at step 7"),
        (later, "curate/bad failed: loss is not finite at step 7"),
    ]
    assert report.exit_code == 1
    assert bench.kinds(bad) == ["started", "quality_failed"]
    assert bench.kinds(after) == ["blocked"]
    again = bench.run(after, reuse=[bad])
    assert (again.exit_code, [b.job for b in again.blocked]) == (1, [after])


def test_a_failed_result_is_never_run_again(bench: Bench, tmp_path: Path) -> None:
    bad = job("bad", "quality_failed", count=str(tmp_path / "count"))
    bench.run(bad)
    report = bench.run(bad)
    assert [d.job for d in report.reused] == [bad]
    assert (tmp_path / "count").read_text().splitlines() == ["curate/bad"]


def test_without_keep_going_a_failure_lets_the_running_finish_and_starts_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    bad = job("bad", "exit", code=1)
    slow = job("slow", wait_for=[str(tmp_path / "go")])
    never = job("never")

    def on_event(event: Event) -> None:
        bench.events.append(event)
        if event.kind == "world_failed":
            (tmp_path / "go").touch()

    report = bench.run(bad, slow, never, on_event=on_event)
    assert [f.job for f in report.world_failed] == [bad]
    assert [d.job for d in report.ran] == [slow]
    assert report.not_started == (never,)
    assert bench.kinds(never) == ["not_started"]
    assert report.exit_code == 3


def test_with_keep_going_all_that_can_run_runs(bench: Bench) -> None:
    bad = job("bad", "exit", code=1)
    needs_bad = job("needs-bad", after=[bad])
    free = [job(f"free{i}") for i in range(3)]
    report = bench.run(bad, needs_bad, *free, keep_going=True)
    assert {d.job.id for d in report.ran} == {j.id for j in free}
    assert [(b.job, b.why) for b in report.blocked] == [(needs_bad, "curate/bad has no result")]
    assert report.not_started == ()


@pytest.mark.parametrize(
    ("asked", "limits", "groups"),
    [
        ([1, 1, 1, 1], {"cores": 2, "jobs": 4}, [{0, 1}, {2, 3}]),
        ([1, 1, 1, 1], {"cores": 4}, [{0, 1, 2, 3}]),
        ([1, 1], {"cores": 4, "jobs": 1}, [{0}, {1}]),
        ([2, 1, 1], {"cores": 2}, [{0}, {1, 2}]),
        ([8, 1], {"cores": 2}, [{0}, {1}]),
        ([1, 2, 1], {"cores": 2}, [{0, 2}, {1}]),
    ],
)
def test_as_many_run_at_once_as_there_are_cores(
    bench: Bench,
    tmp_path: Path,
    asked: list[int],
    limits: dict[str, Any],
    groups: list[set[int]],
) -> None:
    """Jobs of a group end only when all of it have started, and no other may have started then."""
    jobs = [
        job(f"j{i}", wait_for=[str(tmp_path / f"go{i}")], resources=Resources(processes=cpu))
        for i, cpu in enumerate(asked)
    ]
    places = {j.closure: i for i, j in enumerate(jobs)}
    now: set[int] = set()
    seen: list[set[int]] = []

    def on_event(event: Event) -> None:
        place = places[event.job.closure]
        if event.kind == "finished":
            now.discard(place)
        elif event.kind == "started":
            now.add(place)
            seen.append(set(now))
            if now in groups:
                for i in now:
                    (tmp_path / f"go{i}").touch()

    report = bench.run(*jobs, on_event=on_event, **limits)
    assert len(report.ran) == len(asked)
    assert all(group in seen for group in groups)
    assert max(map(len, seen)) == max(map(len, groups))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(edges=st.lists(st.sets(st.integers(0, 5), max_size=3), min_size=1, max_size=6))
def test_on_any_graph_each_job_runs_once_after_what_it_needs(
    edges: list[set[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from llmops.evidence.store import Store
    from llmops.executors.local import LocalExecutor
    from tests.executors.conftest import FAKE

    folder = tmp_path_factory.mktemp("graph")
    bench = Bench(Store(folder / "reports"), LocalExecutor(FAKE))
    jobs: list[Job] = []
    for i, needs in enumerate(edges):
        after = [jobs[n] for n in sorted(needs) if n < i]
        jobs.append(job(f"j{i}", after=after, count=str(folder / "count")))
    report = bench.run(*reversed(jobs), cores=3)
    assert {d.job.closure for d in report.ran} == {j.closure for j in jobs}
    assert sorted((folder / "count").read_text().splitlines()) == sorted(j.id for j in jobs)
    order = [(e.kind, e.job.closure) for e in bench.events]
    for each in jobs:
        for need in each.needs:
            assert order.index(("finished", need)) < order.index(("started", each.closure))


def test_a_job_that_stands_in_the_plan_twice_runs_once(bench: Bench, tmp_path: Path) -> None:
    a = job("a", count=str(tmp_path / "count"))
    report = bench.run(a, replace(a, side="base"))
    assert len(report.ran) == 1
    assert (tmp_path / "count").read_text().splitlines() == ["curate/a"]


def test_nothing_to_run_is_a_good_end(bench: Bench) -> None:
    report = bench.run()
    assert report.exit_code == 0
    assert bench.events == []


def test_an_error_in_a_listener_ends_the_workers_and_is_raised(
    bench: Bench, tmp_path: Path
) -> None:
    def on_event(event: Event) -> None:
        raise BrokenPipeError("nobody listens")

    slow = job("slow", "sleep")
    with pytest.raises(BrokenPipeError, match="nobody listens"):
        bench.run(slow, on_event=on_event)
    assert bench.store.evidence(slow.closure) is None


def test_every_executor_says_its_name_and_its_module_says_what_it_is() -> None:
    for name, make in EXECUTORS.items():
        executor = make()
        assert executor.name == name
        assert name in str(__import__(type(executor).__module__, fromlist=["x"]).__doc__)


def test_steps_of_a_plan_come_with_reasons_that_running_does_not_read(bench: Bench) -> None:
    a = job("a")
    from llmops.executors.inputs import Inputs
    from llmops.executors.run import run

    resolve = Inputs(bench.store, bench.fetch, lambda digest, file: b"")
    report = run(
        (Step(a, "run", "lora.r"),),
        store=bench.store,
        executor=bench.executor,
        resolve=resolve,
        on_event=bench.events.append,
    )
    assert [d.job for d in report.ran] == [a]
