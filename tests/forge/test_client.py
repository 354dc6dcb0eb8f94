from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from llmops.errors import UsageError
from llmops.forge.auth import Fixed
from llmops.forge.base import (
    CHECK,
    ForgeError,
    Pull,
    Refused,
    Repo,
    Review,
    RunArtifact,
)
from llmops.forge.client import GitHub, connect
from tests.forge.scripted import Answer, github
from tests.forge.world import World
from tests.github import RESET, TRUNCATED, Fault


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("github"))


@pytest.fixture
def world(built: World) -> World:
    return built.reset()


def test_a_pull_request_is_read_whole(world: World) -> None:
    pull = world.client().pull(world.pull.number)
    assert pull == Pull(
        number=world.pull.number,
        state="open",
        merged=False,
        draft=False,
        head_sha=world.sha,
        head_ref="change",
        base_sha=world.pull.base_sha,
        base_ref="main",
        author="dev",
        from_fork=False,
        association="NONE",
        title="A change",
        head_repo="acme/bot",
    )
    assert world.client().open_pulls() == (pull,)
    assert world.client().pulls_of(world.sha) == (pull,)


def test_a_pull_request_of_a_fork_that_was_deleted_is_still_of_a_fork() -> None:
    value = {
        "number": 4,
        "state": "closed",
        "merged": True,
        "user": None,
        "head": {"sha": "a" * 40, "ref": "x", "repo": None},
        "base": {"sha": "b" * 40, "ref": "main", "repo": {"full_name": "acme/bot"}},
    }
    forge, _ = github(Answer(200, value), Answer(200, {**value, "base": {"sha": "b", "ref": "m"}}))
    pull = forge.pull(4)
    nowhere = forge.pull(4)
    assert pull is not None
    assert nowhere is not None
    assert nowhere.from_fork
    assert (pull.from_fork, pull.author, pull.head_repo, pull.merged) == (True, "", "", True)


def test_a_pull_request_that_is_not_there_is_none_and_a_wrong_repository_is_told(
    world: World,
) -> None:
    assert world.client().pull(404) is None
    wrong = world.client()
    wrong = connect(
        Repo("acme", "wrong"), wrong.wire.token, clock=wrong.clock, adapter=wrong.wire.inner
    )
    for call in (lambda: wrong.pull(1), lambda: wrong.tip("main")):
        with pytest.raises(Refused, match="no repository acme/wrong that this token may see"):
            call()


def test_the_tip_of_a_branch_with_a_slash_and_of_a_deleted_one(world: World) -> None:
    world.repo.git.set("refs/heads/feature/a%b", world.sha)
    assert world.client().tip("feature/a%b") == world.sha
    assert world.client().tip("feature") is None
    assert world.client().tip("deleted") is None


def test_a_ref_that_only_begins_like_the_branch_is_not_its_tip() -> None:
    longer = {"ref": "refs/heads/mainline", "object": {"sha": "a" * 40}}
    forge, _ = github(Answer(200, longer), Answer(200, {"full_name": "acme/bot"}))
    assert forge.tip("main") is None


def test_a_branch_of_any_name_is_one_part_of_the_path() -> None:
    forge, script = github(Answer(404, {}), Answer(200, {"full_name": "acme/bot"}))
    assert forge.tip("a/b?c=1#d%2e/../e") is None
    assert script.asked()[0].endswith("/git/ref/heads/a%2Fb%3Fc%3D1%23d%252e%2F..%2Fe")


def test_only_open_pull_requests_with_that_very_head_are_its_own() -> None:
    def pull(number: int, state: str, sha: str) -> dict[str, object]:
        end = {"ref": "x", "repo": {"full_name": "acme/bot"}}
        return {
            "number": number,
            "state": state,
            "user": {"login": "dev"},
            "head": {**end, "sha": sha},
            "base": {**end, "sha": "b" * 40},
        }

    sha = "a" * 40
    listed = [pull(1, "closed", sha), pull(2, "open", "c" * 40), pull(3, "open", sha)]
    forge, _ = github(Answer(200, listed))
    assert [one.number for one in forge.pulls_of(sha)] == [3]


def test_reviews_tell_who_what_and_at_which_commit(world: World) -> None:
    world.pull.review("APPROVED", by="bob", commit=world.sha)
    world.pull.review("COMMENTED", by="helper[bot]", commit=world.sha)
    found = world.client().reviews(world.pull.number)
    assert [(one.by, one.state, one.commit, one.by_bot) for one in found] == [
        ("bob", "APPROVED", world.sha, False),
        ("helper[bot]", "COMMENTED", world.sha, True),
    ]
    assert isinstance(found[0], Review)


def test_a_review_of_a_deleted_account_has_no_name() -> None:
    value = {"id": 1, "user": None, "state": "APPROVED", "commit_id": None}
    forge, _ = github(Answer(200, [value]))
    assert forge.reviews(1) == (Review(1, "", "APPROVED", "", ""),)


