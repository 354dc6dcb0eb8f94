"""The fake itself: what others build on it must be able to trust."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests

from tests.github import RESET, TIMEOUT, TRUNCATED, Fault
from tests.github.world import API, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_pull_request_follows_what_is_pushed_with_git(world: World, tmp_path: Path) -> None:
    pull = world.repo.pull("change", {"b.txt": "2\n"})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "-b", "change", world.repo.path, clone], check=True)
    who = ["-c", "user.name=dev", "-c", "user.email=dev@users.noreply.github.com"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], cwd=clone, check=True)
    subprocess.run(["git", "push", "-q"], cwd=clone, check=True)
    tip = world.repo.tip("change")
    assert world.ask("GET", "pulls/1").json()["head"]["sha"] == tip == pull.head_sha
    assert world.repo.git.run("rev-parse", "refs/pull/1/head") == tip
    assert [d.name for d in world.fake.webhooks().pending] == [
        "push", "pull_request.opened", "push", "pull_request.synchronize",
    ]  # fmt: skip


def test_the_merge_of_a_pull_request_is_a_commit_of_both(world: World) -> None:
    pull = world.repo.pull("change", {"b.txt": "2\n"})
    tip = world.repo.push({"c.txt": "3\n"})
    merged = pull.merge_commit()
    assert merged
    assert world.repo.git.run("rev-parse", f"{merged}^1", f"{merged}^2").split() == [
        tip, pull.head_sha,
    ]  # fmt: skip
    assert world.repo.git.run("ls-tree", "--name-only", merged).split() == [
        "a.txt", "b.txt", "c.txt",
    ]  # fmt: skip
    world.repo.push({"b.txt": "other\n"})
    assert pull.merge_commit() is None
    assert world.ask("GET", "pulls/1").json()["mergeable"] is False


def test_a_fork_a_force_push_and_a_deleted_branch_are_seen(world: World) -> None:
    fork = world.repo.fork("eve")
    pull = world.repo.pull("evil", {"b.txt": "2\n"}, by="eve", source=fork)
    first = pull.head_sha
    assert world.repo.git.has(first)
    forced = pull.push({"b.txt": "3\n"}, onto=world.repo.tip())
    assert (pull.head_sha, world.repo.git.is_ancestor(first, forced)) == (forced, False)
    fork.delete_branch("evil")
    shown = world.ask("GET", "pulls/1").json()
    assert (shown["head"]["sha"], shown["head"]["repo"]["full_name"]) == (forced, "eve/llm")
    pull.source = None
    assert world.ask("GET", "pulls/1").json()["head"]["repo"] is None


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"status": "completed"}, "conclusion is missing"),
        ({"conclusion": "great"}, "conclusion is not included"),
        ({"output": {"title": "t", "summary": "界" * 21_846}}, "65535"),
        ({"output": {"title": "t", "summary": "s", "annotations": [{}] * 51}}, "No more than 50"),
        ({"output": {"title": "t", "summary": "s", "annotations": [{"path": "a"}]}}, "start_line"),
    ],
)
def test_a_check_that_github_would_refuse_is_refused(
    world: World, more: dict[str, object], word: str
) -> None:
    world.fake.undescribed = True
    answer = world.check(**more)
    assert answer.status_code == 422
    assert word in answer.json()["message"]
    assert not world.repo.checks


def test_annotations_are_appended_and_a_newer_check_hides_the_older(world: World) -> None:
    one = {"path": "a.txt", "start_line": 1, "end_line": 1, "annotation_level": "failure",
           "message": "m"}  # fmt: skip
    said = {"title": "t", "summary": "s", "annotations": [one] * 50}
    number = world.check(output=said).json()["id"]
    changed = world.ask("PATCH", f"check-runs/{number}", output=said, conclusion="failure").json()
    assert (changed["output"]["annotations_count"], changed["status"]) == (100, "completed")
    assert world.repo.state_of(world.repo.tip(), "llmops/gate") == "failure"
    world.check(status="in_progress")
    assert world.repo.state_of(world.repo.tip(), "llmops/gate") == "in_progress"
    where = f"commits/{world.repo.tip()}/check-runs?filter=all&check_name=llmops/gate"
    assert world.ask("GET", where).json()["total_count"] == 2


def test_a_check_is_changed_by_its_own_app_only_and_never_by_a_person(world: World) -> None:
    number = world.check().json()["id"]
    world.use(world.fake.workflow_token(world.repo))
    forged = world.ask("PATCH", f"check-runs/{number}", conclusion="success")
    assert forged.status_code == 403
    world.use(world.fake.person_token("acme"))
    assert world.check(conclusion="success").status_code == 403


def test_a_token_without_a_permission_hears_which_one(world: World) -> None:
    world.use(world.fake.workflow_token(world.repo, contents="read"))
    answer = world.check()
    assert answer.status_code == 403
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "checks=write"


def test_a_token_ends_after_an_hour(world: World) -> None:
    assert world.ask("GET", "pulls").status_code == 200
    world.fake.clock.advance(3600)
    assert world.ask("GET", "pulls").status_code == 401


def test_a_lost_answer_has_had_its_effect(world: World) -> None:
    world.fake.faults.add(Fault("reset", lost=True), method="POST")
    with pytest.raises(requests.ConnectionError):
        world.check()
    assert len(world.repo.checks) == 1
    world.fake.faults.add(Fault(status=502, lost=True), Fault(status=502), method="POST")
    assert [world.check().status_code for _ in range(3)] == [502, 502, 201]
    assert len(world.repo.checks) == 3


def test_faults_look_as_they_do_on_a_network(world: World) -> None:
    world.fake.faults.add(RESET, TRUNCATED, TIMEOUT)
    with pytest.raises(requests.ConnectionError, match="reset"):
        world.ask("GET", "pulls")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        world.ask("GET", "")
    with pytest.raises(requests.ReadTimeout):
        world.ask("GET", "pulls")
    assert world.fake.clock.monotonic() == 10
    world.fake.faults.add(Fault("slow", seconds=80))
    world.repo.pull("change", {"b.txt": "2\n"})
    assert world.ask("GET", "pulls").json()
    assert world.fake.clock.monotonic() >= 90


def test_whoever_comes_too_early_is_told_of(world: World) -> None:
    world.fake.faults.add(Fault("limited", status=429, retry_after=30))
    assert world.ask("GET", "pulls").headers["Retry-After"] == "30"
    world.fake.clock.advance(29)
    assert world.ask("GET", "pulls").status_code == 403
    with pytest.raises(AssertionError, match=r"came 1\.0 s before it was allowed"):
        world.fake.assert_polite()
    world.fake.limits.breaches.clear()
    world.fake.clock.advance(1)
    assert world.ask("GET", "pulls").status_code == 200
    world.fake.assert_polite()


def test_two_writes_within_a_second_are_told_of(world: World) -> None:
    world.check()
    world.session.post(f"{API}/repos/acme/llm/labels", json={"name": "x"}, timeout=10)
    with pytest.raises(AssertionError, match=r"came 0\.00 s after another write"):
        world.fake.assert_polite()


def test_an_hour_has_a_budget(world: World) -> None:
    world.fake.limits.budget = 2
    answers = [world.ask("GET", "pulls") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 403]
    assert answers[2].headers["X-RateLimit-Remaining"] == "0"
    now = world.fake.clock.true_now().timestamp()
    assert int(answers[2].headers["X-RateLimit-Reset"]) == now + 3600


def test_a_list_comes_in_pages(world: World) -> None:
    for number in range(5):
        world.repo.pull(f"change-{number}", {"b.txt": f"{number}\n"})
    first = world.ask("GET", "pulls?per_page=2")
    assert [p["number"] for p in first.json()] == [5, 4]
    last = world.session.get(first.links["last"]["url"], timeout=10)
    assert [p["number"] for p in last.json()] == [1]
    assert "next" not in last.links


def test_an_artifact_comes_from_a_host_that_must_not_see_the_token(world: World) -> None:
    run = world.fake.run(world.repo, world.repo.tip())
    made = run.upload("llmops-plan", {"plan.json": "{}"})
    listed = world.ask("GET", f"actions/runs/{run.id}/artifacts").json()["artifacts"]
    assert [(a["name"], a["digest"]) for a in listed] == [("llmops-plan", made.digest)]
    where = listed[0]["archive_download_url"]
    assert world.session.get(where, timeout=10).content == made.content
    world.fake.assert_polite()
    there = world.session.get(where, timeout=10, allow_redirects=False).headers["Location"]
    assert world.session.get(there, timeout=10).status_code == 400
    with pytest.raises(AssertionError, match="a token was sent to the storage host"):
        world.fake.assert_polite()


def test_it_answers_over_http_too(world: World) -> None:
    run = world.fake.run(world.repo, world.repo.tip())
    made = run.upload("llmops-plan", {"plan.json": "{}"})
    with world.fake.serve() as api, requests.Session() as session:
        session.headers["Authorization"] = world.session.headers["Authorization"]
        base = f"{api}/repos/acme/llm"
        zipped = session.get(f"{base}/actions/artifacts/{made.id}/zip", timeout=10)
        assert zipped.content == made.content
        world.fake.faults.add(RESET, TRUNCATED)
        with pytest.raises(requests.ConnectionError):
            session.get(base, timeout=10)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(base, timeout=10)
        assert session.get(base, timeout=10).json()["url"] == base
    world.fake.assert_polite()
