"""The whole stream on one page: one short function per command.

Tree -> Document -> Spec -> Graph -> Change -> Plan -> Run -> Statement -> Verdict. Every command
is a prefix or a cut of it; nothing here prints, and everything here can be called from Python.
What runs and what judges is imported where it is used, so that a plan does not pay for either.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmops import __version__
from llmops.diagnostics import did_you_mean, printable
from llmops.digest import of_bytes
from llmops.errors import FetchError, UsageError
from llmops.evidence.public import columns_of
from llmops.evidence.rows import anchors_of, digests_of, findings_of, looked_of, rows_of
from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.environment import in_use, placed
from llmops.jobs import estimate
from llmops.jobs.attempts import Counting
from llmops.jobs.base import Budget, Job, Plan, PlannedGate, Proof, Selection, Step, TreeName
from llmops.jobs.exam import Exam, exams, made_of
from llmops.jobs.gates import Place, nowhere
from llmops.jobs.plan import plan
from llmops.project import Pair, Project
from llmops.source.egress import Egress
from llmops.source.tree import Tree
from llmops.specs.base import Ref, Spec
from llmops.static import NOT_MOVED, changes_of, owners, text_of

if TYPE_CHECKING:
    from llmops.counted import Claims
    from llmops.executors.base import Event, Executor, RunReport
    from llmops.executors.permitted import Names
    from llmops.reports.report import Report
    from llmops.rules.base import Outcome, Verdict
    from llmops.rules.facts import Approval
    from llmops.signing.base import Signer


@dataclass(frozen=True)
class Planned:
    """A plan with what it was made from."""

    plan: Plan
    both: Pair
    exams: tuple[Exam, ...]
    proven: Mapping[str, Proof]
    damaged: tuple[str, ...] = ()  # kept evidence, or a base, that cannot be used
    again: frozenset[str] = frozenset()  # closures whose evidence is too old to decide
    claims: Claims | None = None  # what it claims where it counts; None: advisory
    looked: bool = False  # at artifacts on other machines, which come and go

    @property
    def columns(self) -> frozenset[str]:
        """The columns of rows that some spec slices by: those that public forms show."""
        sides = (self.both.head, self.both.base)
        return columns_of(*(side.graph for side in sides if side is not None))

    @property
    def not_moved(self) -> str:
        """One line about the Releases of head, "" if there are none."""
        assert self.both.head.graph is not None
        names = [str(spec.ref) for spec in self.both.head.graph.of_kind("Release")]
        return f"{', '.join(names)}: {NOT_MOVED}" if names else ""


def make_plan(
    project: Project,
    both: Pair,
    select: Sequence[str] = (),
    *,
    exclude: Sequence[str] = (),
    results: Mapping[Ref, str] | None = None,
    reuse: bool = True,
    environment: str | None = None,
    refresh: str = "",
    change: str | None = None,
    lots: bool = True,
) -> Planned:
    """The plan of a change, with the kept evidence it may reuse, for head's Environment.

    `select`, `exclude`: selectors, of which `result:` looks at `results`. `refresh`: a time; what
    is too old then by the policies is planned again. `change`: the name of the pull request or
    branch, "" without one, where attempts are counted; None where nothing is. `lots`: whether
    reused jobs are drawn to be run once more, where a policy asks for that.
    """
    assert both.head.graph is not None
    where = environment_of(both.head.graph, environment)
    head = placed(both.head.graph, where)
    base = placed(both.base.graph, where) if both.base and both.base.graph else None
    changes = changes_of(both)
    part = _selection(base, head, changes, (select, exclude), results)
    asked = exams(base, head, part)
    name = where.ref.name if where else ""
    project = replace(lent(project, both_graphs(both), name), looking=True)
    store = project.store
    proven: Mapping[str, Proof] = store.proofs() if reuse else {}
    again = frozenset[str]()
    if refresh:
        from llmops.rules.evidence_fresh import refreshed

        again = refreshed(base, head, asked, proven, refresh)
        proven = {closure: proof for closure, proof in proven.items() if closure not in again}
    planned = plan(
        base, head, changes, proven, both.names,
        asked=asked, selected=part, environment=name,
        tool_version=__version__,
    )  # fmt: skip
    sides = (both.names.head, both.names.base), (head, base)
    claims = claimed(*sides, asked, proven, change)
    foretold = gates_of(project, asked, proven, base, head, both.place, claims)
    planned = replace(planned, gates=foretold)
    priced = estimate.prices(base if base is not None else head)
    planned = estimate.estimated(planned, proven, store.latest, priced)
    planned = replace(planned, budgets=budgets(base, head, asked, proven, both.place))
    unread = (f"base cannot be read: {both.base_problem}",) if both.base_problem else ()
    planned = replace(planned, steps=tuple(_aged(step, again) for step in planned.steps))
    if lots and base is not None:
        from llmops.rules import reuse_audit

        steps = reuse_audit.drawn((base, head), planned, asked, proven, store.audits.all)
        planned = replace(planned, steps=steps)
    notes = (*unread, *store.notes)
    return Planned(planned, both, asked, proven, notes, again, claims, store.looked)


def jobs_of(planned: Planned) -> Mapping[str, Job]:
    """Every job that the exams of a plan need, run or not, by closure: what evidence may be of."""
    sides = (*made_of(planned.exams, "base"), *made_of(planned.exams, "head"))
    return {made.job.closure: made.job for made in sides}


def _aged(step: Step, again: frozenset[str]) -> Step:
    return replace(step, why="its evidence is too old") if step.job.closure in again else step


def claimed(
    names: tuple[TreeName, TreeName | None],
    graphs: tuple[Graph, Graph | None],
    asked: tuple[Exam, ...],
    proven: Mapping[str, Proof],
    change: str | None,
) -> Claims | None:
    """What a plan claims, where that counts; head's name and graph first."""
    if change is None:
        return None
    from llmops.counted import Sides, claims

    return claims(Sides(names, graphs), asked, proven, change)


