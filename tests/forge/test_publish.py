from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.forge.auth import ACTIONS_APP, ACTIONS_LOGIN, Fixed
from llmops.forge.base import CHECK, COMMENT, Publication
from llmops.forge.client import GitHub
from llmops.forge.publish import persist, publish
from tests.forge.world import World, note
from tests.github import RESET, TIMEOUT, TRUNCATED, Fault


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("github"))


@pytest.fixture
def world(built: World) -> World:
    return built.reset()


def whole(world: World, results: int = 2) -> Publication:
    """A publication that has every part there is."""
    tool = {"driver": {"name": "llmops", "rules": []}}
    run = {"tool": tool, "results": [{"message": {"text": "x"}}] * results}
    sarif = json.dumps({"version": "2.1.0", "runs": [run]}).encode()
    packed = base64.b64encode(gzip.compress(sarif)).decode()
    deployment = {"ref": world.sha, "environment": "prod", "required_contexts": []}
    return replace(
        world.publication(annotations=200),
        sarif={"commit_sha": world.sha, "ref": "refs/heads/change", "sarif": packed},
        deployments=[
            {
                "deployment": deployment,
                "status": {"state": "inactive", "description": "not passed"},
            }
        ],
    )


def test_a_verdict_is_to_be_seen_in_all_its_parts_with_at_most_ten_writes(world: World) -> None:
    wanted = whole(world)
    done = publish(world.client(), wanted)
    assert done.left == ()
    assert done.writes == len(world.fake.writes()) == 9
    assert done.check_url
    assert done.comment_url
    world.shows(wanted)
    assert len(world.repo.sarifs) == 1
    (deployment,) = world.repo.deployments.values()
    assert [one["state"] for one in deployment["statuses"]] == ["inactive"]
    world.fake.assert_polite()


def test_publishing_what_is_there_writes_nothing(world: World) -> None:
    wanted = whole(world)
    publish(world.client(), wanted)
    before = len(world.fake.writes())
    again = publish(world.client(), wanted)
    assert (again.writes, again.left) == (0, ())
    assert again.check_url
    assert again.comment_url
    assert len(world.fake.writes()) == before


def test_findings_are_uploaded_again_where_they_are_others(world: World) -> None:
    publish(world.client(), whole(world))
    publish(world.client(), whole(world, results=3))
    assert len(world.repo.sarifs) == 2


def test_findings_that_could_not_be_uploaded_are_later(world: World) -> None:
    world.fake.faults.add(Fault(status=503), times=8, method="POST", path="sarifs")
    first = publish(world.client(), whole(world))
    assert [one.partition(":")[0] for one in first.left] == ["sarif", "deployments"]
    again = publish(world.client(), whole(world), first.writes)
    assert again.left == ()
    assert len(world.repo.sarifs) == len(world.repo.deployments) == 1


def test_more_than_ten_writes_are_left_for_the_next_call(world: World) -> None:
    many = [{"deployment": {"ref": world.sha, "description": str(n)}} for n in range(9)]
    wanted = replace(whole(world), deployments=many)
    first = publish(world.client(), wanted)
    assert first.writes == len(world.fake.writes()) == 10
    assert first.left == ("deployments: 10 writes are made; publish again for the rest",)
    assert publish(world.client(), wanted).left == ()
    assert len(world.repo.deployments) == 9


def test_the_time_in_the_comments_foot_alone_is_no_reason_to_write(world: World) -> None:
    wanted = world.publication()
    publish(world.client(), wanted)
    later = replace(wanted, comment=str(wanted.comment).replace("08:00", "09:00"))
    assert publish(world.client(), later).writes == 0


def test_a_comment_that_somebody_edited_is_put_right(world: World) -> None:
    wanted = world.publication()
    publish(world.client(), wanted)
    (comment,) = world.sticky()
    comment["body"] = comment["body"].replace("### failure", "### passed")
    publish(world.client(), wanted)
    world.shows(wanted)


