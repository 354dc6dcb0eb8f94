"""The whole stream on one page: one short function per command.

Tree -> Document -> Spec -> Graph -> Change -> Plan -> Run -> Statement -> Verdict. Every command
is a prefix or a cut of it; nothing here prints, and everything here can be called from Python.
What runs and what judges is imported where it is used, so that a plan does not pay for either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops import __version__
from llmops.diagnostics import Diagnostic, Severity, Span, did_you_mean, has_errors
from llmops.digest import of_bytes
from llmops.errors import FetchError, StoreError, UsageError
from llmops.evidence.committed import committed
from llmops.evidence.store import Store
from llmops.graph.base import Change
from llmops.graph.build import Graph, build
from llmops.graph.diff import diff
from llmops.jobs.base import Plan, Proof, Side, Step, TreeName
from llmops.jobs.check import check
from llmops.jobs.exam import Exam, exams
from llmops.jobs.plan import Trees, plan
from llmops.jobs.wire import plan_from_json
from llmops.source.cache import BlobCache, code_digest
from llmops.source.tree import Blob, Repository, Tree
from llmops.specs.base import Ref
from llmops.specs.tree import LoadedTree, load_blobs

if TYPE_CHECKING:
    from llmops.executors.base import Event, Executor, RunReport
    from llmops.rules.base import Finding, Verdict
    from llmops.rules.facts import Approval, Facts, Row

PACKAGE = Path(__file__).parent
FOLDERS = ("specs/", "policies/")
OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
DEFAULT_BASES = ("origin/HEAD", "main", "master")


@dataclass(frozen=True)
class State:
    """One tree, read: its graph or None, and everything wrong with it."""

    tree: Tree
    loaded: LoadedTree
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]

    def place(self, ref: Ref, loc: tuple[str | int, ...]) -> str:
        """`path:line:col` of a field."""
        return str(self.loaded.span(ref, loc))

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The text of each file that has something wrong with it."""
        paths = {d.span.path for d in self.diagnostics}
        known = {p: self.tree.read(p) for p in paths if p in self.tree.blobs()}
        return {path: data.decode("utf-8", "replace") for path, data in known.items()}


@dataclass(frozen=True)
class Project:
    """A repository with its reports folder and its cache."""

    repository: Repository
    reports: Path
    cache: Path | None = None

    @classmethod
    def find(cls, start: Path, cache: Path | None = None) -> Project:
        """The project around a folder. GitError when that is no repository."""
        repository = Repository.find(start)
        return cls(repository, repository.root / "reports", cache)

    def blobs(self) -> BlobCache:
        """What was parsed before, by object id."""
        return BlobCache(self.cache, code_digest(PACKAGE / "specs", PACKAGE / "source"))

    @property
    def store(self) -> Store:
        """Where evidence is kept."""
        return Store(self.reports)


@dataclass(frozen=True)
class Pair:
    """Base and head, read."""

    base: State | None
    head: State
    commits: tuple[str, str] | None = None  # base's and head's, where both are commits

    @property
    def names(self) -> Trees:
        """How the two trees are called in plans and verdicts."""
        base = self.base.tree if self.base else None
        policy = base.subtree("policies") if base else None
        return Trees(_name(base) if base else None, _name(self.head.tree), policy)

    @property
    def base_problem(self) -> str:
        """Why base's specs cannot be read, "" if they can: how many mistakes, and the first."""
        if self.base is None or self.base.graph is not None:
            return ""
        found = [d for d in self.base.diagnostics if d.severity is Severity.ERROR]
        first = f"{found[0].span}: {found[0].message}"
        return f"{_mistakes(len(found))} at {self.base.tree.label}, the first {first}"

    def place(self, side: Side, ref: Ref, loc: tuple[str | int, ...]) -> str:
        """`path:line:col` of a field on one side."""
        state = self.base if side == "base" and self.base else self.head
        return state.place(ref, loc)


class InvalidSpecs(UsageError):
    """The head's specs do not parse or resolve; `state` has the diagnostics."""

    def __init__(self, state: State) -> None:
        count = sum(d.severity is Severity.ERROR for d in state.diagnostics)
        super().__init__(f"{_mistakes(count)} in the specs of {state.tree.label}")
        self.state = state


