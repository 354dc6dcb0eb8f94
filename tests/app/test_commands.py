from __future__ import annotations

from collections.abc import Sequence

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from llmops.app.commands import COMMANDS, MARKER, MOST_BYTES, MOST_THUMBS, Commands, Plans
from llmops.app.queue import Queue
from llmops.app.subjects import Subject
from llmops.errors import GitError, UsageError
from llmops.forge.base import ForgeError, Pull
from tests.app.conftest import HEAD, REPO, Clock, Memory
from tests.app.fakes import APP_ID, FakeForge

OTHER = "c" * 40
PULL = Subject(REPO, "pull", 7)


class Chat:
    """A pull request #7 of eve's fork; ann may write, bob may read."""

    def __init__(self) -> None:
        self.clock, self.disk = Clock(), Memory()
        self.forge, self.queue = FakeForge(self.clock), Queue(self.disk, self.clock)
        self.forge.open(7, HEAD)
        self.forge.may |= {"ann": "write", "mia": "maintain", "root": "admin", "tom": "triage"}
        self.done = Memory()
        self.commands = Commands(self.done, self.queue, APP_ID)
        self.plan_text = "### the plan"
        self.fails: Exception | None = None

    def plans(self) -> Plans:
        if self.fails:
            raise self.fails

        def why(pull: Pull, word: str) -> Sequence[str]:
            if word != "Evaluation/quality":
                raise UsageError(f'nothing is called "{word}"', hint='did you mean "quality"?')
            return ["+ evaluate Evaluation/quality runs: follows train", "```", "@octo/all <b>"]

        return Plans(lambda pull: f"{self.plan_text} of {pull.head_sha[:7]}", why)

    def say(self, body: str, by: str = "ann", **more: object) -> str:
        """Somebody comments, and what became of it."""
        return self.handle(self.forge.comment(7, body, by, **more))

    def handle(self, comment: int) -> str:
        subject = Subject(REPO, "comment", 7, comment=comment)
        return self.commands.answer(subject, self.forge, self.plans)  # type: ignore[arg-type]

    @property
    def last(self) -> str:
        return self.forge.answers()[-1]


@pytest.fixture
def chat() -> Chat:
    return Chat()


def test_help_lists_every_command(chat: Chat) -> None:
    chat.say("/llmops help")
    assert all(f"`/llmops {one.shape}`" in chat.last for one in COMMANDS.values())
    chat.say("/llmops")
    assert len(chat.forge.answers()) == 2


def test_a_plan_is_answered_with_the_plan(chat: Chat) -> None:
    chat.say("/llmops plan")
    assert chat.last == f"### the plan of {HEAD[:7]}"


def test_a_why_is_answered_in_a_fence_that_its_text_cannot_leave(chat: Chat) -> None:
    chat.say("/llmops why Evaluation/quality\nplease")
    assert chat.last.splitlines() == [
        "````", "+ evaluate Evaluation/quality runs: follows train", "```", "@octo/all <b>", "````",
    ]  # fmt: skip


def test_a_why_of_what_is_not_there_is_answered_with_what_is(chat: Chat) -> None:
    chat.say("/llmops why Evaluation/qualty")
    assert "nothing is called" in chat.last
    assert 'did you mean "quality"?' in chat.last
    chat.say("/llmops why")
    assert "why needs a spec" in chat.last


def test_gate_has_it_looked_at_again(chat: Chat) -> None:
    chat.say("/llmops gate")
    assert [one.subject for one in chat.queue.entries()] == [PULL]
    assert HEAD in chat.last


@pytest.mark.parametrize("by", ["ann", "mia", "root"])
def test_whoever_may_write_is_answered(chat: Chat, by: str) -> None:
    chat.say("/llmops help", by)
    assert len(chat.forge.answers()) == 1


@pytest.mark.parametrize("by", ["bob", "tom", "eve", "nobody"])
@pytest.mark.parametrize("command", ["help", "plan", "gate", f"run {HEAD}", "nonsense"])
def test_whoever_may_not_gets_a_thumb_down_and_nothing_happens(
    chat: Chat, by: str, command: str
) -> None:
    became = chat.say(f"/llmops {command}", by)
    assert "may not give commands" in became
    assert chat.forge.answers() == []
    assert chat.queue.entries() == ()
    path = f"repos/{REPO}/issues/comments/1000/reactions"
    assert chat.forge.sent == [(path, {"content": "-1"})]


