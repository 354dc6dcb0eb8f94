"""What landed, held against what was judged: each step of a branch since the log began.

In: the verdicts of a log as they were derived again, the log, a clone with the branch. Out:
`Landed` for each first-parent commit, and a flaw for each whose tree nothing shows to have been
judged.

- `judged`: some verdict let exactly this tree land on exactly the tree of its first parent.
- `derived`: no verdict says so, and one follows now from the runs of the log: under what the first
  parent asks, with its policies, every gate holds on evidence of the same closures.
- `unchanged`: the tree is that of its first parent.
- `unjudged`: none of these.

How a tree came about makes no difference: merge, squash, rebase, queue, a push by hand, or a
history that was written anew. Only trees are compared, and only of the branch as it is now; commits
on which verdicts stand and which the branch does not have are told. The log began at the base of
its first verdict, or where that is not on the branch, at the first commit that has its trust root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llmops import __version__
from llmops.attest.given import Given, LedgerEnd, Named, Run
from llmops.audit.base import Flaw, Landed, LandedState, Unshown
from llmops.audit.rederived import Again, Log
from llmops.audit.times import in_utc
from llmops.derived import Derived, derived
from llmops.diagnostics import printable
from llmops.errors import LlmopsError, UsageError
from llmops.evidence.disclosed import Known
from llmops.evidence.statement import Evidence
from llmops.jobs.attempts import HELD
from llmops.rules.base import Finding, Outcome
from llmops.signing import trust
from llmops.source.tree import Repository, Step, Tree

_HINT = "revert it, or bring it as a change that is judged; llmops gate judges what is evidenced"


@dataclass(frozen=True, slots=True)
class Branch:
    """Which branch of which clone is looked at; "" for the one that changes land on."""

    clone: Repository
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Every step since the log began, oldest first. `gone`: bases of verdicts not on the branch."""

    branch: str
    steps: tuple[Landed, ...]
    flaws: tuple[Flaw, ...]
    gone: tuple[str, ...] = ()


def check(asked: Branch, again: Sequence[Again], log: Log) -> Found:
    """Every step of a branch. Raises UsageError: no such branch, or a history that was cut."""
    name, tip = _tip(asked)
    if asked.clone.is_shallow():
        what = f"the history of {printable(name, 100)} was cut when it was cloned"
        raise UsageError(what, hint="git fetch --unshallow, then ask again")
    chain = asked.clone.steps(tip)
    since = _since(chain, again, log, asked.clone)
    looker = _Looker(asked.clone, again, log)
    found = tuple(looker.look(step) for step in chain[since:])
    bad = tuple(_flaw(one, name) for one in found if one.state == "unjudged")
    here = {step.commit for step in chain}
    gone = {
        commit[:12]: None
        for one in again
        if (base := one.stated.given.base) is not None
        and (commit := base.commit) is not None
        and base.label == name
        and commit not in here
    }
    return Found(name, found, bad, tuple(gone))


def gaps(asked: Branch | None, found: Found) -> Iterator[Unshown]:
    """What this does not show: nothing was asked, or the branch is not as it was."""
    if asked is None:
        yield Unshown("landed")
    elif found.gone:
        yield Unshown("rewritten", len(found.gone), ", ".join(found.gone[:3]))


def _tip(asked: Branch) -> tuple[str, str]:
    """The branch's name and its last commit here: the server's copy where it is not behind."""
    clone = asked.clone
    name = asked.name or clone.default_branch()
    refs = (f"refs/heads/{name}", f"refs/remotes/origin/{name}")
    own, theirs = (clone.commit(ref) for ref in refs)
    if own is None and theirs is None:
        given = clone.commit(name) if asked.name else None
        if given is None:
            what = f'{printable(str(clone.root), 200)} has no branch "{printable(name, 100)}"'
            raise UsageError(what, hint="--branch names the one that changes land on")
        return name, given
    if own is None or theirs is None:
        return name, str(own or theirs)
    return name, own if clone.merge_base(own, theirs) == theirs else theirs


def _since(chain: Sequence[Step], again: Sequence[Again], log: Log, clone: Repository) -> int:
    """The index of the first step that is looked at."""
    places = {step.commit: number for number, step in enumerate(chain)}
    first = again[0].stated.given.base if again else None
    if first is not None and first.commit in places:
        return places[first.commit] + 1
    roots = {root.digest for root in log.chain.roots}
    for number, step in enumerate(chain):
        if _root(clone, step) in roots:
            return number + 1
    return 0


def _root(clone: Repository, step: Step) -> str:
    """The digest of a step's trust root, "" for none."""
    try:
        found = trust.of_tree(clone.tree(step.tree))
    except LlmopsError:
        return ""
    return found.newest.digest if found is not None else ""


