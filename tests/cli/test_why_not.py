from __future__ import annotations

import re

import pytest


@pytest.fixture
def ran(llmops, bank):
    assert llmops("run", "-C", bank.path, "--head", "main").code == 0
    return bank


def test_the_equal_digests_of_a_reused_job_are_told(llmops, ran) -> None:
    said = llmops("why-not", "Recipe/base", "-C", ran.path, "--head", "change")
    assert said.code == 0
    assert said.out.startswith("= train Recipe/base need not run: no input changed\n")
    assert "is about closure sha256:" in said.out
    assert "parts/train.jsonl of curate/bank, closure sha256:" in said.out
    assert re.search(r"seed \d+, \d process", said.out)


def test_a_job_that_does_run_says_so(llmops, ran) -> None:
    out = llmops("why-not", "Recipe/adapter", "-C", ran.path, "--head", "change").out
    assert "+ train Recipe/adapter does run: lora.r" in out
    assert "llmops why Recipe/adapter" in out


def test_a_change_that_counts_for_nothing_is_named(llmops, ran) -> None:
    path = ran.path / "specs/recipes/base.yaml"
    path.write_text(path.read_text().replace("owner: team-cs", "owner: team-quality"))
    out = llmops("why-not", "Recipe/base", "-C", ran.path).out
    assert "= train Recipe/base need not run" in out
    assert "beside it Recipe/base metadata.owner changed; its role is descriptive" in out


def test_a_spec_without_a_job_names_who_reads_it(llmops, ran) -> None:
    out = llmops("why-not", "Prompt/ask", "-C", ran.path).out
    assert out == "Prompt/ask has no job of its own; read by generate/bot (reused)\n"
    out = llmops("why-not", "Policy/default", "-C", ran.path).out
    assert out == "Policy/default has no job of its own: nothing that runs reads it\n"


def test_what_is_not_there_hints_at_the_nearest(llmops, bank) -> None:
    said = llmops("why-not", "Recipe/adaptor", "-C", bank.path)
    assert said.code == 2
    assert 'did you mean "Recipe/adapter"?' in said.err