def _mistakes(count: int) -> str:
    return "1 mistake" if count == 1 else f"{count} mistakes"


def _name(tree: Tree) -> TreeName:
    return TreeName(tree.label, tree.oid, tree.commit, tree.dirty)


# ---- tree -> graph -------------------------------------------------------------------------


def read(
    project: Project, tree: Tree, cache: BlobCache | None = None, *, head: bool = False
) -> State:
    """One tree's specs, references and own consistency. Never raises for a user's mistake.

    `head`: the tree is to be judged, so it must not bring evidence of its own, nor hide a spec.
    """
    paths = [p for p in tree.blobs() if p.startswith(FOLDERS) and p.endswith((".yaml", ".yml"))]
    cache = project.blobs() if cache is None else cache
    loaded = load_blobs([tree.blobs()[p] for p in paths], tree.read_many, cache)
    cache.save()
    uses = {use.path for spec in loaded.specs.values() for use in spec.files}
    found = {path: of_bytes(data) for path, data in _present(tree, uses).items()}
    built = build(loaded.specs, found, loaded.span, tree.blobs(), loaded.broken)
    problems = [*loaded.diagnostics, *built.diagnostics]
    if head:
        problems += committed(tree.blobs(), (blob.path for blob in tree.refused()))
        problems += _never_read(tree)
    if built.graph is not None:
        problems += check(built.graph, loaded.span)
    ordered = tuple(sorted(set(problems), key=lambda d: d.sort_key))
    return State(tree, loaded, None if has_errors(ordered) else built.graph, ordered)


def _never_read(tree: Tree) -> Iterator[Diagnostic]:
    """Links and the like where specs are looked for: they look like specs and are none."""
    for blob in tree.refused():
        if f"{blob.path}/".startswith(FOLDERS):
            what = "a link, a submodule or a name that is not UTF-8 is never read"
            hint = "put the file itself here"
            yield Diagnostic(Span(blob.path), "not-a-file", what, hint)


def _present(tree: Tree, paths: set[str]) -> Mapping[str, bytes]:
    return tree.read_many(sorted(paths & tree.blobs().keys()))


def pair(project: Project, base: str | None, head: str | None) -> Pair:
    """Base and head of a change. Raises InvalidSpecs when head's specs are wrong."""
    base_tree, head_tree = trees(project.repository, base, head)
    cache = project.blobs()
    after = read(project, head_tree, cache, head=True)
    if after.graph is None:
        raise InvalidSpecs(after)
    same = base_tree is not None and base_tree.oid == head_tree.oid
    before = replace(after, tree=base_tree) if same and base_tree else None
    if base_tree is not None and before is None:
        before = read(project, base_tree, cache)
    tip = base_tree.commit if base_tree is not None else None
    return Pair(before, after, (tip, head or "HEAD") if tip else None)


def trees(repository: Repository, base: str | None, head: str | None) -> tuple[Tree | None, Tree]:
    """The tip of the target branch, and the tree that would land on it."""
    work = repository.work_tree() if head is None else None
    here = "HEAD" if head is None else head
    target = _default_base(repository) if base is None else base
    if target is None or (base is None and _is_first(repository, target, here, work)):
        return None, work or repository.tree(here)
    below = _called(repository.tree(target), target)
    if work is not None and work.dirty:
        return below, work
    landed = repository.merged(target, here)
    return below, landed if head is None or landed.commit is None else _called(landed, head)


def _called(tree: Tree, rev: str) -> Tree:
    """The tree under the name that the user knows it by, unless that is its commit's id."""
    return tree if (tree.commit or "").startswith(rev) else replace(tree, label=rev)


def _default_base(repository: Repository) -> str | None:
    """The branch that changes land on, as far as git knows it; HEAD when it knows none."""
    names = (*DEFAULT_BASES, "HEAD")
    return next((name for name in names if repository.commit(name)), None)


def _is_first(repository: Repository, base: str, head: str, work: Tree | None) -> bool:
    """The very first commit has no base: base is the empty tree."""
    commit = repository.commit(base)
    clean = work is None or not work.dirty
    same = commit is not None and commit == repository.commit(head)
    return same and clean and not repository.is_shallow() and not repository.commit(f"{base}^")


