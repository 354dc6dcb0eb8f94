"""A disk that fails, or loses power, at a chosen operation: a shim around the calls of `os`.

Only paths below one folder are meant. `Failing` raises from the k-th writing operation on (of a
write, half of the bytes go through first). `Recording` keeps a copy of the folder before each
operation, as a process that dies there leaves it, and as the machine that loses power there may:
without what was not fsynced, with or without the names that no fsync of their folder made safe.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

OPERATIONS = ("open", "write", "fsync", "link", "replace", "rename", "mkdir", "unlink", "rmdir")


@dataclass
class Disk:
    """Calls `before(operation, path, arguments)` for each operation below `root`."""

    root: Path
    names: dict[int, str] = field(default_factory=dict)

    def before(self, operation: str, path: Path, arguments: tuple[Any, ...]) -> None:
        raise NotImplementedError

    def after(self, operation: str, path: Path, arguments: tuple[Any, ...]) -> None:
        pass

    def shim(self, patch: pytest.MonkeyPatch) -> None:
        for operation in OPERATIONS:
            patch.setattr(os, operation, self._around(operation, getattr(os, operation)))

    def _around(self, operation: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            path = self._path(operation, arguments, more)
            if path is None or (operation == "open" and not self._writes(arguments)):
                found = real(*arguments, **more)
            else:
                self.before(operation, path, arguments)
                found = real(*arguments, **more)
                self.after(operation, path, arguments)
            if operation == "open" and path is not None:
                self.names[found] = str(path)
            return found

        return call

    def _path(self, operation: str, arguments: tuple[Any, ...], more: Any) -> Path | None:
        if operation in ("write", "fsync"):
            named = self.names.get(arguments[0])
            # A number may have been given to another file since; the system knows.
            if named is None or os.readlink(f"/proc/self/fd/{arguments[0]}") != named:
                return None
            return Path(named)
        given = arguments[1] if operation in ("link", "replace", "rename") else arguments[0]
        if more.get("dir_fd") is not None or not isinstance(given, str | Path):
            return None
        path = Path(os.path.abspath(given))
        return path if path.is_relative_to(self.root) else None

    @staticmethod
    def _writes(arguments: tuple[Any, ...]) -> bool:
        return bool(arguments[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR))


@dataclass
class Failing(Disk):
    """From the k-th operation that needs space or a sound disk on, each fails."""

    at: int = 0
    number: int = errno.ENOSPC
    seen: int = 0

    def before(self, operation: str, path: Path, arguments: tuple[Any, ...]) -> None:
        if operation in ("unlink", "rmdir"):
            return
        if operation == "open" and path.exists():  # the lock that is there already
            return
        self.seen += 1
        if self.seen < self.at:
            return
        if operation == "write" and self.seen == self.at:
            descriptor, data = arguments
            with open(f"/proc/self/fd/{descriptor}", "wb") as file:
                file.write(bytes(data)[: len(data) // 2])
        raise OSError(self.number, os.strerror(self.number), str(path))


@dataclass
class Recording(Disk):
    """Keeps what may be found after a crash before each operation, one folder per state."""

    kept: Path = Path()
    count: int = 0
    unsafe_data: set[Path] = field(default_factory=set)
    unsafe_names: set[Path] = field(default_factory=set)

    def before(self, operation: str, path: Path, arguments: tuple[Any, ...]) -> None:
        self.keep()

    def after(self, operation: str, path: Path, arguments: tuple[Any, ...]) -> None:
        if operation == "fsync" and path.is_dir():
            self.unsafe_names -= {name for name in self.unsafe_names if name.parent == path}
        elif operation == "fsync":
            self.unsafe_data.discard(path)
        elif operation == "write":
            self.unsafe_data.add(path)
        elif operation in ("open", "mkdir", "link", "replace", "rename"):
            self.unsafe_names.add(path)
            if operation != "open" and Path(os.path.abspath(arguments[0])) in self.unsafe_data:
                self.unsafe_data.add(path)

    def keep(self) -> None:
        """The states that are possible now."""
        self.count += 1
        for name, spoil in {
            "as it was": lambda _: None,
            "without data": self._lose_data,
            "without names": self._lose_names,
            "without both": lambda state: (self._lose_data(state), self._lose_names(state)),
        }.items():
            state = self.kept / f"{self.count:03} {name}"
            shutil.copytree(self.root, state, symlinks=True)
            spoil(state)

    def _lose_data(self, state: Path) -> None:
        for path in self.unsafe_data:
            lost = state / path.relative_to(self.root)
            if lost.is_file():
                lost.write_bytes(b"")

    def _lose_names(self, state: Path) -> None:
        for path in self.unsafe_names:
            lost = state / path.relative_to(self.root)
            if lost.is_dir():
                shutil.rmtree(lost)
            elif lost.exists():
                lost.unlink()

    def last(self) -> list[Path]:
        """What may be found after a crash when all was over."""
        return sorted(self.kept.glob(f"{self.count:03} *"))

    def states(self) -> Iterator[Path]:
        """The folders kept, each content once."""
        seen = set()
        for state in sorted(self.kept.iterdir()):
            files = sorted(path for path in state.rglob("*") if path.name != "lock")
            told = tuple(
                (path.relative_to(state), path.read_bytes() if path.is_file() else b"")
                for path in files
            )
            if told not in seen:
                seen.add(told)
                yield state


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size, where this user may mount one; else the test is skipped."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """The same file system otherwise: `size=8m`, `ro`, `rw`."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)
