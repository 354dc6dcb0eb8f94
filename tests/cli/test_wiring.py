"""`init --ci` in a repository that has specs: only the files of its CI, and nothing lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmops.cli import wiring

FLOW = ".github/workflows/llmops.yml"
SHA = "0123456789abcdef0123456789abcdef01234567"


def test_only_the_files_of_the_ci_are_added(llmops, bank) -> None:
    said = llmops("init", bank.path)
    assert (said.code, said.err) == (0, "")
    assert f"wrote {FLOW}\n" in said.out
    assert bank.git("status", "--porcelain", "--untracked-files=all") == f"?? {FLOW}"
    assert "branches: [main]" in (bank.path / FLOW).read_text("utf-8")


def test_again_it_finds_them_there(llmops, bank) -> None:
    llmops("init", bank.path)
    said = llmops("init", bank.path)
    assert (said.code, said.err) == (0, "")
    assert "nothing to write" in said.out


def test_what_says_something_else_is_kept_unless_force_is_said(llmops, bank) -> None:
    bank.commit({FLOW: "name: mine\n"})
    said = llmops("init", bank.path)
    assert said.code == 2
    assert f"{FLOW} is there and says something else" in said.err
    assert (bank.path / FLOW).read_text() == "name: mine\n"
    assert llmops("init", bank.path, "--force").code == 0
    assert "name: llmops" in (bank.path / FLOW).read_text("utf-8")


def test_the_branch_is_the_one_that_origin_calls_its_head(llmops, bank, git_repo) -> None:
    bank.git("branch", "trunk")
    bank.git("remote", "add", "origin", str(bank.path))
    bank.git("fetch", "--quiet", "origin")
    bank.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    llmops("init", bank.path)
    assert "branches: [trunk]" in (bank.path / FLOW).read_text("utf-8")


def test_a_branch_that_no_workflow_can_name_is_told(llmops, bank) -> None:
    bank.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/a]b")
    said = llmops("init", bank.path)
    assert said.code == 2
    assert 'no workflow can name the branch "a]b"' in said.err
    assert not (bank.path / FLOW).exists()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("gate", ["workflow", "app"])
def test_what_no_file_can_do_is_told_in_steps(llmops, bank, language: str, gate: str) -> None:
    said = llmops("init", bank.path, "--lang", language, "--gate", gate)
    told = re.findall(r"^  (\d)\. (.+)$", said.out, re.MULTILINE)
    assert [int(number) for number, _ in told] == list(range(1, len(told) + 1))
    assert ["LLMOPS_PACKAGE" in line for _, line in told] == [True, *[False] * (len(told) - 1)]
    assert any("--ruleset target" in line for _, line in told) is (gate == "app")


def test_a_package_that_is_named_is_one_step_less(llmops, bank) -> None:
    package = f"git+https://example.org/o/llmops@{SHA}"
    said = llmops("init", bank.path, "--package", package)
    assert said.code == 0
    assert "gh variable set" not in said.out
    assert package in (bank.path / FLOW).read_text("utf-8")


def test_a_package_that_is_not_pinned_is_told(llmops, bank) -> None:
    said = llmops("init", bank.path, "--package", "git+https://example.org/o/llmops@main")
    assert said.code == 2
    assert "is not pinned" in said.err
    assert not (bank.path / FLOW).exists()


def test_a_link_in_the_way_is_not_followed(llmops, bank, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text("precious")
    (bank.path / FLOW).parent.mkdir(parents=True)
    (bank.path / FLOW).symlink_to(outside)
    said = llmops("init", bank.path, "--force")
    assert said.code == 2
    assert outside.read_text() == "precious"


def test_every_step_is_told_in_both_languages() -> None:
    named = {"include", *(name for names in wiring.STEPS.values() for name in names)}
    assert named == set(wiring.TOLD["en"]) == set(wiring.TOLD["zh"])


def test_with_an_example_a_repository_in_use_is_refused_as_before(llmops, bank) -> None:
    said = llmops("init", bank.path, "--example", "tiny")
    assert said.code == 2
    assert "is not empty" in said.err


@pytest.mark.parametrize("runners", ["hosted", "self-hosted", "slurm", "kubernetes"])
def test_machines_of_ones_own_need_environments(llmops, bank, runners: str) -> None:
    said = llmops("init", bank.path, "--runners", runners)
    assert ("llmops-gpu-forks" in said.out) is (runners != "hosted")
    values = bank.path / ".github" / "llmops" / "runner-scale-set.yaml"
    assert values.exists() is (runners == "kubernetes")


@pytest.mark.parametrize(
    ("ci", "files"),
    [("gitlab", [".gitlab-ci.yml", ".gitlab/llmops.yml"]), ("jenkins", ["Jenkinsfile"])],
)
def test_another_ci_gets_its_own_files(llmops, bank, ci: str, files: list[str]) -> None:
    said = llmops("init", bank.path, "--ci", ci)
    assert (said.code, said.err) == (0, "")
    there = bank.git("status", "--porcelain", "--untracked-files=all").splitlines()
    assert there == [f"?? {file}" for file in files]
    assert re.search(r"^  1\. ", said.out, re.MULTILINE)


def test_words_of_github_are_refused_for_another_ci(llmops, bank) -> None:
    said = llmops("init", bank.path, "--ci", "gitlab", "--gate", "app")
    assert said.code == 2
    assert "are for --ci github" in said.err


def test_a_pipeline_that_is_there_is_left_and_told_what_to_include(llmops, bank) -> None:
    bank.commit({".gitlab-ci.yml": "stages: [mine]\n"})
    for words in ((), ("--force",)):
        said = llmops("init", bank.path, "--ci", "gitlab", *words)
        assert (said.code, said.err) == (0, "")
        assert "1. include: .gitlab/llmops.yml" in said.out
        assert (bank.path / ".gitlab-ci.yml").read_text() == "stages: [mine]\n"
