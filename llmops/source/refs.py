"""Refs of a repository: where they point, and moving several of them at once or none. Wet.

In: names, and from where to where. Out: whether they were moved. Moving is a compare-and-swap: of
two processes one wins and the other is told, and what it says is on the disk when it says so.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence

from llmops.diagnostics import printable
from llmops.errors import GitError
from llmops.source.git import Git, failed, safely

Moves = Mapping[str, tuple[str | None, str | None]]  # ref: the commit it is at, and the one to be
# What git answers when a ref is not where it was, or another process holds it.
_MOVED = (b"but expected", b"already exists", b"unable to resolve reference", b"File exists")
_LOCKED_SECONDS = 10  # git holds a ref for some thousandths of one


def listed(git: Git, names: Sequence[str]) -> Mapping[str, str]:
    """What refs point to, by full name."""
    said = git.text("for-each-ref", "--format=%(objectname) %(refname)", "--", *names)
    return {name: oid for oid, _, name in (line.partition(" ") for line in said.splitlines())}


def moved(git: Git, moves: Moves) -> bool:
    """Move refs, all or none. Raises GitError: git refuses, or one is locked for good."""
    nothing = "0" * max(len(oid or "") for pair in moves.values() for oid in pair)
    lines = (
        f"update {ref} {new or nothing} {old or nothing}\n" for ref, (old, new) in moves.items()
    )
    kept = Git(git.folder, {**git.extra, **safely()})
    done = kept.run("update-ref", "--stdin", data="".join(lines).encode(), check=False)
    if not done.returncode:
        return True
    if not any(words in done.stderr for words in _MOVED):
        raise failed("update-ref", done, git.folder)
    _expect_no_old_lock(git, moves)
    return False


def _expect_no_old_lock(git: Git, names: Iterable[str]) -> None:
    """Raises GitError for the lock of a git that was killed: no living one holds it so long."""
    for ref in names:
        lock = git.folder / os.fsdecode(git.line("rev-parse", "--git-path", f"{ref}.lock"))
        with contextlib.suppress(FileNotFoundError):
            if time.time() - lock.stat().st_mtime > _LOCKED_SECONDS:
                hint = f"a git was killed here: remove {printable(str(lock))}, then try again"
                raise GitError(f"{printable(ref)} is locked, and by nobody", hint=hint)
