"""Law: closures and plans, against a naive model that knows nothing of how they are made.

A random tree is drawn as a few numbers, with a random change of some of its fields. What each job
depends on is written down here a second time, from those numbers alone: fields, and other jobs. A
job's closure must change exactly where something changed that it depends on, and a plan must run
exactly what is asked, unproven, and what that needs, in the order of need.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from llmops.graph.build import Graph
from llmops.graph.diff import diff
from llmops.jobs.base import Job, Proof, TreeName
from llmops.jobs.exam import exams
from llmops.jobs.plan import Trees, plan
from llmops.specs.load import roles
from tests.jobs.test_plan_law import Edit, Shape, applied, written
from tests.trees import graph

TREES = Trees(TreeName("base", "b" * 40), TreeName("head", "h" * 40), "p" * 40)
Key = tuple[str, ...]  # ("train", "r1"), ("generate", "Evaluation/e0"), ...
FREE = ("resources.memory", "language", "require.min", "fail_on.severity")  # no job's fields


def drawn(dice: random.Random) -> Shape:
    """A random tree: chains of recipes, applications that share them, several who ask."""
    datasets, count = dice.randint(1, 3), dice.randint(1, 4)
    recipes = tuple(
        (dice.randint(-1, i - 1), dice.random() < 0.5, dice.randrange(datasets))
        for i in range(count)
    )
    apps = tuple((dice.randrange(count), dice.random() < 0.5) for _ in range(dice.randint(1, 3)))

    def asked(least: int, most: int) -> tuple[tuple[int, int, bool], ...]:
        return tuple(
            (dice.randrange(len(apps)), dice.randrange(datasets), dice.random() < 0.5)
            for _ in range(dice.randint(least, most))
        )

    return Shape(datasets, recipes, apps, asked(1, 3), asked(0, 2))


@dataclass(frozen=True)
class Naive:
    """What each job of a tree depends on, from the numbers of its shape."""

    shape: Shape

    def deciding(self) -> Iterator[Key]:
        """The jobs that are asked for."""
        yield "guard", "Guardrail/g"
        for i in range(len(self.shape.evaluations)):
            yield "evaluate", f"Evaluation/e{i}"
        for i in range(len(self.shape.safety)):
            yield "scan", f"SafetyTest/s{i}"
            yield "evaluate", f"SafetyTest/s{i}"

    def needs(self, key: Key) -> tuple[Key, ...]:
        """The jobs that one reads."""
        kind, name = key
        number = int(name[-1]) if name[-1].isdigit() else 0
        if kind == "curate":
            return ()
        if kind == "guard":
            return (("curate", "bank"),)
        if kind == "train":
            return self._weights(number)
        app, data, _ = self._ask(name, number)
        banked = kind in ("generate", "evaluate") and name[0] == "S"
        rows = ("curate", "bank" if banked else f"d{data}")
        if kind == "evaluate":
            return (("generate", name), rows)
        return (*self._target(self.shape.applications[app][0]), rows)

    def fields(self, key: Key) -> frozenset[str]:
        """The changed fields that reach a job by itself, as `Kind/name path`."""
        kind, name = key
        number = int(name[-1]) if name[-1].isdigit() else 0
        own: dict[str, tuple[str, ...]] = {
            "curate": (f"Dataset/{name} splits.seed",),
            "train": (f"Recipe/{name} seed", f"Recipe/{name} training.max_steps"),
            "guard": ("Guardrail/g input[bad].regex.pattern",),
            "evaluate": (f"{name} checks[acc].metric",) if name[0] == "E" else (),
        }
        if kind in own:
            model = ("Model/m init.seed",) if kind == "train" and self._root(number) else ()
            return frozenset((*own[kind], *model))
        app = self._ask(name, number)[0]
        recipe, guarded = self.shape.applications[app]
        suite = "scan].giskard" if kind == "scan" else "refuse].bank"
        rows = f"{name} sample.rows" if name[0] == "E" else f"{name} suites[{suite}.rows"
        guard = ("Guardrail/g input[bad].regex.pattern",) if guarded else ()
        model = ("Model/m init.seed",) if self._loads_model(recipe) else ()
        return frozenset((rows, "Prompt/p system", *guard, *model))

    def all_fields(self, key: Key) -> frozenset[str]:
        """The same with those of the jobs that it reads, and so on."""
        found = self.fields(key)
        for need in self.needs(key):
            found |= self.all_fields(need)
        return found

    def _ask(self, name: str, number: int) -> tuple[int, int, bool]:
        return (self.shape.evaluations if name[0] == "E" else self.shape.safety)[number]

    def _root(self, number: int) -> bool:
        """Whether a training begins with the model itself, or with adapters over it."""
        below = self.shape.recipes[number][0]
        return below < 0 or self._loads_model(below)

    def _loads_model(self, number: int) -> bool:
        """Whether whoever loads a recipe's weights makes the model first: adapters lie over it."""
        below, lora, _ = self.shape.recipes[number]
        return lora and (below < 0 or self._loads_model(below))

    def _weights(self, number: int) -> tuple[Key, ...]:
        below, _, data = self.shape.recipes[number]
        under = self._target(below) if below >= 0 else (("curate", "d0"),)
        return (("curate", f"d{data}"), *under)

    def _target(self, number: int) -> tuple[Key, ...]:
        """What has to be there to load a recipe: its training, and all that it lies over."""
        below, lora, _ = self.shape.recipes[number]
        own: tuple[Key, ...] = (("train", f"r{number}"),)
        if not lora:
            return own
        return (*(self._target(below) if below >= 0 else (("curate", "d0"),)), *own)