# ---- commands ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """What `validate` found: mistakes and static findings, as diagnostics."""

    state: State
    diagnostics: tuple[Diagnostic, ...]
    invalid: bool  # the specs themselves do not parse, type or resolve


def validate(project: Project, paths: Sequence[str] = ()) -> Checked:
    """Text to graph, and the rules that need no evidence; `paths` narrow what is shown."""
    from llmops.rules.verdict import static_findings

    state = read(project, project.repository.work_tree(), head=True)
    found = list(state.diagnostics)
    if state.graph is not None:
        found += [_as_diagnostic(f) for f in static_findings(_static_facts(state))]
    shown = tuple(d for d in found if not paths or _under(d.span.path, paths))
    return Checked(state, shown, has_errors(d for d in state.diagnostics if d in shown))


def _under(path: str, folders: Sequence[str]) -> bool:
    return any(f in ("", ".", path) or path.startswith(f.rstrip("/") + "/") for f in folders)


def _as_diagnostic(found: Finding) -> Diagnostic:
    from llmops.rules.base import Outcome

    path, line, column = found.place.rsplit(":", 2)
    severity = Severity.WARNING if found.outcome is Outcome.WARNED else Severity.ERROR
    span = Span(path, int(line), int(column))
    return Diagnostic(span, found.rule, found.message, found.hint, severity)


def _static_facts(state: State) -> Facts:
    from llmops.rules.facts import Facts

    assert state.graph is not None
    nothing = Plan(None, _name(state.tree), None, (), (), ())
    return Facts(
        base=None,
        head=state.graph,
        plan=nothing,
        exams=(),
        proven={},
        rows=lambda _closure: None,
        place=lambda _side, ref, loc: state.place(ref, loc),
        owners=owners(state.tree),
    )


def owners(tree: Tree) -> tuple[str, ...]:
    """The lines of CODEOWNERS, wherever GitHub would look for it."""
    for path in OWNERS:
        if path in tree.blobs():
            return tuple(tree.read(path).decode("utf-8", "replace").splitlines())
    return ()


def changes_of(both: Pair) -> tuple[Change, ...]:
    """The semantic changes between base and head."""
    assert both.head.graph is not None
    return diff(both.base.graph if both.base else None, both.head.graph, _roles)


def _roles(kind: str) -> Mapping[str, str]:
    """The roles of a kind's fields; the models are loaded when something changed."""
    from llmops.specs.load import roles

    return roles(kind)


@dataclass(frozen=True)
class Planned:
    """A plan with what it was made from."""

    plan: Plan
    both: Pair
    exams: tuple[Exam, ...]
    proven: Mapping[str, Proof]
    damaged: tuple[str, ...] = ()  # kept evidence, or a base, that cannot be used


def make_plan(
    project: Project, both: Pair, select: Sequence[str] = (), *, reuse: bool = True
) -> Planned:
    """The plan of a change, with the kept evidence it may reuse."""
    head = both.head.graph
    assert head is not None
    base = both.base.graph if both.base else None
    asked = exams(base, head, _selected(select, head, base))
    store = project.store
    proven: Mapping[str, Proof] = store.proofs() if reuse else {}
    planned = plan(
        base, head, changes_of(both), proven, both.names,
        asked=asked, selected=tuple(select), tool_version=__version__,
        place=both.place,
    )  # fmt: skip
    unread = (f"base cannot be read: {both.base_problem}",) if both.base_problem else ()
    return Planned(planned, both, asked, proven, (*unread, *store.notes))


def _selected(select: Sequence[str], head: Graph, base: Graph | None) -> tuple[str, ...]:
    known = [str(r) for g in (head, base) if g for r in g.specs if r.kind != "Policy"]
    for name in select:
        if name not in known:
            hint = did_you_mean(name, known, otherwise="name an Evaluation or its target")
            raise UsageError(f'nothing is called "{name}"', hint=hint)
    return tuple(select)