def test_teams_and_roles(world: World) -> None:
    world.fake.team("acme/owners", "alice")
    world.repo.roles |= {"bob": "maintain", "carol": "read"}
    app = world.fake.app("gate", members="read", metadata="read", pull_requests="read")
    forge = world.connected(Fixed(world.fake.token(app, world.repo), app.bot, app.id))
    assert forge.in_team("@acme/owners", "alice") is True
    assert forge.in_team("owners", "mallory") is False
    assert forge.in_team("acme/nobody", "alice") is None
    assert forge.permission("bob") == "maintain"
    assert forge.permission("stranger") in ("none", "read")


def test_a_team_that_we_may_not_ask_about_is_unknown() -> None:
    forge, _ = github(Answer(403, {"message": "Resource not accessible by integration"}))
    assert forge.in_team("acme/owners", "alice") is None


def test_lists_of_several_pages_are_read_to_the_end(world: World) -> None:
    for number in range(230):
        world.repo.comment(world.pull.number, f"words {number}", by="alice")
    found = list(world.client().comments(world.pull.number))
    assert [one.body for one in found] == [f"words {number}" for number in range(230)]
    assert {one.by for one in found} == {"alice"}


def test_a_comment_is_made_and_changed(world: World) -> None:
    forge = world.client()
    made = forge.create_comment(world.pull.number, "one")
    changed = forge.update_comment(made.id, "two")
    assert (changed.id, changed.body, changed.by) == (made.id, "two", "github-actions[bot]")


@pytest.mark.parametrize("fault", [Fault(status=502), RESET, TRUNCATED])
def test_a_comment_equal_to_an_older_one_is_made_all_the_same(world: World, fault: Fault) -> None:
    forge = world.client()
    for lost in (False, False, True):
        world.fake.faults.add(replace(fault, lost=lost), method="POST")
        forge.create_comment(world.pull.number, "same words")
    assert len(world.repo.comments) == 3


@pytest.mark.parametrize("fault", [Fault(status=502), RESET, TRUNCATED])
def test_a_check_equal_to_an_older_one_is_made_all_the_same(world: World, fault: Fault) -> None:
    forge, body = world.client(), world.publication(annotations=0).check
    assert body is not None
    for lost in (False, False, True):
        world.fake.faults.add(replace(fault, lost=lost), method="POST")
        forge.create_check(body)
    assert len(world.repo.checks) == 3


def test_a_create_is_repeated_after_longer_and_longer_pauses() -> None:
    made = {"id": 9, "user": {"login": "me"}, "body": "words"}
    none, lost = Answer(200, []), Answer(502)
    forge, script = github(none, lost, none, lost, none, lost, none, Answer(201, made))
    assert forge.create_comment(1, "words").id == 9
    posts = [at for at, one in script.sent if one.method == "POST"]
    gaps = [b - a for a, b in pairwise(posts)]
    assert gaps == [1.0, 1.5, 3.0]


def test_a_branch_that_is_protected_by_words_of_an_attack_goes_quoted(world: World) -> None:
    forge = world.client()
    assert forge.tip("../../../user") is None
    assert forge.tip("x?y=1#z") is None
    with pytest.raises(UsageError):
        forge.in_team("acme/..", "alice")
    assert all(".." not in request.path.split("/")[:4] for request, _ in world.fake.requests)


def test_artifacts_come_whole_from_another_host_without_our_token(
    world: World, tmp_path: Path
) -> None:
    run = world.fake.run(world.repo, world.sha)
    run.upload("llmops-evidence-a", {"manifest.json": b"{}"})
    forge = world.client()
    (listed,) = forge.runs(world.sha)
    (artifact,) = forge.artifacts(listed.id)
    forge.download(artifact, tmp_path / "a.zip", 10_000)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["manifest.json"]
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]
    world.fake.assert_polite()


ZIP = io.BytesIO(b"PK" + b"\0" * 5_000).getvalue()
HERE = Answer(302, None, {"Location": "https://storage.example/zip?sig=SIGNATURE"})
ARTIFACT = RunArtifact(1, "a\x1b[31m", 10, 2, False)


@pytest.mark.parametrize(
    ("artifact", "answers", "said"),
    [
        (replace(ARTIFACT, expired=True), [], "has expired"),
        (replace(ARTIFACT, size_bytes=9_999), [], "9999 bytes, more than 1000 are not read"),
        (ARTIFACT, [HERE, Answer(200, ZIP)], "more than 1000 bytes"),
        (
            replace(ARTIFACT, digest="sha256:" + "0" * 64),
            [HERE, Answer(200, b"PK")],
            "digest differs",
        ),
        (ARTIFACT, [HERE] * 3, "never to bytes"),
        (ARTIFACT, [HERE, Answer(403, b"<Error/>")], "github refuses GET /zip"),
        (ARTIFACT, [Answer(302, None, {"Location": "http://storage.example/"})], "another host"),
        (ARTIFACT, [Answer(410, {"message": "Artifact has expired"})], "Artifact has expired"),
    ],
)
def test_an_artifact_that_is_not_what_it_should_be_leaves_nothing(
    tmp_path: Path, artifact: RunArtifact, answers: list[Answer], said: str
) -> None:
    forge, script = github(*answers)
    with pytest.raises(ForgeError, match=said) as caught:
        forge.download(artifact, tmp_path / "a.zip", 1_000)
    assert list(tmp_path.iterdir()) == []
    assert "SIGNATURE" not in f"{caught.value} {caught.value.hint}"
    assert "\x1b" not in str(caught.value)
    assert all("Authorization" not in one.headers for _, one in script.sent[1:])


