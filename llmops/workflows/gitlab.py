"""`.gitlab-ci.yml` as jobs, scripts, images and includes: what checks ask of a GitLab file. Dry.

https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.source.places import Loc
from llmops.workflows.base import GATE, File, System, listed, mapping, runs_llmops, scalars, text

_NO_JOBS = (
    "default", "image", "services", "stages", "types", "before_script", "after_script", "variables",
    "cache", "include", "workflow", "spec", "pages_settings",
)  # fmt: skip
_SCRIPTS = ("before_script", "script", "after_script")


@dataclass(frozen=True, slots=True)
class GitLabJob:
    """One job, or a hidden one (`.name`) that others extend."""

    id: str
    value: Mapping[str, Any]

    @property
    def loc(self) -> Loc:
        """The way to it."""
        return (self.id,)

    def is_gate(self, file: File) -> bool:
        """Whether its colour is what a merge waits for."""
        judges = any(runs_llmops(line, "gate") for _, line in _of(self.value, self.loc))
        return judges or self.id in {GATE, "gate", *file.required}


def jobs(file: File) -> Iterator[GitLabJob]:
    """All jobs of a GitLab file, none of another one."""
    if file.system is System.GITLAB:
        for name, value in file.value.items():
            if name not in _NO_JOBS and isinstance(value, dict):
                yield GitLabJob(str(name), value)


def scripts(file: File) -> Iterator[tuple[Loc, str]]:
    """Every line or block that a shell executes, with its place."""
    if file.system is System.GITLAB:
        yield from _of(file.value, ())
        yield from _of(mapping(file.value.get("default")), ("default",))
        for job in jobs(file):
            yield from _of(job.value, job.loc)


def _of(value: Mapping[str, Any], loc: Loc) -> Iterator[tuple[Loc, str]]:
    for name in _SCRIPTS:
        yield from scalars(value.get(name), (*loc, name))


def lines(job: GitLabJob) -> tuple[str, ...]:
    """What a job's own scripts say."""
    return tuple(line for _, line in _of(job.value, job.loc))


def images(file: File) -> Iterator[tuple[Loc, str]]:
    """Every container image that is named."""
    if file.system is not System.GITLAB:
        return
    holders = [((), file.value), (("default",), mapping(file.value.get("default")))]
    holders += [(job.loc, job.value) for job in jobs(file)]  # type: ignore[misc]
    for loc, holder in holders:
        yield from _image(holder.get("image"), (*loc, "image"))
        for i, one in enumerate(listed(holder.get("services"))):
            yield from _image(one, (*loc, "services", i))


def _image(value: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, dict):
        value, loc = value.get("name"), (*loc, "name")
    if text(value):
        yield loc, value


def includes(file: File) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Every file of another place that is taken in."""
    if file.system is not System.GITLAB:
        return
    given = file.value.get("include")
    for i, one in enumerate(given if isinstance(given, list) else [given]):
        loc: Loc = ("include", i) if isinstance(given, list) else ("include",)
        if isinstance(one, str):
            yield loc, {"remote" if "://" in one else "local": one}
        elif isinstance(one, dict):
            yield loc, one
