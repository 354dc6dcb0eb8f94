"""Chat commands: a comment `/llmops why X` on a pull request -> one comment that answers it.

In: a comment's id; what it says and who wrote it are read from GitHub when it is its turn. Out: an
answer whose text of others is escaped, to whoever may write to the repository; a thumb down to
whoever may not. An edited comment, a bot's, and one of ours are never obeyed, and each comment is
answered once: a marker in the answer says whose it is, and a file says it to us without asking.

To add one: a function (`_Asked` -> Markdown), and one line in `COMMANDS`. None executes anything
of a pull request's head; plans read it as data.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from llmops.app.events import COMMAND, is_command
from llmops.app.queue import Disk, Queue
from llmops.app.subjects import Subject
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError
from llmops.forge.base import Forge, GaveUp, Pull, Refused, is_sha
from llmops.reports.escape import code, fence, size, text

WRITERS = ("admin", "maintain", "write")
LABEL = "llmops:"  # and a commit: whoever may write has named it
MARKER = "<!-- llmops:answer v1 comment={} -->"
MOST_BYTES = 60_000
MOST_THUMBS = 20  # an hour, for each repository
MOST_WORDS = 500  # characters of a command that are read


@dataclass(frozen=True, slots=True)
class Plans:
    """What answers are made of: the Markdown of a plan, the lines of a why."""

    plan: Callable[[Pull], str]
    why: Callable[[Pull, str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One command of somebody who may give it."""

    repo: str
    pull: Pull
    by: str
    words: tuple[str, ...]
    forge: Forge
    queue: Queue
    plans: Callable[[], Plans]
    where: str  # the repository's page


class Commands:
    """Answers comments. `done` keeps what became of each, `clean` leaves secrets out of a page."""

    def __init__(
        self,
        done: Disk,
        queue: Queue,
        app_id: int,
        clean: Callable[[str], str] = str,
        server: str = "https://github.com",
    ) -> None:
        self._done, self._queue, self._app_id, self._clean = done, queue, app_id, clean
        self._server = server
        self._thumbs: dict[str, list[datetime]] = {}

    def answer(self, subject: Subject, forge: Forge, plans: Callable[[], Plans]) -> str:
        """What became of a comment, in words. Raises ForgeError: later again."""
        name = f"{subject.key}.json"
        if name in self._done.names():
            return "was answered before"
        became = self._answer(subject, forge, plans)
        told = {"format_version": 1, "subject": subject.data(), "became": became}
        told |= {"at": forge.clock.now().isoformat(timespec="seconds")}
        self._done.write(name, json.dumps(told, sort_keys=True).encode() + b"\n")
        return became

    def _answer(self, subject: Subject, forge: Forge, plans: Callable[[], Plans]) -> str:
        found = forge.get(f"repos/{subject.repo}/issues/comments/{subject.comment}")
        if why := _ignored(found, subject, self._app_id):
            return why
        by = str(found["user"]["login"])
        if forge.permission(by) not in WRITERS:
            self._thumb_down(subject, forge)
            return f"{printable(by, 60)} may not give commands"
        if self._answered(subject, forge):
            return "was answered before"
        pull = forge.pull(subject.number)
        if pull is None:
            return "there is no such pull request"
        words = tuple(str(found["body"])[:MOST_WORDS].split("\n")[0].split()[1:])
        where = f"{self._server}/{subject.repo}"
        asked = _Asked(subject.repo, pull, by, words, forge, self._queue, plans, where)
        told = self._clean(_said(asked))
        try:
            forge.create_comment(subject.number, _fitted(subject.comment, told))
        except Refused as refused:  # a locked conversation, or one that is gone
            return f"could not be answered: {refused.message}"
        return f"answered {' '.join(words)[:80]!r} of {printable(by, 60)}"

    def _thumb_down(self, subject: Subject, forge: Forge) -> None:
        """Tell whoever may not, as long as that is no way to use up what GitHub lets us write."""
        now = forge.clock.now()
        lately = [at for at in self._thumbs.get(subject.repo, []) if now - at < timedelta(hours=1)]
        self._thumbs[subject.repo] = lately
        if len(lately) >= MOST_THUMBS:
            return
        path = f"repos/{subject.repo}/issues/comments/{subject.comment}/reactions"
        with contextlib.suppress(Refused):  # a locked conversation
            forge.repeat(path, {"content": "-1"})
        lately.append(now)

    def _answered(self, subject: Subject, forge: Forge) -> bool:
        """Whether an answer of ours stands there: this process, or one before it, was cut short."""
        marker = MARKER.format(subject.comment)
        return any(
            one.by_app == self._app_id and one.body.startswith(marker)
            for one in forge.comments(subject.number)
        )


def _ignored(found: Any, subject: Subject, app_id: int) -> str:
    """Why a comment is none to obey, "" for one that is."""
    if not isinstance(found, Mapping):
        return "it is gone"
    user = found.get("user")
    if not isinstance(user, Mapping) or user.get("type") != "User" or not user.get("login"):
        return "no person wrote it"
    if found.get("performed_via_github_app"):
        return "a program wrote it"
    if found.get("created_at") != found.get("updated_at"):
        return "it was edited: a command is a new comment"
    if not str(found.get("issue_url", "")).endswith(f"/{subject.number}"):
        return "it stands elsewhere"
    return "" if is_command(str(found.get("body") or "")) else "it is no command"