def gates_of(
    project: Project,
    asked: tuple[Exam, ...],
    proven: Mapping[str, Proof],
    base: Graph | None,
    head: Graph,
    place: Place,
    claims: Claims | None = None,
) -> tuple[PlannedGate, ...]:
    """The gates of a plan, with whether their rows can decide them at the level that holds."""
    from llmops.rules.forecast import Levels, Sight, full, gates

    levels: Levels = full
    if claims is not None:
        from llmops.counted import levels_of

        levels = levels_of(project.store, claims)
    judging = head if base is None else base
    return gates(
        asked,
        Sight(proven, judging, rows_of(project.store), place, levels, anchors_of(project.store)),
    )


def budgets(
    base: Graph | None,
    head: Graph,
    asked: tuple[Exam, ...] = (),
    proven: Mapping[str, Proof] | None = None,
    place: Place = nowhere,
) -> tuple[Budget, ...]:
    """What the policies let this change spend, and what it has spent."""
    graphs = [graph for graph in (base, head) if graph is not None]
    if not any("budgets" in p.spec for graph in graphs for p in graph.of_kind("Policy")):
        return ()
    from llmops.rules.budget import limits, with_use

    return with_use(limits(base, head, place), base, head, asked, proven or {})


def environment_of(head: Graph, name: str | None = None) -> Spec | None:
    """The Environment in use. UsageError for a name that is not declared."""
    found = in_use(head, name)
    if name and found is None:
        known = [spec.ref.name for spec in head.of_kind("Environment")]
        otherwise = f"known are {', '.join(known)}" if known else "none is declared"
        hint = did_you_mean(name, known, otherwise=otherwise)
        raise UsageError(f'no Environment is called "{name}"', hint=hint)
    return found


def both_graphs(both: Pair) -> tuple[Graph | None, ...]:
    """The graphs of a pair by which it is decided where things lie: base's, else head's.

    Of a base that cannot be read there is none: a change does not choose for it.
    """
    return (both.head.graph,) if both.base is None else (both.base.graph,)


def lent(project: Project, graphs: Sequence[Graph | None], environment: str) -> Project:
    """The project with the store that its Environment names, the first graph's word.

    Nothing is asked of that store before an artifact is missing here.
    """
    uri = store_of(graphs, environment)
    if not uri:
        return project
    from llmops.evidence.blobs import opened

    named = [g for g in graphs if g is not None][:1]
    return replace(project, shared=opened(uri, _egress(environment, *named)))


def store_of(graphs: Sequence[Graph | None], environment: str) -> str:
    """The address that the first graph's Environment names as its store, "" without one."""
    first = next((graph for graph in graphs if graph is not None), None)
    spec = in_use(first, environment) if first is not None and environment else None
    return str(spec.spec.get("store") or "") if spec is not None else ""


def egress_of(planned: Plan, *graphs: Graph | None) -> tuple[Egress, ...]:
    """The lists of hosts that hold for a plan's downloads: head's, and base's where it has one.

    A host that only head's list has is not reached before that list is merged.
    """
    return _egress(planned.environment, *graphs)