def test_a_stranger_cannot_use_up_what_we_may_write(chat: Chat) -> None:
    for _ in range(100):
        chat.say("/llmops gate", "bob")
    assert len(chat.forge.sent) == MOST_THUMBS
    chat.clock.sleep(3600)
    chat.say("/llmops gate", "bob")
    assert len(chat.forge.sent) == MOST_THUMBS + 1


def test_a_permission_that_was_taken_away_meanwhile_counts(chat: Chat) -> None:
    asked = chat.forge.comment(7, "/llmops gate", "ann")
    chat.forge.may["ann"] = "read"
    chat.handle(asked)
    assert chat.queue.entries() == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"updated_at": "2026-11-26T10:00:00Z"}, "it was edited"),
        ({"user": {"login": "dep[bot]", "type": "Bot"}}, "no person"),
        ({"user": None}, "no person"),
        ({"performed_via_github_app": {"id": 1}}, "a program"),
        ({"issue_url": f"https://api.github.com/repos/{REPO}/issues/77"}, "elsewhere"),
    ],
)
def test_an_edited_comment_a_bots_and_one_that_stands_elsewhere_are_ignored(
    chat: Chat, more: dict[str, object], why: str
) -> None:
    chat.forge.may["dep[bot]"] = "admin"
    assert why in chat.say("/llmops gate", **more)
    assert chat.forge.answers() == []
    assert chat.forge.sent == []
    assert chat.queue.entries() == ()


def test_a_comment_that_is_gone_is_let_go(chat: Chat) -> None:
    assert chat.handle(99) == "it is gone"


def test_what_the_event_said_does_not_matter_but_what_the_comment_says(chat: Chat) -> None:
    assert chat.say("I said /llmops gate yesterday") == "it is no command"
    assert chat.queue.entries() == ()


def test_each_comment_is_answered_once_however_often_it_is_asked_for(chat: Chat) -> None:
    asked = chat.forge.comment(7, "/llmops help")
    for _ in range(10):
        chat.handle(asked)
    chat.commands = Commands(chat.done, chat.queue, APP_ID)  # a new start
    assert chat.handle(asked) == "was answered before"
    assert len(chat.forge.answers()) == 1


def test_a_kill_after_the_answer_and_before_it_is_noted_does_not_answer_twice(chat: Chat) -> None:
    chat.done.full_after = 0
    asked = chat.forge.comment(7, "/llmops help")
    with pytest.raises(Exception, match="No space"):
        chat.handle(asked)
    chat.done.full_after = 99
    assert chat.handle(asked) == "was answered before"
    assert len(chat.forge.answers()) == 1


def test_a_conversation_that_is_locked_is_let_be(chat: Chat) -> None:
    chat.forge.refuses = ("create-comment",)
    assert "could not be answered" in chat.say("/llmops help")
    assert "was answered before" in chat.handle(1000)


def test_a_stranger_cannot_forge_the_mark_of_an_answer(chat: Chat) -> None:
    chat.forge.comment(7, MARKER.format(1001) + "\nhm", "eve")
    chat.say("/llmops help")
    assert len(chat.forge.answers()) == 1


def test_an_outage_answers_later(chat: Chat) -> None:
    asked = chat.forge.comment(7, "/llmops plan")
    for trouble in (GitError("git cannot fetch"), ForgeError("github is down")):
        chat.fails = trouble
        with pytest.raises(type(trouble)):
            chat.handle(asked)
    chat.fails = None
    chat.handle(asked)
    assert len(chat.forge.answers()) == 1


# ---- run COMMIT --------------------------------------------------------------------------------


def test_whoever_names_the_exact_head_of_a_fork_has_its_runs_count(chat: Chat) -> None:
    chat.forge.workflow_runs = [
        {"id": 5, "head_sha": HEAD, "status": "completed", "conclusion": "action_required"},
        {"id": 6, "head_sha": HEAD, "status": "completed", "conclusion": "success"},
        {"id": 7, "head_sha": OTHER, "status": "completed", "conclusion": "action_required"},
    ]
    chat.say(f"/llmops run {HEAD}")
    assert [one.subject for one in chat.queue.entries()] == [PULL]
    assert chat.forge.sent == [
        (f"repos/{REPO}/issues/7/labels", {"labels": [f"llmops:{HEAD}"]}),
        (f"repos/{REPO}/actions/runs/5/approve", {}),
    ]
    assert f"`{HEAD}` count, as ann said" in chat.last
    assert b'"became": "answered' in next(iter(chat.done.files.values()))