def verdict(
    project: Project, planned: Planned, *, now: datetime, approvals: tuple[Approval, ...] = ()
) -> Verdict:
    """Kept evidence -> verdict. Nothing runs, nothing of head is executed."""
    from llmops.rules.facts import Facts
    from llmops.rules.verdict import judge

    both = planned.both
    head = both.head.graph
    assert head is not None
    facts = Facts(
        base=both.base.graph if both.base else None,
        head=head,
        plan=planned.plan,
        exams=planned.exams,
        proven=planned.proven,
        rows=rows_of(project.store),
        place=both.place,
        approvals=approvals,
        authors=_authors(project, both) if approvals else frozenset(),
        owners=owners(both.head.tree),
        base_problem=both.base_problem,
    )
    judged_at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return judge(facts, judged_at=judged_at, tool_version=__version__)


def _authors(project: Project, both: Pair) -> frozenset[str]:
    """Who wrote the change: what they approve themselves is not somebody else's word."""
    return project.repository.authors(*both.commits) if both.commits else frozenset()


def rows_of(store: Store) -> Callable[[str], Sequence[Row] | None]:
    """Kept rows by evaluate closure; absent or damaged ones are None."""
    read_already: dict[str, Sequence[Row] | None] = {}

    def rows(closure: str) -> Sequence[Row] | None:
        if closure not in read_already:
            read_already[closure] = _rows(store, closure)
        return read_already[closure]

    return rows


def _rows(store: Store, closure: str) -> Sequence[Row] | None:
    kept = store.evidence(closure)
    if kept is None or kept.result.status != "ok":
        return None
    try:
        data = store.artifact(closure, "rows.jsonl").read_bytes()
        return [json.loads(line, parse_constant=_refuse) for line in data.splitlines()]
    except (StoreError, OSError, ValueError):
        return None  # damaged rows are absent rows: the gate says inconclusive


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a number")


def execute(
    project: Project,
    steps: Sequence[Step],
    sources: Sequence[Tree],
    on_event: Callable[[Event], None],
    options: RunOptions,
    executor: Executor | None = None,
) -> RunReport:
    """Bring every step to evidence. `sources`: the trees whose files jobs may read.

    `executor` is one that the caller has set up; without it, the one that `options` name.
    """
    from llmops.executors.inputs import Inputs
    from llmops.executors.run import EXECUTORS, run
    from llmops.source.fetch import from_environment

    store = project.store
    fetcher = from_environment()

    def read_blob(digest: str, file: str) -> bytes:
        for tree in sources:
            if file in tree.blobs() and of_bytes(data := tree.read(file)) == digest:
                return data
        raise FetchError(f"{file} is not {digest} in either tree", hint="plan again")

    resolve = Inputs(store, lambda digest, uri: fetcher.get(digest, uri), read_blob)
    return run(
        steps, store=store, executor=executor or EXECUTORS[options.executor](), resolve=resolve,
        on_event=on_event, keep_going=options.keep_going, jobs=options.jobs,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How jobs are run: where, how many at once, and whether to go on after the world failed."""

    executor: str = "local"
    jobs: int | None = None
    keep_going: bool = False


def saved_plan(project: Project, data: Any) -> tuple[Plan, list[Tree]]:
    """A plan that `plan --out` wrote, and its trees. UsageError when it cannot be run verbatim."""
    try:
        planned = plan_from_json(data)
    except ValueError as error:
        raise UsageError(
            f"not a plan that this llmops reads: {error}", hint="plan again"
        ) from error
    if planned.tool_version != __version__:
        made = planned.tool_version
        raise UsageError(f"made by llmops {made}, this is {__version__}", hint="plan again")
    named = [name for name in (planned.head, planned.base) if name is not None]
    found = [project.repository.tree(name.tree) for name in named]
    if planned.head.dirty and _moved(planned, found[0], project.repository.work_tree()):
        raise UsageError("the plan is stale: the work tree changed since", hint="plan again")
    return planned, found


def _moved(planned: Plan, then: Tree, now: Tree) -> bool:
    """Whether specs, or files that jobs read, changed; others (the plan itself) do not count."""
    files = {i.file for step in planned.steps for i in step.job.inputs if i.file is not None}
    before, after = then.blobs(), now.blobs()
    read_by_us = {p for p in (*before, *after) if p.startswith(FOLDERS)} | files
    return any(_oid(before, path) != _oid(after, path) for path in read_by_us)


def _oid(blobs: Mapping[str, Blob], path: str) -> str | None:
    found = blobs.get(path)
    return found.oid if found else None
