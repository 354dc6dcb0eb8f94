"""Which files a command that rewrites specs means, and which of them git can give back.

In: paths as a user types them. Out: files, named as every command names them. In a repository a
folder holds what git sees below it; without a path every spec is meant.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmops.cli import common
from llmops.diagnostics import printable
from llmops.errors import LlmopsError, UsageError
from llmops.project import FOLDERS
from llmops.source.tree import Repository, Tree

ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files are: a repository, or a folder in none."""

    repository: Repository | None
    tree: Tree | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> Place:
        """Around `-C`; GitError for a folder in no repository, unless files are named."""
        try:
            found = common.project(args).repository
            return cls(found, found.work_tree())
        except LlmopsError:
            if not args.paths:
                raise
            return cls(None, None)  # somebody names files that are in no repository

    def name(self, path: Path) -> str:
        """The file's path from the root of the repository, as every command calls it."""
        return self._inside(path) or printable(path.as_posix(), 1000)

    def kept(self, paths: Sequence[Path]) -> Mapping[Path, bytes]:
        """What git can give back of files, as they lay there when the command began."""
        names = self._known(paths)
        if self.tree is None:
            return {}
        contents = self.tree.read_many(names.values())
        return {path: contents[name] for path, name in names.items()}

    def unsaved(self, paths: Sequence[Path]) -> Mapping[Path, str]:
        """The object's id of each file that the last commit has not as it lies there."""
        if self.tree is None or self.repository is None or not self.tree.dirty:
            return {}
        committed = self.repository.commit("HEAD")
        saved = self.repository.tree("HEAD").blobs() if committed else {}
        blobs = self.tree.blobs()
        return {
            path: blobs[name].oid
            for path, name in self._known(paths).items()
            if name not in saved or saved[name].oid != blobs[name].oid
        }

    def _known(self, paths: Sequence[Path]) -> Mapping[Path, str]:
        """The names of those files that git was given."""
        blobs = self.tree.blobs() if self.tree is not None else {}
        names = {path: self._inside(path) or "" for path in paths}
        return {path: name for path, name in names.items() if name in blobs}

    def files(self, args: argparse.Namespace) -> list[Path]:
        """The files that were named, those below named folders, or every spec; each once."""
        found: dict[Path, None] = {}
        if not args.paths:
            assert self.repository is not None
            found.update(dict.fromkeys(self._below("", FOLDERS)))
        for given in args.paths:
            found.update(dict.fromkeys(self._named(Path(args.directory) / given, given)))
        return list(found)

    def _named(self, path: Path, given: str) -> Iterator[Path]:
        if path.is_dir() and not path.is_symlink():
            inside = self._inside(path)
            files = self._on_disk(path) if inside is None else self._below(inside, ("",))
            yield from files
        elif path.exists() or path.is_symlink():
            yield path.parent.resolve() / path.name
        else:
            raise UsageError(f'no file or folder "{printable(given)}"')

    def _below(self, folder: str, starts: tuple[str, ...]) -> Iterator[Path]:
        """Specs that git sees: what it ignores and what is a link is none."""
        assert self.repository is not None
        assert self.tree is not None
        below = "" if folder in ("", ".") else folder + "/"
        for name in self.tree.blobs():
            if name.startswith(below) and name.startswith(starts) and name.endswith(ENDINGS):
                yield self.repository.root.resolve() / name

    @staticmethod
    def _on_disk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.resolve().rglob("*")):
            if path.name.endswith(ENDINGS) and path.is_file() and not path.is_symlink():
                yield path

    def _inside(self, path: Path) -> str | None:
        if self.repository is None:
            return None
        root, full = self.repository.root.resolve(), path.parent.resolve() / path.name
        return full.relative_to(root).as_posix() if full.is_relative_to(root) else None