def _said(asked: _Asked) -> str:
    """The answer's Markdown: what a command says, or what was wrong with it."""
    name = asked.words[0].lower() if asked.words else "help"
    command = COMMANDS.get(name)
    if command is None:
        hint = did_you_mean(name, COMMANDS, otherwise="`/llmops help` lists the commands")
        shown = f"There is no command {code(name, 60)}"
        return f"{shown}: {text(hint) if '`' not in hint else hint}"
    try:
        return command.make(asked)
    except GaveUp:
        raise
    except UsageError as error:
        hint = f"\n\n{text(error.hint)}" if error.hint else ""
        return f"{text(error.message)}{hint}"


def _fitted(comment: int, told: str) -> str:
    body = f"{MARKER.format(comment)}\n{told}"
    if size(body) <= MOST_BYTES:
        return body
    kept = body.encode()[: MOST_BYTES - 200].decode("utf-8", "ignore")
    return f"{kept.rpartition(chr(10))[0]}\n\n… the rest is left out: `llmops` prints it whole"


# ---- the commands ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Command:
    """How a command is written, what it does, and what makes its answer."""

    shape: str
    line: str
    make: Callable[[_Asked], str]


def _help(asked: _Asked) -> str:
    rows = [f"* `{COMMAND} {one.shape}` {one.line}" for one in COMMANDS.values()]
    told = "For people who may write to this repository; a command is a comment's first line."
    return "\n".join([told, "", *rows])


def _plan(asked: _Asked) -> str:
    _expect_open(asked)
    return asked.plans().plan(asked.pull)


def _why(asked: _Asked) -> str:
    _expect_open(asked)
    if len(asked.words) != 2:
        raise UsageError("why needs a spec", hint="as in /llmops why Evaluation/support-quality")
    lines = asked.plans().why(asked.pull, asked.words[1])
    return "\n".join(fence(lines[:200]))


def _gate(asked: _Asked) -> str:
    asked.queue.put(Subject(asked.repo, "pull", asked.pull.number))
    return f"Looking again at #{asked.pull.number} at {code(asked.pull.head_sha)}."


def _run(asked: _Asked) -> str:
    """Somebody who is not the author names the exact commit whose runs count."""
    _expect_open(asked)
    sha = asked.words[1] if len(asked.words) == 2 else ""
    if not is_sha(sha):
        what = "run needs a commit, with all of its 40 digits"
        raise UsageError(what, hint=f"read the change, then write /llmops run {_head(asked)}")
    if sha != asked.pull.head_sha:
        what = f"{sha[:12]} is not what this pull request is at"
        raise UsageError(what, hint=f"it is at {_head(asked)}: read that, and name it")
    if asked.by.casefold() == asked.pull.author.casefold():
        what = "whoever wrote a pull request cannot allow its runs"
        raise UsageError(what, hint="somebody else with write access has to name the commit")
    _label(asked, sha)
    notes = _started(asked)
    asked.queue.put(Subject(asked.repo, "pull", asked.pull.number))
    told = f"Runs at {code(sha)} count, as {text(asked.by)} said; a push needs a new word."
    return "\n\n".join([told, *notes])


def _label(asked: _Asked, sha: str) -> None:
    """The label that starts the runs of this commit on machines of one's own, in place of others.

    Workflows of `init` look for it; it alone starts nothing where an environment has reviewers.
    """
    path = f"repos/{asked.repo}/issues/{asked.pull.number}/labels"
    name = f"{LABEL}{sha}"
    stale = [one for one in asked.pull.labels if is_sha(one.removeprefix(LABEL)) and one != name]
    for one in stale:
        asked.forge.send("DELETE", f"{path}/{quote(one, safe='')}", {})
    asked.forge.repeat(path, {"labels": [name]})


def _started(asked: _Asked) -> list[str]:
    """GitHub holds back runs of some forks; with the permission to, we let these go."""
    notes = []
    for run in asked.forge.runs(asked.pull.head_sha):
        if "action_required" not in (run.status, run.conclusion):
            continue
        try:
            asked.forge.repeat(f"repos/{asked.repo}/actions/runs/{run.id}/approve", {})
            notes.append(f"Run {run.id} was let go.")
        except Refused:
            notes.append(f"Run {run.id} waits for a person: {asked.where}/actions/runs/{run.id}")
    return notes


def _head(asked: _Asked) -> str:
    return asked.pull.head_sha


def _expect_open(asked: _Asked) -> None:
    if asked.pull.state != "open":
        raise UsageError("this pull request is closed", hint="open it again first")


COMMANDS: Mapping[str, _Command] = {
    "plan": _Command("plan", "what this change makes necessary, and why", _plan),
    "why": _Command("why KIND/NAME", "the reason for a job, or for its reuse", _why),
    "gate": _Command("gate", "look again now", _gate),
    "run": _Command("run COMMIT", "you have read exactly this commit: its runs count", _run),
    "help": _Command("help", "this list", _help),
}
