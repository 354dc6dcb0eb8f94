from __future__ import annotations

from llmops.graph.build import Graph
from llmops.jobs import curate
from llmops.specs.base import Ref
from tests.trees import graph, spec

EXAM = (
    "sources: [{name: a, file: specs/data/a.jsonl}, {name: b, file: specs/data/b.jsonl}]\n"
    "format: messages\nsplits: {method: given, parts: {one: a, two: b}}"
)
ROWS = (
    "sources: [{name: a, file: specs/data/a.jsonl}]\nformat: qa\n"
    "curation:\n  - select: {column: x, in: [1]}\n"
    '  - contamination: {against: ["exam#one", "exam#two"], ngram: 8}'
)


def world(rows: str = ROWS, data: str = "{}\n") -> Graph:
    return graph({
        "specs/datasets/exam.yaml": spec("Dataset", "exam", EXAM),
        "specs/datasets/rows.yaml": spec("Dataset", "rows", rows),
        "specs/data/a.jsonl": "{}\n",
        "specs/data/b.jsonl": data,
    })  # fmt: skip


def test_what_rows_are_held_against_is_curated_first_and_read_part_by_part() -> None:
    made = curate.job(world(), Ref("Dataset", "rows"))
    exam = curate.job(world(), Ref("Dataset", "exam"))
    assert [m.job.closure for m in made.before] == [exam.job.closure]
    read = {i.name: (i.job, i.artifact) for i in made.job.inputs if i.job}
    assert read == {
        f"against/exam/{part}": (exam.job.closure, f"parts/{part}.jsonl") for part in ("one", "two")
    }
    entry = made.job.spec["dataset"]["curation"][1]["contamination"]
    assert entry == {
        "ngram": 8, "max": 0.0, "own_parts": [],
        "against": [
            {"said": f"exam#{p}", "input": f"against/exam/{p}", "format": "messages"}
            for p in ("one", "two")
        ],
    }  # fmt: skip


def test_one_part_alone_is_read_where_it_is_named() -> None:
    made = curate.job(world(ROWS.replace('"exam#one", ', "")), Ref("Dataset", "rows"))
    assert [i.name for i in made.job.inputs if i.job] == ["against/exam/two"]


def test_other_rows_to_hold_against_curate_again() -> None:
    before = curate.job(world(), Ref("Dataset", "rows"))
    after = curate.job(world(data='{"n": 1}\n'), Ref("Dataset", "rows"))
    assert before.job.closure != after.job.closure


def test_the_order_of_what_it_is_held_against_means_nothing() -> None:
    turned = world(ROWS.replace('"exam#one", "exam#two"', '"exam#two", "exam#one"'))
    jobs = [curate.job(g, Ref("Dataset", "rows")).job.closure for g in (world(), turned)]
    assert jobs[0] == jobs[1]


def test_a_dataset_without_contamination_stands_alone() -> None:
    made = curate.job(world(ROWS.split("  - contamination")[0]), Ref("Dataset", "rows"))
    assert made.before == ()