def test_an_artifact_that_breaks_off_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    forge, script = github(HERE, Answer(200, ZIP, cut=700), Answer(200, ZIP))
    forge.download(ARTIFACT, tmp_path / "a.zip", 10_000)
    assert (tmp_path / "a.zip").read_bytes() == ZIP
    assert len(script.sent) == 3


def test_a_folder_that_cannot_be_written_is_told_and_not_asked_again(tmp_path: Path) -> None:
    forge, script = github(HERE, Answer(200, ZIP))
    with pytest.raises(ForgeError, match="an artifact cannot be written: No such file"):
        forge.download(ARTIFACT, tmp_path / "missing" / "a.zip", 10_000)
    assert len(script.sent) <= 2


@pytest.mark.parametrize(
    "body", [[], "text", 7, {"number": 1}, {"number": "x", "state": "open", "head": {}, "base": {}}]
)
def test_an_answer_of_another_shape_is_told_and_no_traceback(body: object) -> None:
    forge, _ = github(Answer(200, body))
    with pytest.raises(ForgeError, match="github"):
        forge.pull(1)
    forge, _ = github(Answer(200, body))
    with pytest.raises(ForgeError, match="github"):
        forge.checks("a" * 40, CHECK)


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (401, {}, {"message": "Bad credentials"}, "github does not know this token"),
        (
            403,
            {"X-Accepted-GitHub-Permissions": "checks=write"},
            {"message": "Resource not accessible by integration"},
            "the token lacks checks: write (PATCH /x: Resource not accessible by integration)",
        ),
        (
            403,
            {"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"},
            {},
            "the token lacks issues: write or pull_requests: write",
        ),
        (
            403,
            {},
            {"message": "You must authenticate via a GitHub App."},
            "only an App may do this",
        ),
        (404, {}, {"message": "Not Found"}, "github refuses PATCH /x: Not Found (404)"),
        (
            422,
            {},
            {"message": "Validation Failed", "errors": [{"field": "body", "code": "missing"}]},
            "github refuses PATCH /x: Validation Failed; body missing (422)",
        ),
        (
            422,
            {},
            {"message": "No commit found for SHA: abc"},
            "No commit found for SHA: abc (422)",
        ),
        (410, {}, b"<html>", "github refuses PATCH /x: gone (410)"),
        (451, {}, {"message": "\x1b[31mred", "errors": "x"}, "\\x1b[31mred"),
    ],
)
def test_a_refusal_says_what_was_asked_and_what_is_missing(
    status: int, headers: dict[str, str], body: object, said: str
) -> None:
    forge, _ = github(Answer(status, body, headers))
    with pytest.raises(Refused) as caught:
        forge.send("PATCH", "x", {})
    assert said in caught.value.message
    assert caught.value.status == status


def test_who_we_are_is_asked_once_where_the_token_does_not_tell(world: World) -> None:
    forge = world.person("alice")
    assert (forge.login(), forge.login()) == ("alice", "alice")
    assert len(world.fake.requests) == 1


def test_an_installations_token_asks_graphql_who_it_is() -> None:
    forge, script = github(
        Answer(403, {"message": "Resource not accessible by integration"}),
        Answer(200, {"data": {"viewer": {"login": "llmops-gate[bot]"}}}),
    )
    assert forge.login() == "llmops-gate[bot]"
    assert script.asked() == ["GET /user", "POST /graphql"]


def test_a_list_without_end_ends() -> None:
    again = Answer(200, [1] * 100, {"Link": '<https://api.github.com/x>; rel="next"'})
    forge, _ = github(*[again] * 201)
    with pytest.raises(ForgeError, match="more than 20000 items"):
        list(forge.every("x"))


@pytest.mark.parametrize(
    "url", ["http://ghe.acme.example", "ftp://x", "api.github.com", "https://"]
)
def test_a_token_is_not_sent_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError, match="no address of an API"):
        connect(Repo("acme", "bot"), "ghs_x", api_url=url)


def test_a_client_of_an_enterprise_server_asks_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "https://ghe.acme.example/api/v3")
    forge = connect(Repo("acme", "bot"), "ghs_x")
    assert isinstance(forge, GitHub)
    assert forge.wire.home == "https://ghe.acme.example/api/v3"
