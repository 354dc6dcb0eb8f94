"""Much work over many texts, done by two processes: values that are as one process would make them.

In: texts by name, a function that makes a record (plain values) of one. Out: records by name, those
of the second half made by a fork of this process. The other process is a help and no more: where
there is none to be had, or it ends before its time, its half is missing from what comes out, and
the caller makes it.
"""

from __future__ import annotations

import marshal
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

FEWEST = 500  # texts that are worth a second process

Make = Callable[[str, bytes], Any]


def made(texts: Mapping[str, bytes], make: Make) -> dict[str, Any]:
    """Records of all texts, or of some; nothing where two processes do not pay."""
    if len(texts) < FEWEST or not _two():
        return {}
    names = list(texts)
    ours, theirs = names[: len(names) // 2], names[len(names) // 2 :]
    child, pipe = _started({name: texts[name] for name in theirs}, make)
    try:
        found = {name: make(name, texts[name]) for name in ours}
        return found | _received(pipe)
    finally:
        os.close(pipe)
        os.kill(child, signal.SIGKILL)  # it has ended, or nobody waits for its half any more
        os.waitpid(child, 0)


def _two() -> bool:
    return hasattr(os, "fork") and len(os.sched_getaffinity(0)) > 1


def _started(texts: Mapping[str, bytes], make: Make) -> tuple[int, int]:
    """A fork that makes these records: its process id, and where to read them."""
    reads, writes = os.pipe()
    child = os.fork()
    if child:
        os.close(writes)
        return child, reads
    status = 1
    try:
        os.close(reads)
        body = marshal.dumps({name: make(name, data) for name, data in texts.items()})
        with os.fdopen(writes, "wb") as pipe:
            pipe.write(body)
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is flushed or cleaned up twice


def _received(pipe: int) -> dict[str, Any]:
    """What the other process wrote; nothing unless it is whole."""
    with os.fdopen(os.dup(pipe), "rb") as file:
        body = file.read()
    try:
        found: dict[str, Any] = marshal.loads(body)
    except (EOFError, ValueError, TypeError):
        return {}
    return found