def test_another_verdict_changes_the_same_check_and_the_same_comment(world: World) -> None:
    opened = replace(
        world.publication(annotations=0),
        check={
            "name": CHECK,
            "head_sha": world.sha,
            "status": "in_progress",
            "external_id": "opened",
            "output": {"title": "running", "summary": "…"},
        },
    )
    publish(world.client(), opened)
    (first,) = world.visible()
    assert first["status"] == "in_progress"
    publish(world.client(), world.publication("failure", 2))
    assert [one["id"] for one in world.visible()] == [first["id"]]
    world.shows(world.publication("failure", 2))


def test_annotations_that_hold_no_longer_are_not_to_be_seen(world: World) -> None:
    publish(world.client(), world.publication("failure", 3))
    publish(world.client(), world.publication("success", 0))
    world.shows(world.publication("success", 0))


def test_annotations_that_hold_still_are_not_told_twice(world: World) -> None:
    publish(world.client(), world.publication("failure", 60))
    publish(world.client(), world.publication("action_required", 120))
    world.shows(world.publication("action_required", 120))
    assert len(world.repo.checks) == 1


def test_a_strangers_comment_with_our_marker_is_neither_taken_nor_edited(world: World) -> None:
    planted = world.repo.comment(world.pull.number, f"{COMMENT}-->\n### ✅ passed", by="mallory")
    publish(world.client(), world.publication())
    publish(world.client(), world.publication("success"))
    assert planted["body"] == f"{COMMENT}-->\n### ✅ passed"
    ours = [one for one in world.sticky() if one["by"] == ACTIONS_LOGIN]
    assert [one["body"] for one in ours] == [world.publication("success").comment]


def test_a_strangers_check_with_our_name_is_neither_taken_nor_changed(world: World) -> None:
    other = world.fake.app("impostor")
    forge = world.connected(Fixed(world.fake.token(other, world.repo), other.bot, other.id))
    publish(forge, world.publication("success", 0))
    publish(world.client(), world.publication("failure"))
    found = {one["app"].slug: one["conclusion"] for one in world.visible()}
    assert found == {"impostor": "success", "github-actions": "failure"}


def test_a_strangers_check_is_known_as_such_by_a_token_that_knows_its_login_alone(
    world: World,
) -> None:
    other, own = world.fake.app("impostor"), world.fake.app("llmops-gate")
    planted = world.connected(Fixed(world.fake.token(other, world.repo), other.bot, other.id))
    publish(planted, world.publication("success", 0))
    publish(world.connected(Fixed(world.fake.token(own, world.repo), own.bot)), world.publication())
    found = {one["app"].slug: one["conclusion"] for one in world.visible()}
    assert found == {"impostor": "success", "llmops-gate": "failure"}


def test_a_token_that_knows_its_app_need_not_ask_who_it_is(world: World) -> None:
    for _ in range(2):
        forge = world.connected(Fixed(world.fake.workflow_token(world.repo), "", ACTIONS_APP))
        publish(forge, replace(world.publication(), comment=None))
    assert len(world.repo.checks) == 1
    assert not [one for one, _ in world.fake.requests if one.path in ("user", "graphql")]


@pytest.mark.parametrize("changed", [{"conclusion": "success"}, {"external_id": "of before"}])
def test_a_check_that_says_something_else_is_put_right(
    world: World, changed: dict[str, str]
) -> None:
    publish(world.client(), world.publication())
    (check,) = world.visible()
    check |= changed
    publish(world.client(), world.publication())
    world.shows(world.publication())


def test_a_check_without_a_digest_is_compared_word_for_word(world: World) -> None:
    wanted = world.publication()
    body = {key: value for key, value in (wanted.check or {}).items() if key != "external_id"}
    plain = replace(wanted, check=body)
    publish(world.client(), plain)
    assert publish(world.client(), plain).writes == 0
    other = replace(plain, check={**body, "output": {"title": "other", "summary": "words"}})
    assert publish(world.client(), other).writes == 1
    assert world.visible()[0]["output"]["summary"] == "words"


