"""A whole drill: main is judged, then every plant as a commit on it, by the same pipeline. Wet.

In: a project, the revision that is main, which plants and how many seeds. Out: `Drilled`. A gate
stops a plant when it is inconclusive or failed there and holds on main: what fails on main already
is never credited. Only gates on measured behaviour count; owners, licences and loosened rules would
stop any commit that looks like a plant.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from llmops.drills import weights as weights_of
from llmops.drills.base import Files, Plant, Row, Scene, State, Stop, Tried, UnfitError
from llmops.drills.scratch import MAIN, Scratch
from llmops.drills.spoiled import Spoiled, Worker, in_a_process
from llmops.errors import FetchError, LlmopsError, UsageError
from llmops.executors.base import Event, Executor, RunReport
from llmops.executors.inputs import Inputs
from llmops.jobs import curate, train
from llmops.jobs.base import Step
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made, part_of
from llmops.jobs.metrics import METRICS
from llmops.pipeline import Planned, RunOptions, execute, make_plan, prepare, verdict
from llmops.project import InvalidSpecs, Project, pair
from llmops.rules import fail_on
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.source.fetch import from_environment
from llmops.specs.base import Ref, Reference

HOLDS = (Outcome.PASSED, Outcome.WARNED)


@dataclass(frozen=True, slots=True)
class Options:
    """What is drilled: plants, seeds of each, a part of main, how many jobs at once."""

    plants: tuple[Plant, ...]
    seeds: int = 1
    select: tuple[str, ...] = ()
    environment: str | None = None
    jobs: int | None = None
    executor: Executor | None = None
    spoil: Worker = in_a_process
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of a drill: main's own gates first, then every plant that was tried or was not."""

    main: str
    tree: str
    gates: tuple[str, ...]  # that hold on main
    broken: tuple[Stop, ...]  # gates that do not hold on main, so they can stop nothing
    tried: tuple[Tried, ...] = ()
    seconds: float = 0.0

    @property
    def bad(self) -> tuple[Tried, ...]:
        """Bad models that were judged."""
        return tuple(t for t in self.tried if t.state in ("caught", "missed"))

    @property
    def twins(self) -> tuple[Tried, ...]:
        """Harmless models that were judged."""
        return tuple(t for t in self.tried if t.state in ("passed", "stopped"))

    @property
    def caught(self) -> int:
        """Bad models that some gate stopped."""
        return sum(t.state == "caught" for t in self.bad)

    @property
    def passed(self) -> int:
        """Harmless models that no gate stopped."""
        return sum(t.state == "passed" for t in self.twins)

    @property
    def idle(self) -> tuple[str, ...]:
        """Gates that hold on main and stopped no bad model."""
        busy = {stop.gate for t in self.bad for stop in t.stops}
        return tuple(gate for gate in self.gates if gate not in busy)


@dataclass(frozen=True)
class Told:
    """Who hears of a drill while it goes on: events of jobs, and each plant when it is judged."""

    event: Callable[[Event], None] = field(default=lambda _event: None)
    plant: Callable[[Tried], None] = field(default=lambda _tried: None)


