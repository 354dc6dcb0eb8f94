"""Jobs of a workflow -> the machines they ask for, and the environments that guard them. Dry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from llmops.workflows.base import File, Job, mapping

# Labels of machines that GitHub throws away after each job.
_HOSTED = re.compile(r"(?:ubuntu|windows|macos)-[\w.-]+", re.IGNORECASE)
_MATRIX = re.compile(r"\$\{\{\s*(matrix(?:\.[\w-]+)+)\s*\}\}")
_WORD = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Machines:
    """What workflows ask of machines of the repository's own.

    `for_forks`: environments that a stranger's change may run in. `unguarded`: whether a job asks
    for such a machine in no environment.
    """

    environments: tuple[str, ...] = ()
    for_forks: tuple[str, ...] = ()
    unguarded: bool = False


def machines(files: Iterable[File]) -> Machines:
    """All of it, of all jobs that a change starts."""
    jobs = [job for file in files for job in file.jobs if own(job)]
    named = [environments(job) for job in jobs]
    return Machines(
        tuple(sorted({one for names in named for one in names})),
        tuple(sorted({one for names in named for one in _of_forks(names)})),
        any(not names for names in named),
    )


def labels(job: Job) -> list[str]:
    """What a job writes as `runs-on`: labels, and the name of a group."""
    given = job.value.get("runs-on", [])
    if isinstance(given, dict):
        group = [str(given["group"])] if "group" in given else []
        given = given.get("labels", [])
        return group + (list(map(str, given)) if isinstance(given, list) else [str(given)])
    return list(map(str, given)) if isinstance(given, list) else [str(given)]


def own(job: Job) -> list[str]:
    """Its labels that are no machine of GitHub's."""
    written = [label for one in labels(job) for label in _written_out(job, one)]
    return [one for one in written if not _HOSTED.fullmatch(one)]


def _written_out(job: Job, label: str) -> tuple[str, ...]:
    """A label that a matrix of the file chooses is each of its values."""
    chosen = _MATRIX.fullmatch(label.strip())
    return (chosen and job.fixed(chosen[1].lower())) or (label,)


def environments(job: Job) -> tuple[str, ...]:
    """The environments that a job may run in: its name, or the words of an expression."""
    given = job.value.get("environment")
    name = str(mapping(given).get("name", "")) if isinstance(given, dict) else str(given or "")
    if "${{" not in name:
        return (name,) if name else ()
    compared = re.sub(r"[!=]=\s*'[^']*'", "", name)
    return tuple(one for one in _WORD.findall(compared) if one)


def _of_forks(names: tuple[str, ...]) -> tuple[str, ...]:
    """Where several are chosen from, those that say so; else each."""
    return tuple(one for one in names if "fork" in one) or names