def jobs_of(base: Graph | None, head: Graph, naive: Naive) -> Mapping[Key, Job]:
    """The jobs of head's targets under one tree's askers, by the names that the model uses."""
    found: dict[Key, Job] = {}
    for exam in exams(base, head):
        if exam.head is None or exam.judged_by != ("head" if base is None else "base"):
            continue
        asker = str(exam.asker.ref)
        for made in exam.head.all():
            job = made.job
            named = asker if job.type in ("generate", "evaluate", "scan", "guard") else ""
            found[job.type, named or job.subject.name] = job
    return found


def checked(seed: int) -> None:
    dice = random.Random(seed)
    shape = drawn(dice)
    naive = Naive(shape)
    files, edits = written(shape)
    chosen = dice.sample(edits, dice.randint(0, min(4, len(edits))))
    base, head = graph(files), applied(files, chosen)
    before, after = jobs_of(None, base, naive), jobs_of(None, head, naive)
    assert set(before) == set(after) == every(naive)
    changed = {f"{e.ref} {e.path}" for e in chosen if not e.path.endswith(FREE)}
    for key in before:
        moved = before[key].closure != after[key].closure
        assert moved == bool(naive.all_fields(key) & changed), (seed, key, sorted(changed))
    planned(dice, naive, (files, chosen), after)


def planned(
    dice: random.Random, naive: Naive, change: tuple[Mapping[str, str], list[Edit]],
    jobs: Mapping[Key, Job],
) -> None:  # fmt: skip
    """Head alone is planned, with some of its closures proven."""
    head = applied(*change)
    closures = sorted({job.closure for job in jobs.values()})
    proven = set(dice.sample(closures, dice.randint(0, len(closures))))
    proofs = {c: Proof(evidence="sha256:" + "e" * 64, status="ok") for c in proven}
    made = plan(None, head, diff(None, head, roles), proofs, TREES)
    wanted, run = list(naive.deciding()), set[str]()
    while wanted:
        key = wanted.pop()
        if jobs[key].closure not in proven:
            run.add(jobs[key].closure)
            wanted += naive.needs(key)
    order = [step.job.closure for step in made.steps]
    assert {s.job.closure for s in made.steps if s.state == "run"} == run
    assert {s.job.closure for s in made.steps if s.state == "reuse"} == proven
    for key, job in jobs.items():
        for need in (jobs[one].closure for one in naive.needs(key)):
            if job.closure in order and need in order:
                assert order.index(need) < order.index(job.closure)


def every(naive: Naive) -> set[Key]:
    found: set[Key] = set()
    todo = list(naive.deciding())
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo += naive.needs(key)
    return found


@pytest.mark.parametrize("part", range(4))
def test_closures_and_plans_are_those_of_a_naive_model(part: int) -> None:
    for seed in range(part, 40, 4):
        checked(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_closures_and_plans_are_those_of_a_naive_model_on_500_graphs(part: int) -> None:
    for seed in range(part, 500, 10):
        checked(seed)
