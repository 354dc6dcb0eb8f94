"""Our client against the fake: every call of `base.Forge`, and every state published, as described.

Each test ends with `assert_polite`: no request before it was allowed, writes a second apart, no
token at a stranger's, and, where GitHub's own description lies in the cache, every body as it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.errors import UsageError
from llmops.forge.auth import AppKey, Fixed, Installation
from llmops.forge.base import CHECK, Publication, Refused, Repo
from llmops.forge.client import GitHub, connect
from llmops.forge.publish import publish
from llmops.reports import github_states as states
from tests.github import ACTIONS_APP, Fault, openapi
from tests.github.pulls import FakePull
from tests.github.world import World
from tests.reports.conftest import PLANS, VERDICTS

REPO = Repo("acme", "llm")


class Desk(World):
    """A world, a pull request in it, and our client."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.pull: FakePull = self.repo.pull("change", {"b.txt": "2\n"}, by="alice")
        self.forge = self.by_app()

    def by_app(self) -> GitHub:
        key = AppKey(self.app.id, self.app.key, clock=self.fake.clock, adapter=self.fake.adapter())
        number = self.fake.installation(self.app, "acme")
        return self.connect(Installation(key, number))

    def by_workflow(self, **permissions: str) -> GitHub:
        token = self.fake.workflow_token(self.repo, **permissions)
        return self.connect(Fixed(token, "github-actions[bot]", ACTIONS_APP))

    def connect(self, token: Fixed | Installation) -> GitHub:
        return connect(REPO, token, clock=self.fake.clock, adapter=self.fake.adapter())

    @property
    def subject(self) -> states.Subject:
        return states.Subject(REPO, 1, self.pull.head_sha, details_url="https://git.example/run/7")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.fake.assert_polite()


def test_a_pull_request_is_read_as_it_is(desk: Desk) -> None:
    fork = desk.repo.fork("eve")
    evil = desk.repo.pull("evil", {"c.txt": "3\n"}, by="eve", source=fork, draft=True)
    desk.pull.label("llmops: passed")
    here, there = desk.forge.pull(1), desk.forge.pull(2)
    assert here
    assert there
    assert (here.head_sha, here.base_ref, here.author) == (desk.pull.head_sha, "main", "alice")
    assert (here.from_fork, here.draft, here.labels) == (False, False, ("llmops: passed",))
    assert (there.from_fork, there.draft, there.head_repo) == (True, True, "eve/llm")
    assert [p.number for p in desk.forge.open_pulls()] == [2, 1]
    assert [p.number for p in desk.forge.pulls_of(evil.head_sha)] == [2]
    evil.source = None
    evil.close()
    gone = desk.forge.pull(2)
    assert gone
    assert (gone.state, gone.from_fork, gone.head_repo) == ("closed", True, "")
    assert desk.forge.pull(9) is None


def test_reviews_teams_and_permissions_are_read(desk: Desk) -> None:
    desk.fake.team("acme/owners", "bob")
    desk.repo.roles["bob"] = "maintain"
    first = desk.pull.review("APPROVED", "bob")
    desk.pull.push({"b.txt": "4\n"})
    desk.pull.review("COMMENTED", "renovate[bot]")
    desk.pull.dismiss(first)
    listed = desk.forge.reviews(1)
    assert [(r.by, r.state, r.by_bot) for r in listed] == [
        ("bob", "DISMISSED", False), ("renovate[bot]", "COMMENTED", True),
    ]  # fmt: skip
    assert listed[0].commit != desk.pull.head_sha
    teams = [("acme/owners", "bob"), ("acme/owners", "eve"), ("acme/nobody", "bob")]
    assert [desk.forge.in_team(team, who) for team, who in teams] == [True, False, None]
    assert [desk.forge.permission(who) for who in ("bob", "alice")] == ["maintain", "read"]


def test_a_tip_is_read_and_a_branch_that_is_gone_has_none(desk: Desk) -> None:
    desk.repo.push({"d.txt": "5\n"}, "feature/deep")
    assert desk.forge.tip("main") == desk.repo.tip()
    assert desk.forge.tip("feature/deep") == desk.repo.tip("feature/deep")
    desk.repo.delete_branch("feature/deep")
    assert desk.forge.tip("feature/deep") is None


def test_a_check_and_a_comment_come_into_being_once_though_answers_are_lost(desk: Desk) -> None:
    desk.fake.faults.add(Fault("reset", lost=True), times=2, method="POST", path="check-runs")
    desk.fake.faults.add(Fault(status=502, lost=True), method="POST", path="comments")
    body = {"name": CHECK, "head_sha": desk.pull.head_sha, "status": "in_progress"}
    made = desk.forge.create_check({**body, "external_id": "a" * 16})
    said = desk.forge.create_comment(1, "a word")
    assert list(desk.repo.checks) == [made.id]
    assert list(desk.repo.comments) == [said.id]
    done = desk.forge.update_check(made.id, {"status": "completed", "conclusion": "failure"})
    assert (done.conclusion, done.app_id) == ("failure", desk.app.id)
    assert desk.forge.update_comment(said.id, "two words").body == "two words"
    assert [c.by for c in desk.forge.comments(1)] == [desk.app.bot]


