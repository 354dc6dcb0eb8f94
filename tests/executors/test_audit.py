"""Drawn jobs are run once more beside what is kept, and what came is written down."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from llmops.evidence.audits import PREDICATE_TYPE, Audits
from llmops.executors.audit import audit
from llmops.executors.base import RunReport
from llmops.executors.inputs import Inputs
from llmops.jobs.base import Job, Step
from llmops.log.base import REUSE_AUDIT
from tests.executors.conftest import Bench, job


def once_more(bench: Bench, *jobs: Job, **more: Any) -> RunReport:
    steps = [Step(one, "reuse", "", audit="sha256:draw") for one in jobs]
    resolve = Inputs(bench.store, bench.fetch, lambda digest, file: bench.blobs[file])
    return audit(
        steps, bench.store, bench.executor, resolve, bench.events.append, RunReport(), **more
    )


def test_a_job_that_repeats_leaves_a_statement_and_nothing_else(bench: Bench, tmp_path) -> None:
    count = tmp_path / "count"
    one = job("a", count=str(count))
    two = job("b", after=[one])
    bench.run(one, two)
    before = {path: path.read_bytes() for path in bench.store.root.rglob("*.json")}
    told = once_more(bench, one, two)
    assert [(a.job, a.promised, a.repeats, a.differences) for a in told.audits] == [
        ("curate/a", "bit", "bit", ()), ("curate/b", "bit", "bit", ()),
    ]  # fmt: skip
    assert told.exit_code == 0
    assert count.read_text().splitlines() == ["curate/a"] * 2
    assert {p: p.read_bytes() for p in before} == before, "what is kept stays as it was"
    assert set(bench.store.audits.all()) == set(told.audits)
    assert list((bench.store.root / "audited" / "runs").iterdir()) == []
    assert bench.store.notes == ()


def test_a_job_that_does_not_repeat_is_told_and_left_to_be_looked_at(bench: Bench) -> None:
    one = job("a", "files", files={"rows.jsonl": '{"id": 1}\n'})
    bench.run(one)
    other = replace(one, spec={**one.spec, "files": {"rows.jsonl": '{"id": 2}\n'}})
    told = once_more(bench, other)
    (found,) = told.audits
    assert (found.same, found.repeats, told.exit_code) == (False, "", 1)
    assert found.differences == ("rows.jsonl has other bytes",)
    assert found.kept == bench.store.evidence(one.closure).digest  # type: ignore[union-attr]
    left = bench.store.root / "audited" / "runs" / one.closure[7:] / "artifacts" / "rows.jsonl"
    assert json.loads(left.read_text()) == {"id": 2}
    assert bench.out(one, "rows.jsonl") == '{"id": 1}\n'


def test_a_job_that_the_world_fails_is_no_audit_and_ends_no_other(bench: Bench) -> None:
    one, two = job("a"), job("b")
    bench.run(one, two)
    told = once_more(bench, replace(one, spec={**one.spec, "fake": "kill"}), two)
    assert [a.job for a in told.audits] == ["curate/b"]
    assert [f.job.id for f in told.world_failed] == ["curate/a"]
    assert told.exit_code == 3


def test_what_was_not_drawn_or_has_no_evidence_is_not_run(bench: Bench) -> None:
    one, two = job("a"), job("b", "quality_failed")
    bench.run(one, two)
    assert once_more(bench, job("c"), two).audits == ()
    report = audit([Step(one, "reuse", "")], bench.store, bench.executor, None, print, RunReport())  # type: ignore[arg-type]
    assert report == RunReport()


@pytest.mark.parametrize("harm", ["byte", "name", "closure", "text", "spaces"])
def test_a_damaged_statement_is_none_and_a_note_says_which(bench: Bench, harm: str) -> None:
    one = job("a")
    bench.run(one)
    once_more(bench, one)
    (path,) = bench.store.audits.paths()
    data = path.read_bytes()
    if harm == "byte":
        path.write_bytes(data.replace(b'"bit"', b'"but"', 1))
    elif harm == "name":
        path.rename(path.with_name("0" * 64 + ".json"))
    elif harm == "closure":
        folder = path.parent.with_name("0" * 64)
        path.parent.rename(folder)
    elif harm == "text":
        path.write_bytes(b"\xff\xfe")
    else:
        from llmops.digest import of_bytes

        path.unlink()
        spaced = data + b" "
        path.with_name(of_bytes(spaced)[7:] + ".json").write_bytes(spaced)
    notes: list[str] = []
    assert Audits(bench.store.root, notes.append).all() == ()
    assert len(notes) == 1
    assert "is no audit" in notes[0]


def test_the_statement_is_of_the_kind_that_the_log_takes() -> None:
    assert PREDICATE_TYPE == REUSE_AUDIT
