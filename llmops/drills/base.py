"""The nouns of drills: Scene (what may be spoiled), Plant (how), Tried (what came of it).

A plant is a pure function of a scene and a seed to the files that its commit changes. What it
needs of the world (curated rows, spoiled weights) the scene gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llmops.graph.build import Graph
from llmops.jobs.make import use
from llmops.specs.base import Ref, Reference, Spec

Row = Mapping[str, Any]
Files = Mapping[str, bytes]
FOLDER = "specs/drill"  # where planted specs and rows stand; never in the user's own tree


class UnfitError(Exception):
    """A plant cannot be made here; the text says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One judged target of main. `read`: a file of its tree; `rows`: a curated part of a Dataset.

    `spoil` makes a folder of weights from those of the target, spoiled in one of the ways that
    `workers/spoil.py` knows, and gives its digest.
    """

    graph: Graph
    target: Ref
    read: Callable[[str], bytes]
    rows: Callable[[Reference], Sequence[Row]]
    spoil: Callable[[str], str]

    @property
    def model(self) -> Ref:
        """The Model or Recipe that answers."""
        if self.target.kind != "Application":
            return self.target
        return use(self.graph.specs[self.target], "model").target

    @property
    def recipe(self) -> Spec:
        """The Recipe that answers. Raises UnfitError where nothing here is trained."""
        if self.model.kind != "Recipe":
            raise UnfitError(f"{self.target} asks {self.model}, which nothing here trains")
        return self.graph.specs[self.model]

    @property
    def application(self) -> Spec:
        """The Application that is asked. Raises UnfitError where a Recipe or Model is."""
        if self.target.kind != "Application":
            raise UnfitError(f"{self.target} is asked itself: no Application names its weights")
        return self.graph.specs[self.target]


@dataclass(frozen=True, slots=True)
class Plant:
    """One way to make a model bad, or (`harmless`) to change it without making it worse.

    `jobs`: the types of jobs that its commit makes necessary, for the estimate. `dice`: whether
    another seed makes another model.
    """

    name: str
    told: str
    make: Callable[[Scene, int], Files]
    jobs: tuple[str, ...]
    dice: bool = False
    harmless: bool = False


State = Literal["caught", "missed", "passed", "stopped", "not tried", "not judged"]


@dataclass(frozen=True, slots=True)
class Stop:
    """A gate that holds on main and does not hold on a plant."""

    gate: str
    rule: str
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One plant with one seed: what became of it, by which gates, in how many seconds."""

    plant: Plant
    subject: Ref
    seed: int
    state: State
    why: str = ""
    outcome: str = ""  # the word of the whole verdict
    stops: tuple[Stop, ...] = ()
    commit: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """`shuffled-labels`, `another-seed 2`."""
        return f"{self.plant.name} {self.seed}" if self.seed else self.plant.name
