"""Trees that bring their own evidence, hide specs behind links, or are looked at from aside."""

from __future__ import annotations

import pytest

BAD = "apiVersion: llmops/v1alpha1\nkind: Recipe\nmetadata: {name: bad}\nspec: {basemodel: x}\n"


@pytest.mark.parametrize("command", ["validate", "plan", "gate", "run"])
def test_a_tree_that_brings_its_own_evidence_is_not_judged(llmops, bank, judged, command) -> None:
    judged()
    bank.git("add", "--force", "reports")
    bank.git("commit", "--quiet", "--message", "all green, trust me")
    said = llmops(command, "-C", bank.path)
    assert said.code == 2
    assert "error[committed-evidence]: the tree brings its own evidence" in said.out + said.err


def test_a_tree_whose_reports_are_elsewhere_is_not_judged(llmops, bank, tmp_path) -> None:
    (bank.path / "reports").symlink_to(tmp_path)
    bank.git("add", "--force", "reports")
    said = llmops("run", "-C", bank.path)
    assert said.code == 2
    assert "error[committed-evidence]" in said.err
    assert not (tmp_path / "runs").exists()


def test_what_a_run_leaves_needs_no_gitignore(llmops, bank, judged) -> None:
    judged()
    assert bank.git("status", "--porcelain") == ""
    assert llmops("plan", "-C", bank.path).out.count("reused")


@pytest.mark.parametrize("path", ["policies/default.yaml", "specs/recipes/base.yaml", "policies"])
def test_a_spec_behind_a_link_is_told_and_not_left_out(llmops, bank, tmp_path, path) -> None:
    (bank.path / path).rename(tmp_path / "there")
    (bank.path / path).symlink_to(tmp_path / "there")
    said = llmops("validate", "-C", bank.path)
    assert said.code == 2
    assert f"{path}:1:1: error[not-a-file]: a link" in said.out
    assert llmops("gate", "-C", bank.path).code == 2


@pytest.mark.parametrize("place", [".", "specs", "specs/", "specs/recipes/bad.yaml"])
def test_a_mistake_is_seen_from_every_folder_above_it(llmops, bank, monkeypatch, place) -> None:
    bank.write({"specs/recipes/bad.yaml": BAD})
    monkeypatch.chdir(bank.path)
    assert llmops("validate", place).code == 2


@pytest.mark.parametrize("place", ["spces", "specs/recipes/gone.yaml", "/", "..", ""])
def test_a_place_without_specs_is_no_clean_bill(llmops, bank, monkeypatch, place) -> None:
    monkeypatch.chdir(bank.path / "specs")
    said = llmops("validate", place)
    if place in ("..", ""):
        assert said.code == 0
        assert "8 specs" in said.out
    else:
        assert (said.code, said.out) == (2, "")
        assert f'no spec is "{place}"' in said.err


def test_a_tree_without_specs_is_said_to_be_unchecked(llmops, git_repo) -> None:
    said = llmops("validate", "-C", git_repo({"README.md": "x"}).path)
    assert (said.code, said.err) == (0, "")
    assert "nothing was checked" in said.out
