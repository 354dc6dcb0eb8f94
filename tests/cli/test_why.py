from __future__ import annotations

import pytest


def test_the_path_of_change_is_told_down_to_its_field(llmops, bank) -> None:
    said = llmops("why", "-C", bank.path, "Evaluation/quality", "--head", "change")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "Evaluation/quality follows: target"
    assert any("+ train Recipe/adapter runs: lora.r" in line for line in lines)


def test_kept_evidence_is_named(llmops, bank) -> None:
    assert llmops("run", "-C", bank.path, "--head", "main").code == 0
    out = llmops("why", "-C", bank.path, "Recipe/base", "--head", "change").out
    assert "= train Recipe/base reused (sha256:" in out
    assert "no input changed" in out


def test_a_spec_without_a_job_says_so(llmops, bank) -> None:
    out = llmops("why", "-C", bank.path, "Policy/default", "--head", "change").out
    assert out == "Policy/default has no job of its own\n"


@pytest.mark.parametrize(
    ("subject", "near"),
    [("Recipe/adaptor", "Recipe/adapter"), ("adaptor", "adapter"), ("", ""), ("Recipe/", "")],
)
def test_what_is_not_there_hints_at_the_nearest(llmops, bank, subject: str, near: str) -> None:
    said = llmops("why", "-C", bank.path, subject)
    assert said.code == 2
    assert f'nothing is called "{subject}"' in said.err
    assert near in said.err


def test_a_removed_spec_can_still_be_asked_for(llmops, bank) -> None:
    bank.write({"specs/evaluations/quality.yaml": None})
    said = llmops("why", "-C", bank.path, "Evaluation/quality")
    assert said.code == 0
    assert "Evaluation/quality removed" in said.out
