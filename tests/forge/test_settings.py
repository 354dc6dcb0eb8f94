from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmops.errors import UsageError
from llmops.forge.base import Repo
from llmops.forge.client import GitHub, connect
from llmops.forge.settings import EVIDENCE, read
from llmops.reports.github_rulesets import RULESETS
from tests.github import FakeGitHub, Fault, openapi, settings
from tests.github.repository import FakeRepository
from tests.github.shape_validator import problems, resolved, strange


@dataclass(frozen=True)
class World:
    """A repository of an organisation, and a client of its administrator."""

    fake: FakeGitHub
    repo: FakeRepository
    forge: GitHub


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Every request and answer is judged by GitHub's own description, where it lies here."""
    fake = FakeGitHub(tmp_path)
    watch = openapi.watch(fake)
    fake.organization("acme", "ann")
    repo = fake.repository("acme/llm", {"CODEOWNERS": "* @acme/all\n"})
    repo.roles["ann"] = "admin"
    token = fake.person_token("ann")
    forge = connect(Repo("acme", "llm"), token, clock=fake.clock, adapter=fake.adapter())
    yield World(fake, repo, forge)
    assert fake.writes() == []
    if watch is not None:
        assert (watch.requests, watch.answers) == ([], [])


def test_everything_is_read_by_one_question_each(world: World) -> None:
    number = world.repo.ruleset(settings.merge_queue(), bypass=[])["id"]
    world.repo.environment("gpu", secrets=["JUDGE_KEY"])
    world.repo.settings["actions/secrets"] = ["APP_KEY"]
    found = read(world.forge)
    assert found.branch == "main"
    assert found.public
    assert [one["type"] for one in found.rules["main"].value] == ["merge_queue"]
    assert found.rules[EVIDENCE].value == ()
    assert [one["id"] for one in found.rulesets.value] == [number]
    assert found.rulesets.value[0]["bypass_actors"] == []
    assert found.secrets["repository"].value == ("APP_KEY",)
    assert found.secrets["environment gpu"].value == ("JUDGE_KEY",)
    assert found.codeowners.value == "* @acme/all\n"
    assert len(world.fake.requests) <= 20


def test_classic_protection_is_asked_for_only_where_there_is_one(world: World) -> None:
    assert read(world.forge).protection["main"].value == {}
    asked = [request.path for request, _ in world.fake.requests]
    assert not any(path.endswith("/protection") for path in asked)
    world.repo.protection["main"] = {"enforce_admins": {"enabled": True, "url": "https://x"}}
    found = read(world.forge).protection["main"]
    assert (found.value.get("enforce_admins") or {}).get("enabled") is True


def test_what_a_token_may_not_see_says_why(world: World) -> None:
    world.repo.protection["main"] = {"enforce_admins": {"enabled": True, "url": "https://x"}}
    token = world.fake.workflow_token(world.repo, metadata="read", contents="read")
    forge = connect(world.forge.repo, token, clock=world.fake.clock, adapter=world.fake.adapter())
    found = read(forge)
    unseen = (found.workflow, found.actions, found.runners, found.forks, found.protection["main"])
    assert all("administration: read" in one.unknown for one in unseen)
    assert "secrets: read" in found.secrets["repository"].unknown
    assert "bypass_actors" not in found.rulesets.value[:1]


def test_a_server_that_fails_leaves_one_answer_unknown_and_the_others_known(world: World) -> None:
    world.fake.faults.add(Fault(status=502), times=99, path="actions/runners")
    found = read(world.forge)
    assert found.runners.unknown
    assert not found.workflow.unknown


def test_a_repository_that_the_token_cannot_see_is_wrong_usage(world: World) -> None:
    other = connect(
        Repo("acme", "none"), world.fake.person_token("ann"), clock=world.fake.clock,
        adapter=world.fake.adapter(),
    )  # fmt: skip
    with pytest.raises(UsageError, match="acme/none is no repository"):
        read(other)


@pytest.mark.parametrize("kind", RULESETS)
def test_a_ruleset_to_import_is_a_body_that_github_describes(kind: str) -> None:
    described = openapi.description()
    if described is None:
        pytest.skip("GitHub's description was not downloaded (-m online)")
    whole = described.whole
    operation = whole["paths"]["/repos/{owner}/{repo}/rulesets"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = RULESETS[kind](12345)
    assert list(problems(whole, schema, body)) == []
    assert list(problems(whole, schema, {**body, "enforcement": "on"}))
    forms = {
        name: form
        for one in whole["components"]["schemas"]["repository-rule"]["oneOf"]
        for form in [resolved(whole, one)]
        for name in form["properties"]["type"]["enum"]
    }
    for rule in body["rules"]:  # a field that this type of rule does not have is refused
        form = forms[rule["type"]]
        assert (list(problems(whole, form, rule)), list(strange(whole, form, rule))) == ([], [])
