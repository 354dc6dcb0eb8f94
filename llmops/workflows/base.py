"""The nouns of a workflow file and of a check on it. Dry.

A `File` is one text with the values that were read of it and their places; `Job` and `Step` are
views into it. Whatever a user wrote is data of any shape, so every reader here gives something
empty where the shape is another one: a check never meets a surprise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.source.places import Loc, Places
from llmops.source.text import place

GATE = "llmops/gate"
_CALL = re.compile(
    r"(?:^|[\s;&|(/])(?:llmops|-m[^\S\n]+llmops)[^\S\n]+(?P<words>[^\n;&|]*)", re.MULTILINE
)
_VALUED = ("-C", "--directory", "--color", "--width")  # options before a command that take a value


class System(StrEnum):
    """Whose file it is."""

    WORKFLOW = "workflow"  # of GitHub Actions
    ACTION = "action"  # a composite action of GitHub's
    GITLAB = "gitlab"
    JENKINS = "jenkins"


GITHUB = (System.WORKFLOW, System.ACTION)


@dataclass(frozen=True, slots=True)
class Info:
    """One class of mistake: what it is called, why it matters, what to do.

    `audits` are zizmor's names for the same mistake; `bad` and `good` are whole files of the first
    of `systems`.
    """

    id: str
    why: str
    fix: str
    bad: str
    good: str
    systems: tuple[System, ...] = (System.WORKFLOW,)
    audits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """One file. `value` is {} where it is no YAML; `required`: jobs that a merge waits for."""

    path: str
    system: System
    text: str
    value: Mapping[str, Any]
    places: Places
    required: frozenset[str] = frozenset()

    def span(self, loc: Loc, *, key: bool = False) -> Span:
        """Where the value at `loc` stands, or its key."""
        return self.places.span(loc, key=key)

    def within(self, loc: Loc, piece: str) -> Span:
        """Where a piece of the scalar at `loc` stands, or the scalar where it is written apart."""
        span = self.span(loc)
        start = sum(len(line) + 1 for line in self.text.split("\n")[: span.line - 1])
        found = self.text.find(piece, start + span.column - 1)
        if found < 0:
            return span
        width = len(piece.split("\n")[0])
        there = place(self.path, self.text, found)
        return Span(self.path, there.line, there.column, width)

    @property
    def events(self) -> Mapping[str, Mapping[str, Any]]:
        """What starts a workflow: event -> its filters."""
        on = self.value.get("on")
        if isinstance(on, str):
            return {on: {}}
        if isinstance(on, list):
            return {str(one): {} for one in on}
        return {str(name): mapping(filters) for name, filters in mapping(on).items()}

    def event_loc(self, event: str) -> Loc:
        """The way to an event."""
        on = self.value.get("on")
        if isinstance(on, list):
            return ("on", [str(one) for one in on].index(event))
        return ("on", event) if isinstance(on, dict) else ("on",)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs of a GitHub workflow, in the order of the file."""
        if self.system is not System.WORKFLOW:
            return ()
        return tuple(
            Job(self, str(name), mapping(value))
            for name, value in mapping(self.value.get("jobs")).items()
        )

    @property
    def steps(self) -> Iterator[Step]:
        """All steps of all jobs, or of the composite action."""
        for job in self.jobs:
            yield from job.steps
        if self.system is System.ACTION:
            loc: Loc = ("runs", "steps")
            for i, value in enumerate(listed(mapping(self.value.get("runs")).get("steps"))):
                yield Step(self, None, mapping(value), (*loc, i))


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a GitHub workflow."""

    file: File
    id: str
    value: Mapping[str, Any]

    @property
    def loc(self) -> Loc:
        """The way to it."""
        return ("jobs", self.id)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps."""
        return tuple(
            Step(self.file, self, mapping(value), (*self.loc, "steps", i))
            for i, value in enumerate(listed(self.value.get("steps")))
        )

    @property
    def needs(self) -> tuple[str, ...]:
        """The jobs that it waits for."""
        needs = self.value.get("needs")
        return (needs,) if isinstance(needs, str) else tuple(map(str, listed(needs)))

    def fixed(self, context: str) -> tuple[str, ...]:
        """Every value of `matrix.…` where the matrix is written out in the file, else none."""
        matrix = mapping(mapping(self.value.get("strategy")).get("matrix"))
        first, *rest = context.split(".")[1:] or [""]
        if any("${{" in text for _, text in scalars(dict(matrix))):
            return ()
        rows = [mapping(one).get(first) for one in listed(matrix.get("include"))]
        values = [*listed(matrix.get(first)), *rows]
        for step in rest:
            values = [mapping(one).get(step) for one in values]
        return tuple(str(one) for one in values if isinstance(one, str | int | float))

    @property
    def calls(self) -> str:
        """The reusable workflow that it is, or ""."""
        return text(self.value.get("uses"))

    def runs(self, command: str) -> bool:
        """Whether one of its steps runs `llmops COMMAND`."""
        return any(runs_llmops(step.run, command) for step in self.steps)

    @property
    def is_gate(self) -> bool:
        """Whether its colour is what a merge waits for."""
        named = {self.id, text(self.value.get("name"))}
        return bool(named & {GATE, "gate", *self.file.required}) or self.runs("gate")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job, or of a composite action (`job` is None)."""

    file: File
    job: Job | None
    value: Mapping[str, Any]
    loc: Loc

    @property
    def run(self) -> str:
        """Its script, or ""."""
        return text(self.value.get("run"))

    @property
    def uses(self) -> str:
        """The action that it uses, or ""."""
        return text(self.value.get("uses"))

    @property
    def given(self) -> Mapping[str, Any]:
        """What it gives the action: `with`."""
        return mapping(self.value.get("with"))

    def uses_action(self, *names: str) -> bool:
        """Whether it uses one of these actions (`owner/name`), at any revision."""
        return self.uses.partition("@")[0].lower() in names


class Check(Protocol):
    """A class of mistake: a file -> where it is made."""

    def __call__(self, file: File, /) -> Iterator[Diagnostic]:
        """One diagnostic for each place."""


def found(
    info: Info, span: Span, message: str, hint: str = "", *, warn: bool = False
) -> Diagnostic:
    """What a check found; the hint is that of the class where it says none."""
    severity = Severity.WARNING if warn else Severity.ERROR
    return Diagnostic(span, info.id, message, hint or info.fix, severity)


def mapping(value: Any) -> Mapping[str, Any]:
    """A map, or an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text, or ""."""
    return value if isinstance(value, str) else ""


def scalars(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Every text below a value, with the way to it."""
    todo: list[tuple[Loc, Any]] = [(loc, value)]
    while todo:
        here, one = todo.pop()
        if isinstance(one, str):
            yield here, one
        elif isinstance(one, dict):
            todo += reversed([((*here, key), inner) for key, inner in one.items()])
        elif isinstance(one, list):
            todo += reversed([((*here, i), inner) for i, inner in enumerate(one)])


def runs_llmops(script: str, command: str) -> bool:
    """Whether a shell script has a line `llmops COMMAND`."""
    return any(_command(match["words"]) == command for match in _CALL.finditer(script))


def _command(words: str) -> str:
    """The first word that is no option, nor the value of one."""
    left = iter(words.split())
    for word in left:
        if word in _VALUED:
            next(left, None)
        elif not word.startswith("-"):
            return word.strip("'\")}]")
    return ""


def shown(written: str, most: int = 80) -> str:
    """What the user wrote, on one line, cut."""
    line = " ".join(written.split())
    return line if len(line) <= most else line[: most - 1] + "…"
