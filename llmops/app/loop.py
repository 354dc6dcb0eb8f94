"""What no event told: a look at all that is open in a repository, now and then.

In: lists that a handful of requests give, however many pull requests there are. Out: into the
queue, whatever looks otherwise than when it was last put there. Each pull request, group and commit
has a print made of all that can move its verdict and shows in those lists: its head, its own time
of change, the tip it would land on, its runs, kept evidence. An hour is part of it too, since teams
change and waivers end without a trace; hours begin at another minute for each.

After a start nothing is known, so everything is looked at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from llmops.app.events import EVIDENCE, GROUPS, is_command
from llmops.app.queue import Disk, Queue
from llmops.app.subjects import Subject, is_branch, wrong
from llmops.digest import of_value
from llmops.forge.base import Forge, is_sha

FULL = 3600  # seconds after which a thing is looked at though nothing shows
# How often a new tip of the evidence branch is noticed: never sooner, and so seldom that looking
# again at all that waits for evidence takes at most 300 looks (3,000 requests) an hour.
SLOW, EACH = timedelta(seconds=240), timedelta(seconds=12)
MOST_LANDED = 100  # commits that may have landed unseen between two looks
OVERLAP, FIRST = timedelta(minutes=10), timedelta(days=1)  # how far back comments are read
_GROUP = re.compile(r"refs/heads/gh-readonly-queue/(.+)/pr-\d+-[0-9a-f]{40,64}")
_ISSUE = re.compile(r".*/pull/(\d{1,15})(?:#.*)?")


@dataclass
class _Known:
    """What was seen of a repository before."""

    prints: dict[Subject, str] = field(default_factory=dict)
    evidence: str = ""
    evidence_at: datetime | None = None
    wait: timedelta = SLOW
    comments_from: datetime | None = None
    comments: frozenset[Subject] = frozenset()  # put by the last looks


class Loop:
    """Remembers what it saw. One look at a time for each repository, as the queue has it.

    `noted` keeps, beyond an end of the process, the tip of the default branch, and which pull
    requests were open when they were last worked on: one that is no longer listed has closed, and
    its check must not stay in progress.
    """

    def __init__(self, queue: Queue, noted: Disk) -> None:
        self._queue, self._noted = queue, noted
        self._known: dict[str, _Known] = {}
        self._last: dict[str, datetime] = {}
        self._good: set[Subject] = set()
        noted_before = list(_read(noted))
        self._open = {one: name for one, name in noted_before if one.kind == "pull"}
        landed = [one for one, _ in noted_before if one.kind == "landed"]
        self._tips = {(one.repo, one.branch): one.sha for one in landed}

    def note(self, pull: Subject, *, open: bool, good: bool = False) -> None:
        """What a pull request was when it was worked on. `good`: no evidence can better it."""
        name = f"{pull.key}.json"
        (self._good.add if open and good else self._good.discard)(pull)
        if open and pull not in self._open:
            self._noted.write(name, json.dumps(pull.data()).encode())
            self._open[pull] = name
        elif not open and pull in self._open:
            self._noted.remove(name)
            del self._open[pull]

    def look(self, repo: str, forge: Forge) -> str:
        """Put what changed into the queue. Returns how many, in words."""
        known = self._known.setdefault(repo, _Known())
        now = forge.clock.now()
        prints = dict(_prints(repo, forge, known, now, frozenset(self._good)))
        changed = [one for one, print_ in prints.items() if known.prints.get(one) != print_]
        gone = [one for one in tuple(self._open) if one.repo == repo and one not in prints]
        branch, tip = _tip(repo, forge)
        news = _landed(repo, forge, branch, tip, self._tips.get((repo, branch), ""))
        asked = list(_comments(repo, forge, known, now))
        wanted = [*changed, *gone, *news, *(one for one in asked if one not in known.comments)]
        for subject in wanted:
            self._queue.put(subject)
        # only now: what could not be put is put by the next look
        known.prints, known.comments_from, self._last[repo] = prints, now - OVERLAP, now
        known.comments = frozenset(asked)
        self._note_tip(repo, branch, tip)
        known.wait = max(SLOW, EACH * len(prints.keys() - self._good))
        return f"{len(prints)} open, {len(wanted)} to look at"

    def _note_tip(self, repo: str, branch: str, tip: str) -> None:
        if tip and tip != self._tips.get((repo, branch)):
            name = f"{Subject(repo, 'landed', branch=branch).key}.json"
            told = Subject(repo, "landed", sha=tip, branch=branch)
            self._noted.write(name, json.dumps(told.data()).encode())
            self._tips[repo, branch] = tip

    def last(self) -> Mapping[str, datetime]:
        """When each repository was last looked at as a whole."""
        return dict(self._last)


def _read(noted: Disk) -> Iterator[tuple[Subject, str]]:
    """What an earlier process noted."""
    for name in noted.names():
        try:
            yield Subject.of(json.loads(noted.read(name))), name
        except (ValueError, RecursionError):
            noted.set_aside(name)


def _prints(
    repo: str, forge: Forge, known: _Known, now: datetime, good: frozenset[Subject]
) -> Iterator[tuple[Subject, str]]:
    """Every open pull request and merge group with its print."""
    runs = _runs(repo, forge)
    evidence = _evidence(forge, known, now)
    tips: dict[str, str | None] = {}
    for pull in forge.every(f"repos/{repo}/pulls", state="open"):
        number, head, base = pull["number"], pull["head"]["sha"], pull["base"]["ref"]
        if base not in tips:
            tips[base] = forge.tip(base)
        subject = Subject(repo, "pull", number)
        more = "" if subject in good else evidence
        told = [head, base, tips[base], pull.get("updated_at"), pull.get("draft"), more]
        yield subject, _print([*told, runs.get(head, []), _hour(now, number)])
    for ref in forge.get(f"repos/{repo}/git/matching-refs/heads/{GROUPS}") or ():
        found, sha = _GROUP.fullmatch(str(ref["ref"])), str(ref["object"]["sha"])
        if found and is_branch(found[1]) and is_sha(sha):
            told = [sha, runs.get(sha, []), evidence, _hour(now, int(sha[:6], 16))]
            yield Subject(repo, "group", sha=sha, branch=found[1]), _print(told)


def _print(told: list[Any]) -> str:
    return of_value(told)


def _hour(now: datetime, own: int) -> int:
    return int(now.timestamp() + own * 37 % FULL) // FULL


def _runs(repo: str, forge: Forge) -> Mapping[str, list[list[Any]]]:
    """The newest hundred workflow runs, by the commit they run at."""
    listed = forge.get(f"repos/{repo}/actions/runs", per_page=100) or {}
    found: dict[str, list[list[Any]]] = {}
    for run in listed.get("workflow_runs", []):
        told = [run["id"], run.get("run_attempt"), run.get("status"), run.get("conclusion")]
        found.setdefault(run["head_sha"], []).append(told)
    return found


def _evidence(forge: Forge, known: _Known, now: datetime) -> str:
    """The tip of the evidence branch, as it was seen some minutes ago.

    Every verdict of ours moves that branch: looked at each time, one would wake all others.
    """
    seen = known.evidence_at
    if seen is None or not timedelta(0) <= now - seen < known.wait:
        known.evidence, known.evidence_at = forge.tip(EVIDENCE) or "", now
    return known.evidence


def _tip(repo: str, forge: Forge) -> tuple[str, str]:
    """The default branch and its tip, "" where there is none."""
    branch = str((forge.get(f"repos/{repo}") or {}).get("default_branch", ""))
    return branch, (forge.tip(branch) or "") if is_branch(branch) else ""


def _landed(repo: str, forge: Forge, branch: str, tip: str, before: str) -> list[Subject]:
    """Commits on the default branch since the last look, oldest first.

    What stood there at the very first look landed before anybody judged: it is let be.
    """
    if not before or tip in ("", before):
        return []
    news = _since(repo, forge, branch, tip, before)
    found = [Subject(repo, "landed", sha=sha, branch=branch) for sha in news]
    return [one for one in found if not wrong(one)]


def _since(repo: str, forge: Forge, branch: str, tip: str, before: str) -> list[str]:
    """First parents from the tip back to what was there before; the tip alone after a rewrite."""
    listed = forge.get(f"repos/{repo}/commits", sha=branch, per_page=MOST_LANDED) or []
    parents = {one["sha"]: (one.get("parents") or [{}])[0].get("sha") for one in listed}
    found: list[str] = []
    at: str | None = tip
    while at and at != before and at in parents:
        found.insert(0, at)
        at = parents[at]
    return found if at == before else [tip]


def _comments(repo: str, forge: Forge, known: _Known, now: datetime) -> Iterator[Subject]:
    """Comments that begin as a command does; whoever answers knows which it has answered."""
    since = known.comments_from or now - FIRST
    told = {"since": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "sort": "created", "direction": "asc"}
    for one in forge.every(f"repos/{repo}/issues/comments", **told):
        pull = _ISSUE.fullmatch(str(one.get("html_url", "")))
        if pull and is_command(str(one.get("body") or "")):
            subject = Subject(repo, "comment", int(pull[1]), comment=one["id"])
            if not wrong(subject):
                yield subject
