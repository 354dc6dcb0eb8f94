"""What a TAB may know of the repository around: specs by name, values of selectors, revisions.

In: a folder. Out: words, read from the text of the files by pattern, because parsing them takes
longer than a TAB may: what is not found so is not offered, and nothing else depends on it. Nothing
here writes, and git is asked for the names of its refs alone.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOMS = ("specs", "policies")
MOST_BYTES = 1 << 18  # of a file: specs are small, data is not
JOBS = ("curate", "train", "generate", "evaluate", "scan", "guard", "observe")
PARTS = ("job", *JOBS, "gate", "static", "placement", "descriptive")
METHODS = ("kind", "state", "label", "owner", "path", "file", "source", "config", "job", "result")
_STATES = ("modified", "new", "old", "unmodified", "changed", "follows")
WORDS = {
    "state": (*_STATES, *(f"modified.{part}" for part in PARTS)),
    "job": JOBS,
    "result": ("passed", "warned", "inconclusive", "failed"),
}
_KIND = re.compile(r"^kind:[ \t]*['\"]?(\w+)", re.MULTILINE)
_ABOUT = re.compile(r"^metadata:([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
_NAME = re.compile(r"\bname:[ \t]*['\"]?([a-z0-9][-.a-z0-9]*)")
_OWNER = re.compile(r"\bowner:[ \t]*['\"]?([^\s'\",}#]+)")
_LABELS = re.compile(r"\blabels:[ \t]*(?:\{([^}]*)\}|\n((?:[ \t]{3,}[^\n]*\n?)+))")
_LABEL = re.compile(r"([\w./-]+):[ \t]*['\"]?([^\s'\",}#]+)")


class Named(NamedTuple):
    """One spec: its kind, its name, the file it stands in, and its `metadata`."""

    kind: str
    name: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def specs(folder: Path) -> list[Named]:
    """The specs of the work tree around a folder, by kind and name."""
    root = _root(folder)
    if root is None:
        return []
    found = [one for room in ROOMS for file in _files(root / room) for one in _named(root, file)]
    return sorted(found)


def _root(folder: Path) -> Path | None:
    here = folder.absolute()
    return next((place for place in (here, *here.parents) if (place / ".git").exists()), None)


def _files(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif entry.name.endswith((".yaml", ".yml")) and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _named(root: Path, file: Path) -> Iterator[Named]:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            text = opened.read(MOST_BYTES)
    except OSError:
        return
    path = file.relative_to(root).as_posix()
    for part in re.split(r"^---", text, flags=re.MULTILINE):
        kind, about = _KIND.search(part), _ABOUT.search(part)
        name = _NAME.search(about[1]) if about else None
        if kind and about and name:
            yield Named(kind[1], name[1], path, about[1])


def paths(found: Sequence[Named]) -> list[str]:
    """The files that specs stand in, and their folders; what a line cannot show is left out."""
    places = {place for spec in found for place in (spec.path, *_above(spec.path))}
    return sorted(place for place in places if place.isprintable())


def _above(path: str) -> Iterator[str]:
    yield from (f"{place.as_posix()}" for place in Path(path).parents if place.as_posix() != ".")


def values(folder: Path, term: str) -> list[str]:
    """`method:value` for every value that a method has here."""
    method = term.partition(":")[0]
    return [f"{method}:{value}" for value in _values(folder, method) if value.isprintable()]


def _values(folder: Path, method: str) -> Sequence[str]:
    if method in WORDS:
        return WORDS[method]
    found = specs(folder)
    if method == "kind":
        return sorted({spec.kind for spec in found})
    if method == "path":
        return paths(found)
    if method == "file":
        return sorted({spec.path.rpartition("/")[2] for spec in found})
    if method == "owner":
        return sorted({owner for spec in found for owner in _OWNER.findall(spec.text)})
    if method == "label":
        return sorted({text for spec in found for text in _labels(spec.text)})
    return []


def _labels(text: str) -> Iterator[str]:
    for inline, below in _LABELS.findall(text):
        for key, value in _LABEL.findall(inline or below):
            yield f"{key}={value}"


def revisions(folder: Path) -> list[str]:
    """HEAD, branches, tags; none where git does not answer."""
    asked = ("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *asked], capture_output=True, text=True, timeout=2,
            errors="replace", check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return ["HEAD", *done.stdout.split()]
