"""One subject -> what came of it: the table that says which verb serves which kind of subject.

In: a subject from the queue. Out: a line for the journal, or a ForgeError for later. A commit is
resolved to the pull requests that have it as their head; a sweep is a look at everything; a comment
is a command; the rest is one `reconcile` each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmops.app.events import GROUPS
from llmops.app.subjects import Kind, Subject
from llmops.errors import UsageError
from llmops.forge.base import Forge, ForgeError, GaveUp, Pull, Refused

if TYPE_CHECKING:
    from llmops.app.commands import Commands, Plans
    from llmops.app.loop import Loop
    from llmops.app.queue import Queue
    from llmops.gating.base import Desk, Settled
    from llmops.gating.base import Subject as Judged
    from llmops.pipeline import Planned


class LaterError(ForgeError):
    """The world failed while something was judged: it is judged again after a while."""


@dataclass(frozen=True)
class Bench:
    """What a repository's subjects are worked on with."""

    forge: Callable[[str], Forge]
    desk: Callable[[str], Desk]
    reconcile: Callable[[Desk, Judged], Settled]
    forget: Callable[[str], None] = lambda _repo: None  # what is known of an installation


@dataclass(frozen=True)
class Work:
    """Looks at one subject. Call it with what the queue gives."""

    bench: Bench
    queue: Queue
    loop: Loop
    commands: Commands

    def __call__(self, subject: Subject) -> str:
        """What came of it, in words. Raises ForgeError: later again."""
        try:
            return _TABLE[subject.kind](self, subject)
        except Refused:
            self.bench.forget(subject.repo)  # installed anew, it has other ids
            raise


def _pull(work: Work, subject: Subject) -> str:
    from llmops.gating.base import PullRequest

    return _settled(work, subject, PullRequest(subject.number))


def _group(work: Work, subject: Subject) -> str:
    from llmops.gating.base import Group

    return _settled(work, subject, Group(subject.sha, subject.branch))


def _landed(work: Work, subject: Subject) -> str:
    from llmops.gating.base import Landed

    return _settled(work, subject, Landed(subject.sha, subject.branch))


def _settled(work: Work, subject: Subject, judged: Judged) -> str:
    """One look. What the world failed to give is asked for again; what is missing is waited for."""
    desk = work.bench.desk(subject.repo)
    try:
        settled = work.bench.reconcile(desk, judged)
    except UsageError as error:  # it is not there, so there is nothing to be right about
        return error.message
    notes = "; ".join(settled.notes[:3])
    if settled.published.resume_at:
        raise GaveUp(f"not all is published: {notes}", resume_at=settled.published.resume_at)
    if settled.again and settled.state == "not judged" and settled.verdict is None:
        if subject.kind == "group" and not _exists(desk, subject.sha):
            return f"the group is gone ({notes})"
        raise LaterError(f"not judged: {notes}")
    if subject.kind == "pull":
        good = settled.state in ("passed", "warned")
        work.loop.note(subject, open=settled.state != "closed", good=good)
    return f"{settled.state}{f' ({notes})' if notes else ''}"


def _exists(desk: Desk, sha: str) -> bool:
    """Whether a commit is still a merge group."""
    listed = desk.forge.get(f"repos/{desk.forge.repo}/git/matching-refs/heads/{GROUPS}") or ()
    return any(ref["object"]["sha"] == sha for ref in listed)


def _commit(work: Work, subject: Subject) -> str:
    """The pull requests that have it as their head, each a subject of its own."""
    pulls = work.bench.forge(subject.repo).pulls_of(subject.sha)
    for pull in pulls:
        work.queue.put(Subject(subject.repo, "pull", pull.number))
    return ", ".join(f"#{pull.number}" for pull in pulls) or "no open pull request is at it"


def _comment(work: Work, subject: Subject) -> str:
    def plans() -> Plans:
        return plans_of(work.bench.desk(subject.repo))

    return work.commands.answer(subject, work.bench.forge(subject.repo), plans)


def _sweep(work: Work, subject: Subject) -> str:
    return work.loop.look(subject.repo, work.bench.forge(subject.repo))


_TABLE: Mapping[Kind, Callable[[Work, Subject], str]] = {
    "pull": _pull,
    "group": _group,
    "landed": _landed,
    "commit": _commit,
    "comment": _comment,
    "sweep": _sweep,
}


def plans_of(desk: Desk) -> Plans:
    """Plans of a repository's pull requests, read as data from git."""
    from llmops.app.commands import Plans

    def plan(pull: Pull) -> str:
        from llmops.reports.render import render_plan

        return render_plan(_planned(desk, pull).plan, "markdown")

    def why(pull: Pull, word: str) -> list[str]:
        from llmops.graph.named import spec_named
        from llmops.reports.why import lines

        made = _planned(desk, pull)
        sides = [side for side in (made.both.head, made.both.base) if side is not None]
        graphs = [side.graph for side in sides if side.graph is not None]
        known = (ref for graph in graphs for ref in graph.specs)
        return list(lines(made.plan, spec_named(word, known)))

    return Plans(plan, why)


def _planned(desk: Desk, pull: Pull) -> Planned:
    from llmops.gating import evidence, judging, scenes

    scene = scenes.of_pull(desk, pull)
    evidence.pull(desk)
    return judging.planned(desk, scene, judging.read(desk, scene))