def test_a_token_that_tells_nothing_of_itself_finds_its_own_check_again(world: World) -> None:
    app = world.fake.app("llmops-gate")
    for _ in range(2):
        forge = world.connected(Fixed(world.fake.token(app, world.repo), app.bot))
        publish(forge, world.publication())
    assert len(world.repo.checks) == len(world.sticky()) == 1


@pytest.mark.parametrize("mode", ["append", "off"])
def test_the_comment_may_be_one_a_state_or_none(world: World, mode: Any) -> None:
    for conclusion in ("failure", "failure", "success", "success"):
        wanted = replace(world.publication(conclusion), comment_mode=mode)
        publish(world.client(), wanted)
    assert len(world.sticky()) == (2 if mode == "append" else 0)


def test_a_persons_token_gets_a_commit_status_and_does_not_try_a_check(world: World) -> None:
    forge = world.person("alice")
    done = publish(forge, world.publication())
    assert done.as_status
    assert done.left == ()
    assert world.repo.state_of(world.sha, CHECK) == "failure"
    assert not world.repo.checks
    assert publish(forge, world.publication()).writes == 0


def test_a_token_without_checks_write_gets_a_commit_status_too(world: World) -> None:
    may = {"statuses": "write", "issues": "write", "pull_requests": "write", "checks": "read"}
    done = publish(world.client(world.fake.workflow_token(world.repo, **may)), world.publication())
    assert done.as_status
    assert world.repo.state_of(world.sha, CHECK) == "failure"


def test_what_a_token_may_not_do_is_named_and_the_rest_is_done(world: World) -> None:
    token = world.fake.workflow_token(world.repo, checks="write")
    done = publish(world.client(token), world.publication())
    assert len(world.visible()) == 1
    told = "\n".join(done.left)
    assert "comment: the token lacks issues: read or pull_requests: read (GET " in told
    assert "labels: " in told
    assert "`permissions:` of the job: issues: read or pull-requests: read" in told


def test_a_forks_token_that_only_reads_leaves_everything_and_raises_nothing(world: World) -> None:
    may = dict.fromkeys(("checks", "issues", "pull_requests", "statuses", "contents"), "read")
    done = publish(world.client(world.fake.workflow_token(world.repo, **may)), world.publication())
    assert [one.partition(":")[0] for one in done.left] == ["status", "comment", "labels"]
    assert not world.fake.writes()


def test_one_annotation_that_github_refuses_does_not_cost_the_check(world: World) -> None:
    bad = {**note(1), "start_line": 9, "end_line": 3}
    done = publish(world.client(), replace(world.publication(), annotations=[note(0), bad]))
    (check,) = world.visible()
    assert check["conclusion"] == "failure"
    assert any(one.startswith("annotations: ") for one in done.left)


def test_labels_of_others_stay(world: World) -> None:
    world.pull.labels += ["bug", "llmops: passed", "llmops: looser"]
    publish(world.client(), world.publication())
    assert set(world.pull.labels) == {"bug", "llmops: failed"}


def test_a_label_that_was_taken_away_unheard_is_no_trouble(world: World) -> None:
    world.pull.labels += ["llmops: passed"]
    world.fake.faults.add(Fault(status=502, lost=True), method="DELETE", path="labels")
    assert publish(world.client(), world.publication()).left == ()
    assert set(world.pull.labels) == {"llmops: failed"}


@pytest.mark.parametrize(
    "fault",
    [Fault(status=502, lost=True), replace(RESET, lost=True), replace(TRUNCATED, lost=True)],
)
@pytest.mark.parametrize("path", ["check-runs", "comments", "labels", "deployments"])
def test_a_write_that_happened_unheard_is_not_made_twice(
    world: World, fault: Fault, path: str
) -> None:
    wanted = replace(
        world.publication(annotations=120),
        deployments=[{"deployment": {"ref": world.sha, "required_contexts": []}, "status": {}}],
    )
    for method in ("POST", "PATCH"):
        world.fake.faults.add(fault, times=2, method=method, path=path)
    done = persist(world.client(), wanted)
    assert done.left == ()
    world.shows(wanted)
    assert len(world.repo.checks) == len(world.repo.deployments) == 1
    world.fake.assert_polite()


