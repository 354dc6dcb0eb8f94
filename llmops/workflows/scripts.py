"""Every script of a file, whatever the CI system: what a shell will read, with its place. Dry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llmops.diagnostics import Span
from llmops.workflows import gitlab, jenkins
from llmops.workflows.base import File, Job


@dataclass(frozen=True, slots=True)
class Script:
    """One script. `job` is the GitHub job that it is of, where it is of one."""

    text: str
    where: Callable[[str], Span]  # a piece of it -> its place
    job: Job | None = None


def scripts(file: File) -> Iterator[Script]:
    """All of them."""
    for step in file.steps:
        if step.run:
            yield Script(step.run, _in(file, (*step.loc, "run")), step.job)
    for loc, line in gitlab.scripts(file):
        yield Script(line, _in(file, loc))
    for shell in jenkins.shells(file):
        yield Script(shell.body, _at(file, shell))


def _in(file: File, loc: tuple[str | int, ...]) -> Callable[[str], Span]:
    return lambda piece: file.within(loc, piece)


def _at(file: File, shell: jenkins.Shell) -> Callable[[str], Span]:
    return lambda piece: jenkins.at(
        file, shell.start + max(0, shell.body.find(piece)), len(piece.split("\n")[0])
    )