def drill(project: Project, main: str, folder: Path, options: Options, told: Told) -> Drilled:
    """Every plant, one after the other, in a scratch repository at `folder`.

    Raises LlmopsError when main itself cannot be judged: a drill would show nothing then.
    """
    started = time.monotonic()
    tree = project.repository.tree(main)
    scratch = Scratch(folder)
    scratch.begin(project.repository.root, tree.oid)
    yard = Yard(Project.find(folder, project.cache), scratch, options, told)
    own = yard.main(project)
    found: list[Tried] = []
    for plant in options.plants:
        for seed in range(options.seeds if plant.dice else 1):
            for scene in yard.scenes(own):
                found.append(yard.tried(plant, scene, seed, own.verdict))
                told.plant(found[-1])
    worst = measured(own.verdict)
    return Drilled(
        main, tree.oid,
        gates=tuple(sorted(g for g, one in worst.items() if one.outcome in HOLDS)),
        broken=tuple(_stop(f) for _, f in sorted(worst.items()) if f.outcome not in HOLDS),
        tried=tuple(found), seconds=time.monotonic() - started,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """One head against main: its plan with all evidence, how the run went, the verdict."""

    planned: Planned
    report: RunReport
    verdict: Verdict


@dataclass(frozen=True)
class Yard:
    """The scratch repository with its project, and how commits are brought to a verdict there."""

    project: Project
    scratch: Scratch
    options: Options
    told: Told

    def main(self, user: Project) -> Judged:
        """Main against itself, with the user's evidence as far as it goes."""
        planned = self.plan(MAIN)
        kept = user.store.proofs()
        lacking = (s.job.closure for s in planned.plan.steps if s.state == "run")
        self.scratch.lend(user.store, [c for c in lacking if c in kept])
        judged = self.judged(MAIN)
        failures = judged.report.world_failed
        if failures:
            said = f"{failures[0].job.id}: {failures[0].error.message}"
            raise LlmopsError(
                f"main itself could not be judged: {said}", hint=failures[0].error.hint
            )
        if not measured(judged.verdict):
            raise UsageError("no gate of main measures anything, so there is nothing to drill")
        return judged

    def plan(self, head: str) -> Planned:
        """The plan of a branch of the scratch repository, as `llmops plan` makes it."""
        both = pair(self.project, MAIN, head)
        select, where = self.options.select, self.options.environment
        return make_plan(
            self.project, both, select, exclude=self.options.exclude, environment=where
        )

    def judged(self, head: str) -> Judged:
        """Plan, run and judge one branch; jobs that decide nothing are left out."""
        planned = self.plan(head)
        prepared = prepare(planned)
        options = RunOptions(
            jobs=self.options.jobs, keep_going=True, egress=prepared.egress,
            secrets=prepared.secrets, over_budget=True, accept_undecidable=True,
            mirrors=(self.scratch.mirror,), columns=prepared.columns,
        )  # fmt: skip
        report = execute(
            self.project, deciding(planned), prepared.trees, self.told.event, options,
            self.options.executor,
        )  # fmt: skip
        again = self.plan(head)
        return Judged(again, report, verdict(self.project, again, now=datetime.now(UTC)))

    def scenes(self, own: Judged) -> list[Scene]:
        """Each target that a gate of main decides on."""
        graph = own.planned.both.head.graph
        assert graph is not None
        exams = [e for e in own.planned.exams if e.part.decides and e.target.kind != "Guardrail"]
        return [self._scene(own, ref) for ref in dict.fromkeys(e.target for e in exams)]

    def _scene(self, own: Judged, target: Ref) -> Scene:
        state = own.planned.both.head
        graph = state.graph
        assert graph is not None

        def rows(used: Reference) -> Sequence[Row]:
            return self._rows(curate.job(graph, used.target).job.closure, part_of(used))

        def spoil(how: str) -> str:
            return self._spoiled(own, scene, how)

        scene = Scene(graph, target, state.tree.read, rows, spoil)
        return scene

    def _rows(self, closure: str, part: str) -> Sequence[Row]:
        try:
            path = self.project.store.artifact(closure, f"parts/{part}.jsonl")
        except LlmopsError as error:
            raise UnfitError(f"its rows are not here: {error.message}") from error
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    def _spoiled(self, own: Judged, scene: Scene, how: str) -> str:
        loaded = train.weights(scene.graph, scene.model)
        if how == "wrong-base":
            below = train.weights(scene.graph, weights_of.root(scene))
            last = max((i for i in loaded.inputs if i.name.startswith("adapter/")), key=_number)
            adapter = replace(last, name="adapter/0")
            loaded = replace(loaded, base=below.base, inputs=(*below.inputs, adapter))
        fetcher = from_environment()
        resolve = Inputs(self.project.store, lambda digest, uri: fetcher.get(digest, uri), _no_file)
        return Spoiled(self.scratch.mirror, resolve, self.options.spoil).digest(how, loaded)

    def tried(self, plant: Plant, scene: Scene, seed: int, own: Verdict) -> Tried:
        """One plant: made, committed, run and judged."""
        begun = Tried(plant, scene.target, seed, "not tried")
        started = time.monotonic()
        try:
            files = plant.make(scene, seed)
            commit = self.commit(begun, files)
            judged = self.judged(commit)
        except UnfitError as why:
            return replace(begun, why=str(why))
        except InvalidSpecs as error:
            first = next(str(d.message) for d in error.state.diagnostics)
            return replace(begun, why=f"its specs are not valid here: {first}")
        except LlmopsError as error:
            return replace(begun, state="not judged", why=error.message)
        done = replace(begun, commit=commit, seconds=time.monotonic() - started)
        return told_apart(done, judged, own)

    def commit(self, tried: Tried, files: Files) -> str:
        """The plant's commit on main."""
        name = f"{tried.plant.name}-{tried.seed}/{tried.subject.name}"
        return self.scratch.plant(name, tried.plant.told, files)


def told_apart(tried: Tried, judged: Judged, own: Verdict) -> Tried:
    """Caught or missed, passed or stopped: by the gates that hold on main and not here."""
    if judged.report.world_failed:
        failure = judged.report.world_failed[0]
        why = f"{failure.job.id}: {failure.error.message}"
        return replace(tried, state="not judged", why=why)
    stops = stopped(own, judged.verdict)
    state: State = "caught" if stops else "missed"
    if tried.plant.harmless:
        state = "stopped" if stops else "passed"
    return replace(tried, state=state, stops=stops, outcome=judged.verdict.outcome.word)


def measured(judged: Verdict) -> Mapping[str, Finding]:
    """The worst finding of each gate on measured behaviour."""
    worst: dict[str, Finding] = {}
    for found in judged.findings:
        behaves = found.metric in METRICS or found.rule == fail_on.INFO.id
        if behaves and (found.gate not in worst or found.outcome > worst[found.gate].outcome):
            worst[found.gate] = found
    return worst


def stopped(main: Verdict, head: Verdict) -> tuple[Stop, ...]:
    """The gates that hold on main and are inconclusive or failed at head."""
    before = measured(main)
    return tuple(
        _stop(found)
        for gate, found in sorted(measured(head).items())
        if found.outcome not in HOLDS and gate in before and before[gate].outcome in HOLDS
    )


def deciding(planned: Planned) -> list[Step]:
    """The steps that some deciding exam needs."""
    made = [side for exam in planned.exams if exam.part.decides for side in _sides(exam)]
    needed = {one.job.closure for side in made for one in side.all()}
    return [step for step in planned.plan.steps if step.job.closure in needed]


def _sides(exam: Exam) -> list[Made]:
    return [side for side in (exam.head, exam.base) if side is not None]


def _stop(found: Finding) -> Stop:
    return Stop(found.gate, found.rule, found.outcome.word, found.message)


def _number(given: object) -> int:
    return int(str(getattr(given, "name", "adapter/0")).partition("/")[2])


def _no_file(digest: str, file: str) -> bytes:
    raise FetchError(f"{file} ({digest}) is no part of a model")