@dataclass(frozen=True)
class _Looker:
    """Looks at single steps; what was judged is found by its two trees."""

    clone: Repository
    again: Sequence[Again]
    log: Log

    def look(self, step: Step) -> Landed:
        """What is known of a step."""
        if step.before is not None and step.before == step.tree:
            return _landed(step, "unchanged")
        entry = self._judged(step)
        if entry is not None:
            return _landed(step, "judged", entry=entry)
        if step.before is None:
            return _landed(step, "unjudged", "it has no commit before it that could ask anything")
        try:
            made = self._derived(step)
        except LlmopsError as error:
            return _landed(step, "unjudged", error.message)
        if made.judged.outcome.word in HELD:
            return _landed(step, "derived")
        return _landed(step, "unjudged", _why(made, self._named(step)))

    def _judged(self, step: Step) -> int | None:
        """The last verdict that let this tree land on the one before it."""
        held = [
            one.stated.number
            for one in self.again
            if one.judged.derived
            and one.stated.outcome in HELD
            and one.stated.given.head.tree == step.tree
            and one.stated.given.base is not None
            and one.stated.given.base.tree == step.before
        ]
        return held[-1] if held else None

    def _named(self, step: Step) -> str:
        """What verdicts said of this tree, on whatever it was to land."""
        told = [one for one in self.again if one.stated.given.head.tree == step.tree]
        if not told:
            return "no verdict is about this tree"
        last = told[-1].stated
        return f"entry {last.number} is about this tree on another base: {last.outcome}"

    def _derived(self, step: Step) -> Derived:
        """The verdict that follows now. Raises LlmopsError."""
        at = in_utc(step.committed_at)
        made = self._at(step, at)
        ended = max((in_utc(run.result.finished_at) for run in self._used(made)), default=at)
        return made if ended <= at else self._at(step, ended)

    def _at(self, step: Step, at: str) -> Derived:
        """The same, judged at a time (in UTC)."""
        known = Known(
            runs=self.log.runs.before(len(self.log.leaves)),
            ledger=self.log.ledger.before(len(self.log.leaves)),
            blob=self.log.material.blob,
            audits=self.log.repeated.before(len(self.log.leaves)),
        )
        given = self._given(step, at)
        return derived(given, known, self._tree, self.log.parsed, lots=False)

    def _given(self, step: Step, at: str) -> Given:
        """What a verdict on a step takes as given: no approval, and all that the log has."""
        assert step.parent is not None
        assert step.before is not None
        last = self.again[-1].stated.given if self.again else None
        counted = self.log.ledger.before(len(self.log.leaves))
        return Given(
            root=self.log.chain.newest.digest,
            log_size=len(self.log.leaves),
            log_root="",
            repository="",
            judged_at=at,
            tool_version=__version__,
            environment=last.environment if last is not None else "",
            change="",
            base=Named(step.parent[:7], step.before, step.parent),
            head=Named(step.commit[:7], step.tree, step.commit),
            ledger=LedgerEnd(len(counted), counted[-1].digest if counted else ""),
            authors=tuple(sorted(self.clone.authors(step.parent, step.commit))),
            runs=self._runs(),
        )

    def _runs(self) -> Mapping[str, Run]:
        """The newest run of each closure that the log has."""
        found: dict[str, tuple[str, Run]] = {}
        for one in self.log.runs.runs:
            evidence = one.evidence
            ended = evidence.result.finished_at
            if ended >= found.get(evidence.closure, ("", None))[0]:
                found[evidence.closure] = ended, Run(one.entry.digest, one.entry.number)
        return {closure: run for closure, (_, run) in found.items()}

    def _used(self, made: Derived) -> Iterator[Evidence]:
        needed = {step.job.closure for step in made.planned.plan.steps}
        return (o.evidence for o in self.log.runs.runs if o.evidence.closure in needed)

    def _tree(self, named: Named) -> Tree:
        found = self.clone.tree(named.tree)
        return replace(found, label=named.label, commit=named.commit)


def _why(made: Derived, told: str) -> str:
    """The first thing that keeps a derived verdict from holding."""
    worst: Sequence[Finding] = [f for f in made.judged.findings if f.outcome > Outcome.WARNED]
    first = f": {worst[0].gate}: {worst[0].message}" if worst else ""
    return f"{told}; derived now it is {made.judged.outcome.word}{first}"


def _landed(step: Step, state: LandedState, why: str = "", *, entry: int | None = None) -> Landed:
    return Landed(step.commit, step.tree, step.written_at, state, printable(why, 400), entry)


def _flaw(one: Landed, branch: str) -> Flaw:
    what = (
        f"commit {one.commit[:12]} of {printable(branch, 100)} landed tree {one.tree[:12]}"
        f" (written {one.at}), which was not judged: {one.why}"
    )
    return Flaw("git", what, _HINT, number=one.commit)
