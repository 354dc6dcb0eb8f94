"""Runs git's plumbing in one folder, and reads its answers as bytes. Wet.

In: arguments, bytes for standard input. Out: bytes, or a GitError in words. No hook, monitor or
external diff of the user runs, nothing is asked of a person, no object is fetched unasked, and
variables that point git elsewhere (as inside a hook) are dropped.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmops.diagnostics import printable
from llmops.digest import of_bytes
from llmops.errors import GitError

# Git's own variables that may pass: configuration given by the caller (safe.directory in CI) and
# the object folders of a receive hook. All others, GIT_DIR first, could point git elsewhere.
_PASSED = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
_OBJECTS = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
_OWN = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_SETTINGS = (
    "core.quotePath=false",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "merge.renames=true",
    "merge.directoryRenames=conflict",
)

_FULL = re.compile("No space left on device|Out of diskspace|Disk quota exceeded|File too large")

Done = subprocess.CompletedProcess[bytes]


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git in one folder, and reads its answers as bytes."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, data: bytes = b"", check: bool = True) -> Done:
        """What git said. Raises GitError: no git, or with `check` one that did not succeed."""
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        command = ["git", *settings, *arguments]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=self._environment(), input=data, capture_output=True
            )
        except FileNotFoundError as error:
            raise _no_program(self.folder) from error
        except OSError as error:
            raise GitError(f"git could not be started: {error.strerror}") from error
        if check and done.returncode:
            raise failed(arguments[0], done, self.folder)
        return done

    def line(self, *arguments: str) -> bytes:
        """The one line that git said."""
        return self.run(*arguments).stdout.removesuffix(b"\n")

    def text(self, *arguments: str) -> str:
        """The same as text."""
        return self.line(*arguments).decode()

    def resolve(self, rev: str, kind: str) -> str | None:
        """Object id of the commit or tree that `rev` names; no text is read as an option."""
        if not rev or "\n" in rev or "\0" in rev:
            return None
        asked = os.fsencode(f"{rev}^{{{kind}}}\n")
        words = self.run("cat-file", "--batch-check", data=asked).stdout.split()
        return words[0].decode() if len(words) == 3 and words[1] == kind.encode() else None

    def entries(self, *arguments: str) -> list[tuple[str, str, int, str]]:
        """Mode, object id, size and path of each entry that `ls-tree` lists."""
        out = self.run("ls-tree", "-z", "--full-tree", *arguments).stdout
        return [_entry(line) for line in out.split(b"\0") if line]

    def contents(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Bytes of many blobs by object id."""
        asked = "".join(f"{oid}\n" for oid in oids)
        if not asked:
            return {}
        done = self.run("cat-file", "--batch", "--buffer", data=asked.encode())
        return {oid: content for oid, _, content in _each(done.stdout)}

    def objects(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Objects of any kind by id, as git hashes them: `<type> <size>`, NUL, content."""
        asked = "".join(f"{oid}\n" for oid in oids)
        if not asked:
            return {}
        done = self.run("cat-file", "--batch", "--buffer", data=asked.encode())
        return {oid: b"%b %d\0%b" % (kind, len(c), c) for oid, kind, c in _each(done.stdout)}

    def digests(self, oids: Iterable[str]) -> dict[str, str]:
        """The sha256 of the bytes of many blobs by object id."""
        return {oid: of_bytes(data) for oid, data in self.contents(oids).items()}

    def _environment(self) -> dict[str, str]:
        kept = (*_PASSED, *_OBJECTS)
        own = {
            k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(kept)
        }
        own.pop("LLMOPS_SIGNING_KEY", None)  # git starts helpers of the user, and signs nothing
        return {**own, **_OWN, **self.extra}


def safely() -> dict[str, str]:
    """What git is told where its word must outlive a loss of power: objects and refs go to disk.

    Left to itself it waits for neither small objects nor refs.
    """
    return settings((("core.fsync", "all"),))


def settings(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings of git as variables, after those that the caller's environment has."""
    said = os.environ.get("GIT_CONFIG_COUNT", "")
    first = int(said) if said.isdecimal() else 0
    made = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for number, (key, value) in enumerate(pairs, start=first):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made


def _entry(line: bytes) -> tuple[str, str, int, str]:
    head, _, name = line.partition(b"\t")
    words = head.decode().split()
    size = int(words[3]) if len(words) > 3 and words[3] != "-" else 0
    return words[0], words[2], size, os.fsdecode(name)


def _each(answer: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Split the answer of `cat-file --batch`: a line `<id> <type> <size>`, then so many bytes."""
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        words = answer[at:end].decode().split(" ")
        if len(words) != 3:
            raise GitError(
                f"object {words[0]} is {words[-1]}", hint="git fsck; git fetch --refetch"
            )
        size = int(words[2])
        yield words[0], words[1].encode(), answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _no_program(folder: Path) -> GitError:
    if not folder.is_dir():
        return GitError(f"there is no folder {printable(str(folder))}")
    return GitError("git is not installed", hint="install git 2.38 or newer and put it on PATH")


def failed(verb: str, done: Done, folder: Path | None = None) -> GitError:
    """What git said went wrong, as an error for people."""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    reason = next((line for line in said if line.startswith(("fatal:", "error:"))), "")
    reason = reason or (said[-1] if said else f"exit {done.returncode}")
    hint = _room(folder) if folder is not None and any(map(_FULL.search, said)) else ""
    return GitError(f"git {verb} failed: {printable(reason)}", hint=hint)


def _room(folder: Path) -> str:
    """What to do about a full disk."""
    many = shutil.disk_usage(folder).free
    return f"free space in {printable(str(folder))}, where {many:,} bytes are left; then try again"
