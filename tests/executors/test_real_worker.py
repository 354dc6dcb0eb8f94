"""The real worker, started as every executor starts it: a curation end to end."""

from __future__ import annotations

import json
from pathlib import Path

from llmops.digest import of_bytes, of_value
from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.jobs.base import Input, Job
from llmops.specs.base import Ref
from tests.executors.conftest import Bench

ROWS = "".join(
    json.dumps({"text": f"How do I block card {i}? 怎么挂失?", "category": f"c{i % 3}"}) + "\n"
    for i in range(40)
).encode()


def curation(rows: bytes, column: str = "text") -> Job:
    payload = {
        "dataset": {
            "name": "bank",
            "format": "qa",
            "columns": {"question": column, "answer": "category"},
            "sources": [{"name": "main", "media": "jsonl"}],
            "expectations": [],
            "curation": [],
            "splits": {"method": "hash", "seed": 42, "parts": {"train": 0.5, "test": 0.5}},
        }
    }
    source = Input("source/main", digest=of_bytes(rows), file="data/bank.jsonl")
    closure = of_value([payload, source.digest])
    return Job("curate", Ref("Dataset", "bank"), closure, payload, inputs=(source,))


def test_a_curation_becomes_evidence_with_its_parts(tmp_path: Path) -> None:
    bench = Bench(Store(tmp_path / "reports"), LocalExecutor(), {"data/bank.jsonl": ROWS})
    job = curation(ROWS)
    report = bench.run(job)
    assert [f.error.message for f in report.world_failed] == []
    parts = [bench.out(job, f"parts/{part}.jsonl").splitlines() for part in ("train", "test")]
    assert sum(map(len, parts)) == 40
    assert {json.loads(row)["answer"] for part in parts for row in part} == {"c0", "c1", "c2"}
    measured = bench.store.proofs()[job.closure].measured
    assert (measured["rows_train"], measured["rows_test"]) == tuple(map(len, parts))
    assert bench.run(job).exit_code == 0
    assert [d.ran for d in bench.run(job).reused] == [False]


def test_the_same_curation_elsewhere_gives_the_same_files(tmp_path: Path) -> None:
    job = curation(ROWS)
    made = []
    for name in ("one", "two"):
        bench = Bench(Store(tmp_path / name), LocalExecutor(), {"data/bank.jsonl": ROWS})
        (done,) = bench.run(job).ran
        made.append(done.evidence.result.artifacts)
    assert made[0] == made[1]


def test_what_the_real_worker_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    rows = b'{"text": "q", "category": "c"}\n{"text": \n'
    bench = Bench(Store(tmp_path / "reports"), LocalExecutor(), {"data/bank.jsonl": rows})
    (failed,) = bench.run(curation(rows)).world_failed
    assert "2" in failed.error.message
    assert "died" not in failed.error.message
