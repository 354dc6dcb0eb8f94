"""Real git for the fake: a bare repository whose commits, merges and refs are git's own objects."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Files = Mapping[str, str | bytes | None]
EPOCH = 1_795_680_000  # when a commit was made where nobody says it


@dataclass(frozen=True)
class BareGit:
    """A bare repository on disk, blind to the user's settings."""

    path: Path

    @classmethod
    def new(cls, path: Path, branch: str = "main") -> BareGit:
        path.mkdir(parents=True)
        git = cls(path)
        git.run("init", "--quiet", "--bare", f"--initial-branch={branch}")
        for setting in ("gc.auto=0", "receive.autogc=false", "uploadpack.allowAnySHA1InWant=true"):
            git.run("config", *setting.split("="))
        return git

    def run(self, *arguments: str, data: bytes | None = None, ok: tuple[int, ...] = (0,)) -> str:
        """What git printed, without the last line break."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=_environment(), input=data, capture_output=True
        )
        assert done.returncode in ok, f"git {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout.decode(errors="replace").removesuffix("\n")

    def heads(self) -> dict[str, str]:
        """Branch -> commit. Reads the files of the refs: a fake asks this at every request."""
        found = dict(self._packed())
        root = self.path / "refs" / "heads"
        for file in root.rglob("*"):
            if file.is_file() and not file.name.endswith(".lock"):
                found[file.relative_to(root).as_posix()] = file.read_text().strip()
        return found

    def commit(
        self, branch: str, files: Files, message: str, who: str, *, parent: str | None, at: int
    ) -> str:
        """A commit on top of `parent` (None: a root), and the branch set to it."""
        text = [f"commit refs/heads/{branch}\nmark :1\n"]
        text += [f"{role} {who} {at} +0000\n" for role in ("author", "committer")]
        stream = "".join(text).encode() + _data(message.encode())
        stream += f"from {parent}\n".encode() if parent else b""
        for name, content in files.items():
            stream += _change(name, content)
        self.run("fast-import", "--quiet", "--force", data=_reset(branch, parent) + stream + b"\n")
        return self.run("rev-parse", f"refs/heads/{branch}")

    def merge(self, ours: str, theirs: str, message: str, at: int = EPOCH) -> str | None:
        """A merge commit of two commits that no ref names, None where they conflict."""
        tree = self.run("merge-tree", "--write-tree", ours, theirs, ok=(0, 1)).splitlines()
        if len(tree) != 1:
            return None
        return self.tree_commit(tree[0], (ours, theirs), message, at)

    def tree_commit(
        self, tree: str, parents: tuple[str, ...], message: str, at: int = EPOCH
    ) -> str:
        """A commit of a tree by GitHub itself."""
        over = [part for parent in parents for part in ("-p", parent)]
        env = _environment() | {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (
                ("NAME", "GitHub"), ("EMAIL", "noreply@github.com"), ("DATE", f"{at} +0000"),
            )
        }  # fmt: skip
        command = ["git", "commit-tree", tree, *over, "-m", message]
        done = subprocess.run(command, cwd=self.path, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def set(self, ref: str, commit: str | None) -> None:
        """Set a ref; None deletes it."""
        if commit is None:
            self.run("update-ref", "-d", ref)
        else:
            self.run("update-ref", ref, commit)

    def has(self, commit: str) -> bool:
        return self.run("cat-file", "-t", commit, ok=(0, 128)) == "commit"

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag or id names."""
        for form in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            found = self.run(
                "rev-parse", "--verify", "--quiet", f"{form}^{{commit}}", ok=(0, 1, 128)
            )
            if found:
                return found
        return None

    def tree_of(self, commit: str) -> str:
        return self.run("rev-parse", f"{commit}^{{tree}}")

    def is_ancestor(self, old: str, new: str) -> bool:
        done = subprocess.run(
            ["git", "merge-base", "--is-ancestor", old, new], cwd=self.path, env=_environment(),
            capture_output=True,
        )  # fmt: skip
        return done.returncode == 0

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's bytes at a commit, None where it has none."""
        done = subprocess.run(
            ["git", "cat-file", "blob", f"{commit}:{path}"], cwd=self.path, env=_environment(),
            capture_output=True,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else None

    def _packed(self) -> Iterator[tuple[str, str]]:
        file = self.path / "packed-refs"
        for line in file.read_text().splitlines() if file.exists() else ():
            commit, _, ref = line.partition(" ")
            if ref.startswith("refs/heads/"):
                yield ref.removeprefix("refs/heads/"), commit


def _environment() -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return clean | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _reset(branch: str, parent: str | None) -> bytes:
    return b"" if parent else f"reset refs/heads/{branch}\n".encode()


def _change(name: str, content: str | bytes | None) -> bytes:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if content is None:
        return f"D {quoted}\n".encode()
    content = content.encode() if isinstance(content, str) else content
    return f"M 100644 inline {quoted}\n".encode() + _data(content)