def test_a_write_that_did_not_happen_is_made_again(world: World) -> None:
    for method in ("POST", "PATCH"):
        world.fake.faults.add(Fault(status=502), times=2, method=method)
    wanted = world.publication(annotations=120)
    assert persist(world.client(), wanted).left == ()
    world.shows(wanted)


def test_the_ten_writes_are_counted_over_all_that_it_took(world: World) -> None:
    world.fake.faults.add(Fault(status=502), times=8, method="POST", path="comments")
    done = persist(world.client(), world.publication(annotations=60))
    assert done.left == ()
    assert len(world.fake.writes()) <= done.writes <= 10


@pytest.mark.parametrize("path", ["check-runs", "comments"])
def test_two_publishers_at_once_leave_one_check_and_one_comment(world: World, path: str) -> None:
    """The second publishes in full between the first one's look and its write."""
    wanted = world.publication()
    between = _Between(world.client(), path, lambda: publish(world.client(), wanted))
    publish(between.forge, wanted)
    assert between.done
    world.shows(wanted)


def test_two_publishers_of_two_verdicts_at_once_leave_one_check(world: World) -> None:
    """Who looked first writes last: what stands is one whole verdict, in check and comment."""
    other = world.publication("success", 0)
    between = _Between(world.client(), "check-runs", lambda: publish(world.client(), other))
    publish(between.forge, world.publication())
    world.shows(world.publication())


@pytest.mark.parametrize("path", ["check-runs", "comments"])
def test_whoever_is_overtaken_ends_on_what_all_can_see(world: World, path: str) -> None:
    """Another publisher's create arrives right after ours: GitHub shows the newest check."""
    forge, wanted = world.client(), world.publication()
    other = world.publication("success", 0)

    def overtake() -> None:
        assert other.check is not None
        if path == "check-runs":
            world.client().create_check(other.check)
        else:
            world.client().create_comment(world.pull.number, str(other.comment))

    assert _Between(forge, path, overtake, after=True).publish(wanted)
    if path == "check-runs":
        world.shows(wanted)
    assert world.sticky()[0]["body"] == wanted.comment


class _Between:
    """Does something right before, or after, the first POST to a path."""

    def __init__(self, forge: GitHub, path: str, action: Any, *, after: bool = False) -> None:
        self.forge, self.path, self.action, self.done = forge, path, action, False
        self.after = after
        self._send = forge.wire.inner.send
        forge.wire.inner.send = self.send  # type: ignore[method-assign]

    def send(self, request: Any, *args: Any, **named: Any) -> Any:
        due = request.method == "POST" and request.path_url.endswith(self.path) and not self.done
        self.done = self.done or due
        if due and not self.after:
            self.action()
        answer = self._send(request, *args, **named)
        if due and self.after:
            self.action()
        return answer

    def publish(self, wanted: Publication) -> bool:
        publish(self.forge, wanted)
        return self.done


FAULTS = st.sampled_from(
    [
        Fault(status=500),
        Fault(status=503, lost=True),
        RESET,
        replace(RESET, lost=True),
        TRUNCATED,
        replace(TIMEOUT, lost=True),
        Fault("limited", status=429, retry_after=7),
        Fault("limited", status=403, reset=90),
        Fault("limited", status=403),
    ]
)


@given(script=st.lists(st.tuples(FAULTS, st.integers(1, 3)), max_size=6))
@settings(max_examples=25, deadline=None)
def test_whatever_goes_wrong_the_end_is_the_same(
    built: World, script: list[tuple[Fault, int]]
) -> None:
    world = built.reset()
    for fault, times in script:
        world.fake.faults.add(fault, times=times)
    wanted = world.publication(annotations=60)
    done = persist(world.client(), wanted, within_seconds=7200)
    assert done.left == ()
    assert done.writes <= 10
    world.shows(wanted)
    assert len(world.repo.checks) == 1
    assert publish(world.client(), wanted).writes == 0
    world.fake.assert_polite()
