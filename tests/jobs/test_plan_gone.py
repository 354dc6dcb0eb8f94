"""What is gone from the store and a verdict reads is made again, whoever else reads it."""

from __future__ import annotations

from dataclasses import replace

from llmops.jobs.base import Proof, TreeName
from llmops.jobs.exam import exams, made_of
from llmops.jobs.plan import Trees, plan
from tests.trees import BANK, graph

TREES = Trees(None, TreeName("head", "a" * 40))


def steps(gone: str, job_type: str) -> list[str]:
    """The jobs that run when an artifact of each job of one type is gone."""
    head = graph(BANK)
    proven = {
        made.job.closure: Proof("sha256:" + "e" * 64, "ok")
        for made in made_of(exams(None, head), "head")
    }
    for made in made_of(exams(None, head), "head"):
        if made.job.type == job_type:
            found = proven[made.job.closure]
            proven[made.job.closure] = replace(found, missing=frozenset({gone}))
    planned = plan(None, head, (), proven, TREES)
    return [f"{s.job.id}: {s.why}" for s in planned.steps if s.state == "run"]


def test_digests_that_are_gone_are_curated_again_and_nothing_else() -> None:
    assert steps("digests/train.jsonl", "curate") == [
        "curate/bank: digests/train.jsonl is gone from the store"
    ]


def test_what_nobody_reads_may_be_gone() -> None:
    assert steps("funnel.json", "curate") == []
    assert steps("digests/train.jsonl", "train") == []
