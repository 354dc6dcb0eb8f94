"""A repository of the drill's own: main's tree copied, a commit for each plant. Wet.

In: a tree of the user's repository, and the files that a plant changes. Out: commits in a scratch
folder whose names are the same each time (no clock, no identity of the user), so that a drill that
was stopped finds its evidence again. The user's repository is read by one `pack-objects`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmops.diagnostics import printable
from llmops.drills.base import Files
from llmops.errors import GitError, StoreError
from llmops.evidence.files import failed
from llmops.evidence.statement import hex_of
from llmops.evidence.store import Store

MAIN = "main"
WHO = "drill <drill@example.com> 0 +0000"


@dataclass(frozen=True, slots=True)
class Scratch:
    """The folder of one drill: a git repository, `reports/`, and `mirror/` for planted weights."""

    root: Path

    @property
    def mirror(self) -> Path:
        """Where planted weights lie by digest, as in a folder of LLMOPS_MIRROR."""
        return self.root / ".git" / "drill-mirror"

    def begin(self, repository: Path, tree: str) -> None:
        """Main with exactly the tree of that id. Raises GitError or StoreError."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise failed("make", self.root, error) from error
        _git(self.root, "init", "--quiet", "--template=", f"--initial-branch={MAIN}")
        packed = _git(
            repository, "pack-objects", "--revs", "--stdout", "-q", data=f"{tree}\n".encode()
        )
        _git(self.root, "index-pack", "--stdin", data=packed)
        said = _commit("refs/heads/main", "main, as it is judged")
        self._import([*said, f'M 040000 {tree} ""\n'.encode()])
        _git(self.root, "symbolic-ref", "HEAD", f"refs/heads/{MAIN}")

    def plant(self, name: str, message: str, files: Files) -> str:
        """A branch with one commit on main that writes these files; gives back its id."""
        ref = f"refs/heads/drill/{name}"
        said = [*_commit(ref, message), f"from refs/heads/{MAIN}^0\n".encode()]
        for path, data in sorted(files.items()):
            said += [f"M 100644 inline {path}\n".encode(), _data(data)]
        self._import(said)
        return _git(self.root, "rev-parse", ref).decode().strip()

    def lend(self, store: Store, closures: Iterable[str]) -> None:
        """Copy evidence with its artifacts from the user's store: copies, so it stays as it is."""
        for closure in closures:
            name = hex_of(closure)
            for part in (f"runs/{name}/artifacts", f"evidence/{name}"):
                _copied(store.root / part, self.root / "reports" / part)

    def _import(self, said: Iterable[bytes]) -> None:
        _git(self.root, "fast-import", "--quiet", "--force", data=b"".join(said))


def _commit(ref: str, message: str) -> list[bytes]:
    return [f"commit {ref}\ncommitter {WHO}\n".encode(), _data(message.encode())]


def _data(data: bytes) -> bytes:
    return b"data %d\n" % len(data) + data + b"\n"


def _copied(source: Path, target: Path) -> None:
    """A folder copied whole or not at all; what is there already stays."""
    if target.exists() or not source.is_dir():
        return
    half = target.parent / f".half-{target.name}-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(source, half, symlinks=True)
        os.rename(half, target)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(half, ignore_errors=True)
        raise StoreError(f"evidence of main cannot be copied to {target}: {error}") from error


def _git(root: Path, *words: str, data: bytes = b"") -> bytes:
    """Git there, blind to the user's settings and variables."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    safe = ("-c", f"safe.directory={root}")
    try:
        done = subprocess.run(
            ["git", *safe, *words], cwd=root, env=clean, input=data, capture_output=True
        )
    except FileNotFoundError as error:
        raise GitError("git is not on PATH", hint="install git 2.38 or newer") from error
    if done.returncode:
        said = printable(done.stderr.decode("utf-8", "replace").strip(), 300)
        raise GitError(f"git {words[0]} failed in {root}: {said}")
    return done.stdout