@pytest.mark.parametrize(
    "words", ["run", f"run {HEAD[:12]}", f"run {HEAD} now", "run main", f"run {OTHER}",
              f"run {HEAD.upper()}", f"run {HEAD}0"],
)  # fmt: skip
def test_anything_else_than_the_exact_head_allows_nothing(chat: Chat, words: str) -> None:
    chat.forge.workflow_runs = [
        {"id": 5, "head_sha": HEAD, "status": "completed", "conclusion": "action_required"}
    ]
    chat.say(f"/llmops {words}")
    assert chat.queue.entries() == ()
    assert chat.forge.sent == []
    assert HEAD in chat.last  # what it is at


def test_a_push_between_the_word_and_its_turn_takes_the_word_away(chat: Chat) -> None:
    asked = chat.forge.comment(7, f"/llmops run {HEAD}")
    chat.forge.open(7, OTHER)
    chat.handle(asked)
    assert chat.queue.entries() == ()
    assert f"is not what this pull request is at\n\nit is at {OTHER}" in chat.last


def test_a_new_word_takes_the_place_of_the_old_ones_label(chat: Chat) -> None:
    chat.forge.open(7, HEAD, labels=[f"llmops:{OTHER}", "llmops:failed", "bug"])
    chat.say(f"/llmops run {HEAD}")
    taken, given = (what for what, _ in chat.forge.sent)
    assert taken == f"DELETE repos/{REPO}/issues/7/labels/llmops%3A{OTHER}"
    assert given == f"repos/{REPO}/issues/7/labels"


def test_an_answer_goes_through_the_cleaner(chat: Chat) -> None:
    chat.commands = Commands(chat.done, chat.queue, APP_ID, lambda page: page.replace("plan", "*"))
    chat.say("/llmops plan")
    assert chat.last == f"### the * of {HEAD[:7]}"


def test_the_author_cannot_allow_their_own_runs(chat: Chat) -> None:
    chat.forge.may["Eve"] = "write"
    chat.say(f"/llmops run {HEAD}", "Eve")
    assert "whoever wrote a pull request cannot allow its runs" in chat.last
    assert chat.queue.entries() == ()


def test_without_the_right_to_let_runs_go_the_answer_says_where_they_wait(chat: Chat) -> None:
    chat.forge.refuses = ("/approve",)
    chat.forge.workflow_runs = [
        {"id": 5, "head_sha": HEAD, "status": "completed", "conclusion": "action_required"}
    ]
    chat.say(f"/llmops run {HEAD}")
    assert f"https://github.com/{REPO}/actions/runs/5" in chat.last
    assert [one.subject for one in chat.queue.entries()] == [PULL]


@pytest.mark.parametrize("command", ["plan", "why Evaluation/quality", f"run {HEAD}"])
def test_a_closed_pull_request_is_told_as_such(chat: Chat, command: str) -> None:
    chat.forge.open(7, HEAD, state="closed")
    chat.say(f"/llmops {command}")
    assert "this pull request is closed" in chat.last


# ---- hostile text ------------------------------------------------------------------------------

HOSTILE = ["@octo/everyone", "<script>alert(1)</script>", "![x](https://evil.example/x)",
           "\x1b[2J\u202e", "`" * 40, "https://evil.example", "$(reboot)", "x" * 100_000, "#1",
           "<!-- llmops:gate v1 ", "](javascript:x)"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("shape", ["{}", "why {}", "run {}"])
def test_hostile_words_are_answered_dead(chat: Chat, text: str, shape: str) -> None:
    chat.say(f"/llmops {shape.format(text)}")
    assert len(chat.last) < 1500
    assert "\x1b" not in chat.last
    assert "\u202e" not in chat.last
    page = github_flavored_markdown_to_html(chat.last, Options.CMARK_OPT_UNSAFE)
    for active in ("<script", "<img", "<a ", "<!--"):
        assert active not in page
    assert "@octo/everyone" not in page.replace("<code>@octo/everyone</code>", "")


def test_a_plan_too_long_for_a_comment_is_cut_and_says_so(chat: Chat) -> None:
    chat.plan_text = "密" * 30 + "\n"
    chat.plan_text *= 10_000
    chat.say("/llmops plan")
    body = chat.forge.said[-1]["body"]
    assert len(body.encode()) <= MOST_BYTES
    assert body.startswith(MARKER.format(1000))
    assert body.endswith("the rest is left out: `llmops` prints it whole")