def _egress(environment: str, *graphs: Graph | None) -> tuple[Egress, ...]:
    found: dict[tuple[str, ...], Egress] = {}
    for graph in graphs:
        spec = in_use(graph, environment) if graph and environment else None
        if spec is not None and "egress" in spec.spec:
            hosts = tuple(spec.spec["egress"])
            found[hosts] = Egress(str(spec.ref), hosts)
    return tuple(found.values())


def secrets_of(planned: Plan, *graphs: Graph | None) -> tuple[Names, ...]:
    """The secrets that a plan's jobs may be given: those that head's and base's lists have."""
    from llmops.executors.permitted import Names

    found: list[Names] = []
    for graph in graphs:
        spec = in_use(graph, planned.environment) if graph and planned.environment else None
        if spec is not None and "secrets" in spec.spec:
            found.append(Names(str(spec.ref), frozenset(spec.spec["secrets"]["names"])))
    return tuple(found)


def _selection(
    base: Graph | None,
    head: Graph,
    changes: Sequence[Change],
    chosen: tuple[Sequence[str], Sequence[str]],
    results: Mapping[Ref, str] | None,
) -> Selection | None:
    """What was chosen to be judged. UsageError for selectors that mean nothing here."""
    if not chosen[0] and not chosen[1]:
        return None
    from llmops.graph.methods import SelectorError
    from llmops.jobs.selection import selection

    try:
        return selection(base, head, changes, chosen, results)
    except SelectorError as error:
        raise UsageError(printable(str(error)), hint=printable(error.hint)) from error


def outcomes(
    project: Project, both: Pair, *, now: datetime, environment: str | None = None
) -> Mapping[Ref, str]:
    """What the kept evidence says of each spec that declares a gate: the worst of them, in a word.

    As an advisory verdict on the whole change would say it.
    """
    judged = verdict(project, make_plan(project, both, environment=environment), now=now)
    worst: dict[Ref, Outcome] = {}
    for found in judged.findings:
        kind, slash, rest = found.gate.partition("/")
        if slash:
            ref = Ref(kind, rest.partition("/")[0])
            worst[ref] = max(found.outcome, worst.get(ref, found.outcome))
    return {ref: outcome.name.lower() for ref, outcome in worst.items()}


def verdict(
    project: Project,
    planned: Planned,
    *,
    now: datetime,
    approvals: tuple[Approval, ...] = (),
    counting: Counting | None = None,
    authors: frozenset[str] = frozenset(),
) -> Verdict:
    """Kept evidence -> verdict. Nothing runs, nothing of head is executed.

    `counting`: the ledger, by which attempts are counted; the verdict is advisory without it.
    `authors`: who wrote the change beside those whom its commits name.
    """
    from llmops.rules.facts import Facts, Looked
    from llmops.rules.verdict import judge

    both = planned.both
    project = lent(project, both_graphs(both), planned.plan.environment)
    head, looked = both.head.graph, looked_of(project.store)
    assert head is not None

    def looked_at(closure: str) -> Looked | None:
        found = looked(closure)
        return Looked(*found) if found is not None else None

    facts = Facts(
        base=both.base.graph if both.base else None,
        head=head,
        plan=planned.plan,
        exams=planned.exams,
        proven=planned.proven,
        rows=rows_of(project.store),
        findings=findings_of(project.store),
        anchors=anchors_of(project.store),
        digests=digests_of(project.store),
        place=both.place,
        approvals=approvals,
        authors=authors_of(project, both, approvals, authors),
        owners=owners(both.head.tree),
        text=text_of(both.head.tree),
        base_problem=both.base_problem,
        counting=counting,
        looked=looked_at,
        audits=project.store.audits.all(),
    )
    judged_at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return judge(facts, judged_at=judged_at, tool_version=__version__)


def report(project: Project, planned: Planned, judged: Verdict, *, cases: int = 50) -> Report:
    """The verdict and what the kept artifacts of its jobs say. `cases`: how many that got worse."""
    from llmops.dossier import gather

    assert planned.both.head.graph is not None
    project = lent(project, both_graphs(planned.both), planned.plan.environment)
    return gather(
        project.store, judged, planned.exams, rows_of(project.store),
        title=_title(planned.both.head.graph), cases=cases,
    )  # fmt: skip


def _title(head: Graph) -> Mapping[str, str]:
    """The only Application's title by language ("" for every one); nothing where it is unclear."""
    found = [spec.value["metadata"].get("title") for spec in head.of_kind("Application")]
    title = found[0] if len(found) == 1 else None
    return {"": title} if isinstance(title, str) else dict(title or {})


