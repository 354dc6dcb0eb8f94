"""A run folder in which no secret stands, whatever its worker wrote.

In: the folder of a job that ended, and the secrets that it was given. Out: its log, progress, error
and result without them; or an ExecutorError where an artifact holds one: evidence is kept for ever,
and bytes that are named by their digest cannot be mended. Whoever gave a worker a secret looks for
it in what comes back: the worker's own care is not the last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from llmops.errors import ExecutorError
from llmops.evidence.files import failed, replace, shown
from llmops.hush import Hush
from llmops.jobs.base import Job

_TOLD = ("log.txt", "progress.jsonl", "error.json", "result.json")
_PIECE = 1 << 22  # bytes of an artifact that are looked through at a time
_LONGEST = 1 << 16  # of any spelling: two pieces share so much


def hushed(job: Job, folder: Path, secrets: Mapping[str, str]) -> None:
    """Take a job's secrets out of what it wrote.

    Raises ExecutorError where an artifact holds one (the result and it are gone then), StoreError.
    """
    if not secrets:
        return
    hush = Hush(secrets)
    for name in _TOLD:
        _mend(folder / name, hush)
    for path in _files(folder / "artifacts"):
        if name := _held(path, hush):
            _forget(folder / "result.json")
            _forget(path)
            raise ExecutorError(
                f'"{job.id}" wrote the secret {name} into {shown(path)}: nothing of it is kept',
                hint="a server that repeats its key is no judge; give it another key, now",
            )


def _mend(path: Path, hush: Hush) -> None:
    """A text file, written anew if a secret stands in it."""
    try:
        if path.is_symlink() or not path.is_file():
            return
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise failed("read", path, error) from error
    said = hush(text)
    if said != text:
        replace(path, said.encode("utf-8", "surrogateescape"))


def _held(path: Path, hush: Hush) -> str:
    """The name of a secret that a file holds, "" where it holds none."""
    last = ""
    try:
        with path.open("rb") as file:
            while data := file.read(_PIECE):
                text = last + data.decode("utf-8", "surrogateescape")
                if name := hush.held(text):
                    return name
                last = text[-_LONGEST:]
    except OSError as error:
        raise failed("read", path, error) from error
    return ""


def _files(root: Path) -> Iterator[Path]:
    """Plain files below a folder; links are nobody's artifact."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise failed("clear", path, error) from error
