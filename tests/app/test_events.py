from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.app.events import READERS, MalformedError, read
from llmops.app.subjects import Subject, wrong
from tests.app.conftest import BASE, HEAD, REPO, event, pull_event

PULL = Subject(REPO, "pull", 7)
COMMIT = Subject(REPO, "commit", sha=HEAD)
SWEEP = Subject(REPO, "sweep")
LANDED = Subject(REPO, "landed", sha=HEAD, branch="main")
GROUP = Subject(REPO, "group", sha=HEAD, branch="release/1.x")
QUEUED = f"gh-readonly-queue/release/1.x/pr-7-{BASE}"


def comment(body: str = "/llmops help", action: str = "created", **more: Any) -> dict[str, Any]:
    return event(
        action=action,
        issue={"number": 7, "pull_request": {"url": "x"}},
        comment={"id": 99, "body": body, "user": {"login": "ann", "type": "User"}, **more},
    )


def run(**more: Any) -> dict[str, Any]:
    return event(action="completed", workflow_run={"head_sha": HEAD, "id": 5, **more})


def check(name: str = "llmops/gate", action: str = "rerequested") -> dict[str, Any]:
    return event(action=action, check_run={"name": name, "head_sha": HEAD, "check_suite": {}})


def push(ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    return event(ref=ref, after=HEAD, deleted=False, **more)


READ = {
    "pull request": ("pull_request", pull_event(), (PULL,)),
    "review": ("pull_request_review", pull_event(action="submitted"), (PULL,)),
    "review dismissed": ("pull_request_review", pull_event(action="dismissed"), (PULL,)),
    "closed": ("pull_request", pull_event(action="closed"), (PULL,)),
    "label": ("pull_request", pull_event(action="labeled"), ()),
    "our check again": ("check_run", check(), (COMMIT,)),
    "another check again": ("check_run", check("lint"), ()),
    "our check made": ("check_run", check(action="created"), ()),
    "suite again": (
        "check_suite", event(action="rerequested", check_suite={"head_sha": HEAD}), (COMMIT,),
    ),
    "suite done": ("check_suite", event(action="completed", check_suite={"head_sha": HEAD}), ()),
    "run": ("workflow_run", run(head_branch="change"), (COMMIT,)),
    "run of a group": ("workflow_run", run(head_branch=QUEUED), (GROUP,)),
    "run of a fork without branch": ("workflow_run", run(head_branch=None), (COMMIT,)),
    "group": (
        "merge_group",
        event(action="checks_requested",
              merge_group={"head_sha": HEAD, "base_ref": "refs/heads/release/1.x"}),
        (GROUP,),
    ),
    "group gone": (
        "merge_group",
        event(action="destroyed", merge_group={"head_sha": HEAD, "base_ref": "refs/heads/main"}),
        (),
    ),
    "push to the target": ("push", push(), (LANDED, SWEEP)),
    "push to another branch": ("push", push("refs/heads/wip"), (SWEEP,)),
    "push of evidence": ("push", push("refs/heads/llmops-evidence"), (SWEEP,)),
    "push of the log": ("push", push("refs/heads/llmops-log"), ()),
    "push of a tag": ("push", push("refs/tags/v1"), ()),
    "push of a merge queue": ("push", push(f"refs/heads/{QUEUED}"), ()),
    "deleted branch": ("push", {**push("refs/heads/main"), "deleted": True}, (SWEEP,)),
    "command": ("issue_comment", comment(), (Subject(REPO, "comment", 7, comment=99),)),
    "talk": ("issue_comment", comment("I like /llmops"), ()),
    "edited": ("issue_comment", comment(action="edited"), ()),
    "a word further down": ("issue_comment", comment("fine\n/llmops run x"), (PULL,)),
    "a word taken back": ("issue_comment", comment("/llmops run x", action="deleted"), (PULL,)),
    "a word edited away": (
        "issue_comment",
        comment("no", action="edited") | {"changes": {"body": {"from": "/llmops run x"}}},
        (PULL,),
    ),
    "a bot's": ("issue_comment", comment(user={"login": "x[bot]", "type": "Bot"}), ()),
    "unknown event": ("star", event(action="created"), ()),
}  # fmt: skip


@pytest.mark.parametrize(("name", "payload", "wanted"), READ.values(), ids=READ)
def test_an_event_comes_to_ids_alone(name: str, payload: Any, wanted: Any) -> None:
    found = read(name, payload)
    assert (found.repo, found.subjects) == (REPO, wanted)
    assert bool(found.why) == (not wanted)


def test_a_comment_on_an_issue_is_no_command() -> None:
    talk = comment()
    del talk["issue"]["pull_request"]
    assert read("issue_comment", talk).subjects == ()


def test_events_of_an_installation_are_of_every_repository() -> None:
    for name in ("installation", "installation_repositories"):
        found = read(name, {"action": "created", "repositories": [{"full_name": "x/y"}]})
        assert (found.repo, found.subjects, found.why) == ("", (), "")


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inside = value.items() if isinstance(value, dict) else []
    return [at, *(path for key, one in inside for path in paths(one, (*at, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    made = copy.deepcopy(value)
    there = made
    for key in path[:-1]:
        there = there[key]
    there[path[-1]] = new
    return made


HOSTILE = [
    None, True, 0, -1, 1.5, 2**70, "", "main\n", "$(reboot)", "../../etc/passwd", "-x", "a..b",
    "refs/heads/--upload-pack=x", "a b", "\x00", "\u202egnp", "\ud800", "x" * 100_000, [], {},
    [[[]]], {"number": 7}, "A" * 40, "a" * 39, "octo/bank/../x", "é/x", "octo/bank\n", HEAD + "\n",
]  # fmt: skip


@pytest.mark.parametrize(("name", "payload", "wanted"), READ.values(), ids=READ)
def test_a_hostile_value_anywhere_is_malformed_or_comes_to_proper_ids(
    name: str, payload: Any, wanted: Any
) -> None:
    for path in paths(payload):
        for value in HOSTILE:
            spoilt = put(payload, path, value)
            try:
                found = read(name, spoilt)
            except MalformedError:
                continue
            assert [wrong(subject) for subject in found.subjects] == [""] * len(found.subjects)
            assert all(subject.repo == found.repo for subject in found.subjects)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["repository", "full_name", "action", "pull_request", "number", "ref",
                         "after", "merge_group", "head_sha", "base_ref", "comment", "issue"])
        | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(st.sampled_from([*READERS, "installation", "ping", "x"]), JSON)
def test_any_json_is_an_event_or_malformed(name: str, payload: Any) -> None:
    try:
        found = read(name, payload)
    except MalformedError:
        return
    assert all(wrong(subject) == "" for subject in found.subjects)


def test_fields_that_are_no_id_change_nothing() -> None:
    """Titles, bodies, logins, branches of a head: whatever stands there, the subjects are equal."""
    told = random.Random(6)
    for name, payload, wanted in READ.values():
        noise = json.loads(json.dumps(payload))
        noise |= {"sender": {"login": "mallory"}, "title": "/llmops run", "organization": None}
        for part in ("pull_request", "workflow_run"):
            if part in noise:
                noise[part] |= {"title": str(told.random()), "head": {"ref": "`id`", "sha": "x"}}
        assert read(name, noise).subjects == wanted


@pytest.mark.parametrize(
    "branch",
    ["", "-x", "a//b", "/a", "a/", "a..b", "a.lock", "a.lock/b", ".a", "a/.b", "a b", "a\tb", "a^b",
     "a~1", "a:b", "a?", "a*", "a[b", "a\\b", "a@{0}", "a.", "x" * 256, "a\x7f"],
)  # fmt: skip
def test_what_git_calls_no_branch_is_none(branch: str) -> None:
    assert wrong(Subject(REPO, "landed", sha=HEAD, branch=branch)) == "branch is none"


def test_a_branch_in_any_language_is_one() -> None:
    for branch in ("main", "release/1.x", "修复/提示词", "a-b_c.d"):
        assert wrong(Subject(REPO, "landed", sha=HEAD, branch=branch)) == ""


def test_a_subject_is_told_in_a_few_words() -> None:
    told = {str(subject) for *_, wanted in READ.values() for subject in wanted}
    assert told == {
        f"{REPO} pull #7", f"{REPO} commit aaaaaaaaaaaa", f"{REPO} sweep",
        f"{REPO} landed main aaaaaaaaaaaa", f"{REPO} group release/1.x aaaaaaaaaaaa",
        f"{REPO} comment 99 on #7",
    }  # fmt: skip


def test_equal_subjects_have_one_key_and_different_ones_never() -> None:
    known = {subject.key: subject for *_, wanted in READ.values() for subject in wanted}
    for *_, wanted in READ.values():
        assert all(known[subject.key] == subject for subject in wanted)
    keys = {Subject(f"o/r{n}", "pull", n).key for n in range(1, 500)}
    assert len(keys) == 499
    assert all(key.replace("-", "").isalnum() for key in keys)