def _asks_of_authors(both: Pair) -> bool:
    """Whether base's policies ask who wrote a change."""
    graph = both.base.graph if both.base is not None else None
    policies = graph.of_kind("Policy") if graph is not None else ()
    asked = (one["when"] for policy in policies for one in policy.spec.get("approvals", ()))
    return "machine_author" in asked


def authors_of(
    project: Project, both: Pair, approvals: Sequence[Approval], others: frozenset[str]
) -> frozenset[str]:
    """Who wrote a change, as far as that matters: what they approve is not somebody else's word.

    `others` beside those whom its commits name.
    """
    if both.commits is None or not (approvals or _asks_of_authors(both)):
        return others
    return others | project.repository.authors(*both.commits)


def execute(
    project: Project,
    steps: Sequence[Step],
    sources: Sequence[Tree],
    on_event: Callable[[Event], None],
    options: RunOptions,
    executor: Executor | None = None,
) -> RunReport:
    """Bring every step to evidence, and run those that are drawn once more.

    `sources`: the trees whose files jobs may read. `executor` is one that the caller has set up;
    without it, the one that `options` name.
    """
    from llmops.executors.audit import audit
    from llmops.executors.inputs import Inputs
    from llmops.executors.permitted import Permitted
    from llmops.executors.run import EXECUTORS, run
    from llmops.source.fetch import from_environment

    if options.store:
        from llmops.evidence.blobs import opened

        project = replace(project, shared=opened(options.store, options.egress))
    store = project.store
    fetcher = replace(from_environment(first=options.mirrors), egress=options.egress)

    def read_blob(digest: str, file: str) -> bytes:
        for tree in sources:
            if file in tree.blobs() and of_bytes(data := tree.read(file)) == digest:
                return data
        raise FetchError(f"{file} is not {digest} in either tree", hint="plan again")

    inner = executor or EXECUTORS[options.executor]()
    permitted = Permitted(inner, options.egress, options.secrets, dict(os.environ))
    resolve = Inputs(store, lambda digest, uri: fetcher.get(digest, uri), read_blob)
    told = [_told(step, options) for step in steps]
    report = run(
        told, store=store, executor=permitted, resolve=resolve,
        on_event=on_event, keep_going=options.keep_going, jobs=options.jobs, again=options.again,
        signer=options.signer, columns=options.columns,
    )  # fmt: skip
    if report.world_failed or report.not_started:
        return report
    return audit(
        told, store, permitted, resolve, on_event, report,
        jobs=options.jobs, signer=options.signer,
    )  # fmt: skip


def _told(step: Step, options: RunOptions) -> Step:
    """The step whose worker writes into its result what was estimated, and what was said."""
    told = estimate.told(step)
    if step.state != "run":
        return told
    said = ("over_budget", "accept_undecidable")
    meant = {name: True for name in said if getattr(options, name)}
    return replace(told, job=replace(told.job, spec={**told.job.spec, **meant}))


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How jobs are run: where, how many at once, on after a failure of the world, which hosts."""

    executor: str = "local"
    jobs: int | None = None
    keep_going: bool = False
    egress: tuple[Egress, ...] = ()
    secrets: tuple[Names, ...] = ()
    over_budget: bool = False  # said on the command line; each result keeps it
    accept_undecidable: bool = False  # likewise
    mirrors: tuple[Path, ...] = ()  # beside those of LLMOPS_MIRROR, and before them
    again: frozenset[str] = frozenset()  # closures that are run although they have evidence
    store: str = ""  # where artifacts lie for all machines
    columns: frozenset[str] = frozenset()  # of rows, which their public forms show
    signer: Signer | None = None  # who answers for what runs


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that can be run: trees whose files jobs may read, hosts and secrets they may have."""

    plan: Plan
    trees: tuple[Tree, ...]
    egress: tuple[Egress, ...]
    secrets: tuple[Names, ...]
    again: frozenset[str] = frozenset()
    claims: Claims | None = None  # None: advisory
    store: str = ""  # where artifacts lie for all machines
    columns: frozenset[str] = frozenset()  # by which some spec slices

    @property
    def base(self) -> Tree | None:
        """Base's tree, if there is one."""
        return self.trees[-1] if self.plan.base is not None else None


def prepare(planned: Planned) -> Prepared:
    """A plan just made, ready to run."""
    states = [state for state in (planned.both.head, planned.both.base) if state is not None]
    graphs = [state.graph for state in states]
    egress, secrets = egress_of(planned.plan, *graphs), secrets_of(planned.plan, *graphs)
    trees = tuple(state.tree for state in states)
    store = store_of(both_graphs(planned.both), planned.plan.environment)
    return Prepared(
        planned.plan, trees, egress, secrets, planned.again, planned.claims, store, planned.columns
    )
