from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.github import FakeGitHub, settings
from tests.github.repository import FakeRepository
from tests.github.state import App

SHA = "3d3c42e5aac5ba805825da76410c181273ba90b1"
OWNED = "* @acme/all\n/.github/ @acme/platform\n/policies/ @acme/compliance\n"
GPU = """\
on: [pull_request, merge_group]
permissions: {}
jobs:
  run:
    runs-on: [self-hosted, gpu]
    environment: llmops-gpu
    steps:
      - run: llmops run
"""
FILES = {".github/CODEOWNERS": OWNED, ".github/workflows/llmops.yml": GPU}
ADMIN_ROLE = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}
WRITE_ROLE = {"actor_id": 4, "actor_type": "RepositoryRole", "bypass_mode": "always"}


@dataclass(frozen=True)
class World:
    """A fake GitHub over http, a repository on it, the App that writes its check."""

    fake: FakeGitHub
    repo: FakeRepository
    app: App

    def guard(self, *bypass: dict[str, object]) -> None:
        """Everything that doctor asks for."""
        self.repo.ruleset(
            *settings.plain("deletion", "non_fast_forward"), settings.reviews(),
            settings.required_checks("llmops/gate", app_id=self.app.id), settings.merge_queue(),
            bypass=[*bypass],
        )  # fmt: skip
        evidence = ("refs/heads/llmops-evidence", "refs/heads/llmops-log")
        kept = settings.plain("deletion", "non_fast_forward", "creation", "update")
        self.repo.ruleset(*kept, name="evidence", include=evidence)
        reviewers = {"type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": {}}]}
        self.repo.environment("llmops-gpu", rules=[reviewers], secrets=["JUDGE_KEY"])
        self.repo.settings["actions/permissions"] = {
            "allowed_actions": "selected", "sha_pinning_required": True,
        }  # fmt: skip
        self.repo.settings["actions/permissions/fork-pr-contributor-approval"] = {
            "approval_policy": "all_external_contributors"
        }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    fake = FakeGitHub(tmp_path / "github")
    fake.organization("acme", "ann")
    repo = fake.repository("acme/assistant", FILES)
    repo.roles["ann"] = "admin"
    with fake.serve() as url:
        for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("GITHUB_API_URL", url)
        monkeypatch.setenv("LLMOPS_GITHUB_TOKEN", fake.person_token("ann"))
        yield World(fake, repo, fake.app())


@pytest.fixture
def doctor(llmops, world: World, tmp_path: Path) -> Callable[..., object]:
    """`doctor(...)`: in a clone of the repository."""
    clone = tmp_path / "clone"
    world.repo.git.run("clone", "--quiet", str(world.repo.path), str(clone))

    def run(*words: str) -> object:
        given = ("--github", "--repo", "acme/assistant", "--app", str(world.app.id))
        return llmops("doctor", "-C", clone, *given, *words)

    return run


def test_a_bare_repository_lacks_most(doctor, golden) -> None:
    said = doctor()
    assert said.code == 1
    golden("doctor/bare.txt", said.out)
    golden("doctor/bare.sarif", doctor("--format", "sarif").out)


def test_a_repository_that_is_set_well_has_all(world: World, doctor, golden) -> None:
    world.guard(ADMIN_ROLE)
    said = doctor()
    assert said.code == 0
    golden("doctor/well-set.txt", said.out)
    assert json.loads(doctor("--format", "sarif").out)["runs"][0]["results"] == []


def test_a_bypass_for_everybody_who_may_write_is_told(world: World, doctor, golden) -> None:
    world.guard(ADMIN_ROLE, WRITE_ROLE)
    said = doctor("-q")
    assert said.code == 1
    golden("doctor/bypass.txt", said.out)


def test_what_a_token_may_not_see_is_unknown_and_never_ok(
    world: World, doctor, golden, monkeypatch
) -> None:
    world.guard(ADMIN_ROLE)
    token = world.fake.workflow_token(world.repo, metadata="read", contents="read", actions="read")
    monkeypatch.setenv("LLMOPS_GITHUB_TOKEN", token)
    said = doctor()
    assert said.code == 3
    golden("doctor/without-admin.txt", said.out)


def test_json_has_the_same_guards(world: World, doctor) -> None:
    world.guard()
    found = json.loads(doctor("--format", "json").out)
    assert found["subject"] == "acme/assistant, branch main"
    assert {one["state"] for one in found["guards"]} == {"ok"}


@pytest.mark.parametrize("kind", ["target", "evidence", "evidence-writer"])
def test_a_ruleset_to_import_is_printed_and_asks_nothing(llmops, golden, kind: str) -> None:
    said = llmops("doctor", "--ruleset", kind, "--app", "12345")
    assert said.code == 0
    golden(f"doctor/ruleset-{kind}.json", said.out)


def test_a_writer_without_its_app_is_wrong_usage(llmops) -> None:
    said = llmops("doctor", "--ruleset", "evidence-writer")
    assert said.code == 2
    assert "hint: say --app" in said.err


def test_what_the_printed_rulesets_guard_is_all_that_doctor_asks(
    world: World, doctor, llmops
) -> None:
    world.guard()
    world.repo.rulesets.clear()
    world.repo.git.set("refs/heads/llmops-log", world.repo.git.heads()["main"])
    assert re.search(r"log-branch +missing +what was signed can be rewritten", doctor("-q").out)
    for kind in ("target", "evidence", "evidence-writer"):
        printed = json.loads(llmops("doctor", "--ruleset", kind, "--app", str(world.app.id)).out)
        world.repo.ruleset(
            *printed["rules"], name=printed["name"], bypass=printed["bypass_actors"],
            include=printed["conditions"]["ref_name"]["include"],
        )  # fmt: skip
    said = doctor("-q")
    assert (said.code, said.out.strip()) == (
        0, "acme/assistant, branch main: all must-haves are there",
    )  # fmt: skip


def test_a_repository_that_is_not_there_is_told(llmops, world: World, tmp_path: Path) -> None:
    said = llmops("doctor", "-C", tmp_path, "--github", "--repo", "acme/other")
    assert said.code == 2
    assert "acme/other is no repository that this token can see" in said.err


def test_no_token_is_told(llmops, world: World, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LLMOPS_GITHUB_TOKEN")
    said = llmops("doctor", "-C", tmp_path, "--github", "--repo", "acme/assistant")
    assert said.code == 2
    assert "there is no GitHub token" in said.err


def test_offline_asks_nothing(llmops, world: World, tmp_path: Path) -> None:
    said = llmops("doctor", "-C", tmp_path, "--github", "--repo", "acme/assistant", "--offline")
    assert said.code == 2
    assert world.fake.requests == []