def test_runs_and_artifacts_are_read_and_downloaded(desk: Desk, tmp_path: Path) -> None:
    run = desk.fake.run(desk.repo, desk.pull.head_sha)
    made = run.upload("llmops-plan", {"plan.json": "{}"})
    run.finish()
    run.rerun()
    found = desk.forge.runs(desk.pull.head_sha)
    assert [(r.id, r.attempt, r.repository) for r in found] == [(run.id, 2, "acme/llm")]
    listed = desk.forge.artifacts(run.id)
    assert [(a.name, a.digest, a.head_sha) for a in listed] == [
        ("llmops-plan", made.digest, desk.pull.head_sha)
    ]
    desk.fake.faults.add(Fault("truncated"), path="zip$")
    desk.forge.download(listed[0], tmp_path / "plan.zip", 10_000)
    assert (tmp_path / "plan.zip").read_bytes() == made.content


def _every(subject: states.Subject) -> dict[str, Publication]:
    at = "2026-11-26T08:00:00Z"
    return {
        "opened": states.opened(subject, at),
        "running": states.running(subject, PLANS["change"], 2, 5),
        "not-judged": states.not_judged(subject, "the store is gone", "start it again"),
        "waiting": states.waiting_for_person(subject, "a fork"),
        "closed": states.closed(subject),
        **{f"judged-{name}": states.judged(subject, one) for name, one in VERDICTS.items()},
    }


def test_every_state_is_published_in_at_most_ten_writes_and_then_in_none(desk: Desk) -> None:
    for name, wanted in _every(desk.subject).items():
        before = len(desk.fake.writes())
        made = publish(desk.forge, wanted)
        assert not made.left, f"{name}: {made.left}"
        assert len(desk.fake.writes()) - before == made.writes <= 10, name
        again = publish(desk.forge, wanted)
        assert (again.writes, again.left) == (0, ()), name
        shown = desk.repo.checks_at(desk.pull.head_sha, CHECK)
        assert wanted.check
        assert [c["conclusion"] for c in shown] == [wanted.check.get("conclusion")], name
        assert len(desk.repo.comments) == 1, name


def test_where_no_check_may_be_written_a_status_stands(desk: Desk) -> None:
    forge = desk.by_workflow(statuses="write", pull_requests="write", contents="read")
    made = publish(forge, states.judged(desk.subject, VERDICTS["failed"]))
    assert made.as_status
    assert not desk.repo.checks
    assert desk.repo.state_of(desk.pull.head_sha, CHECK) == "failure"


def test_a_token_that_may_only_read_is_told_which_permission_is_missing(desk: Desk) -> None:
    made = publish(desk.by_workflow(contents="read"), states.opened(desk.subject))
    assert any("the token lacks statuses" in line for line in made.left)
    assert any("the token lacks issues: read or pull_requests" in line for line in made.left)
    assert not desk.fake.writes()
    with pytest.raises(Refused, match="administration"):
        desk.by_workflow(contents="read").get("repos/acme/llm/actions/permissions")


def test_an_app_with_a_wrong_clock_or_a_foreign_key_hears_of_it(desk: Desk) -> None:
    desk.fake.clock.skew = 86_400.0
    assert desk.by_app().pull(1)
    with pytest.raises(UsageError, match="no RSA key"):
        AppKey(desk.app.id, "-----BEGIN nothing-----")
    desk.fake.clock.skew = 0.0
    unknown = AppKey(99, desk.app.key, clock=desk.fake.clock, adapter=desk.fake.adapter())
    with pytest.raises(Refused, match="does not take the signature"):
        unknown.login()


def test_a_long_verdict_is_within_the_limits_that_the_fake_enforces(desk: Desk) -> None:
    one = {"path": "b.txt", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    many = [{**one, "message": f"finding {n}"} for n in range(200)]
    wanted = replace(states.judged(desk.subject, VERDICTS["failed"]), annotations=many)
    made = publish(desk.forge, wanted)
    assert (made.left, made.writes <= 10) == ((), True)
    (check,) = desk.repo.checks_at(desk.pull.head_sha, CHECK)
    assert len(check["annotations"]) == 200
    assert publish(desk.forge, wanted).writes == 0


@pytest.mark.skipif(not openapi.cached().is_file(), reason="GitHub's description is not here")
def test_a_body_that_is_wrong_fails_the_test_that_sent_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wanted = states.opened(desk.subject)
    assert wanted.check
    output = {**wanted.check["output"], "texte": "x"}
    publish(desk.forge, replace(wanted, check={**wanted.check, "output": output}))
    with pytest.raises(AssertionError, match="output has an unknown texte"):
        desk.fake.assert_polite()
    desk.fake.undescribed = True
