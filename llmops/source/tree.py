"""Git -> named bytes, through its plumbing alone. Wet.

Flows in: a folder and revisions. Flows out: `Tree`, an immutable listing of blobs by git object
id, whose bytes are read in one batch. The work tree is a tree too, written through a temporary
index, so nothing later knows the difference and the user's index is never touched. Symlinks,
submodules and names that are not UTF-8 are listed apart and never read. `git` runs the program,
`commits` writes trees that no work tree holds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from llmops.diagnostics import did_you_mean, printable
from llmops.errors import GitError, UsageError
from llmops.source.commits import Who, committed
from llmops.source.git import Done, Git, failed
from llmops.source.refs import Moves, listed, moved

_REGULAR = frozenset({"100644", "100755"})
_TREE_MODE = "040000"
_WHO = ("GIT_AUTHOR_", "GIT_COMMITTER_")  # who commits, where the caller says it


class Objects(Protocol):
    """Where trees are read from: `git.Git` in a folder, or `objects.Objects` that were handed over.

    Raises GitError for an object that is not there.
    """

    def entries(self, *arguments: str) -> list[tuple[str, str, int, str]]:
        """Mode, object id, size and path of each entry that `ls-tree` lists."""
        ...

    def contents(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Bytes of many blobs by object id."""
        ...

    def digests(self, oids: Iterable[str]) -> dict[str, str]:
        """`sha256:<hex>` of the bytes of many blobs by object id."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of a tree: repo-relative POSIX path, git mode, object id, size in bytes."""

    path: str
    mode: str
    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class Tree:
    """One immutable state of all files.

    `label` is for people ("4c1e9ab", "work tree"); `oid` is the git tree's id; `commit` is a
    commit with exactly this tree, None where there is none; `dirty` where work is uncommitted.
    """

    label: str
    oid: str
    commit: str | None
    dirty: bool
    _git: Objects = field(repr=False, compare=False)
    _listing: dict[str, tuple[Mapping[str, Blob], tuple[Blob, ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def blobs(self) -> Mapping[str, Blob]:
        """All regular files by path, in git's order."""
        return self._listed()[0]

    def refused(self) -> tuple[Blob, ...]:
        """What is never read: symlinks, submodules, file names that are not UTF-8."""
        return self._listed()[1]

    def read(self, path: str) -> bytes:
        """One file's bytes. Raises KeyError where `blobs` has no such path."""
        return self.read_many([path])[path]

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Many files' bytes through one git process. Raises KeyError for an unknown path."""
        blobs = self.blobs()
        wanted = {path: blobs[path].oid for path in paths}
        contents = self._git.contents(dict.fromkeys(wanted.values()))
        return {path: contents[oid] for path, oid in wanted.items()}

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """The sha256 of many files' bytes. Raises KeyError for an unknown path."""
        blobs = self.blobs()
        wanted = {path: blobs[path].oid for path in paths}
        found = self._git.digests(dict.fromkeys(wanted.values()))
        return {path: found[oid] for path, oid in wanted.items()}

    def subtree(self, path: str) -> str | None:
        """Object id of a folder, None where there is none; "" is the root."""
        path = path.strip("/")
        if path in ("", "."):
            return self.oid
        for mode, oid, *_ in self._git.entries("-d", self.oid, "--", path):
            if mode == _TREE_MODE:
                return oid
        return None

    def _listed(self) -> tuple[Mapping[str, Blob], tuple[Blob, ...]]:
        if not self._listing:
            self._listing[""] = _listing(self._git.entries("-r", "-l", self.oid))
        return self._listing[""]


@dataclass(frozen=True, slots=True)
class Step:
    """A commit by which a branch went on: its tree, its first parent and that one's tree.

    Times are RFC 3339, as whoever made the commit says them.
    """

    commit: str
    tree: str
    parent: str | None
    before: str | None  # the tree of the first parent
    written_at: str
    committed_at: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with its work tree at `root`."""

    root: Path
    _git: Git = field(repr=False, compare=False)

    @classmethod
    def find(cls, start: Path) -> Repository:
        """The repository that `start` lies in. Raises GitError: none here, or no git."""
        done = Git(start).run("rev-parse", "--show-toplevel", check=False)
        if done.returncode:
            raise _not_here(start, done)
        root = Path(os.fsdecode(done.stdout.removesuffix(b"\n")))
        return cls(root, Git(root))

    def commit(self, rev: str) -> str | None:
        """The commit that `rev` names, or None."""
        return self._git.resolve(rev, "commit")

    def tree(self, rev: str) -> Tree:
        """The files at a revision (branch, tag, commit or tree id). Raises UsageError."""
        oid = self._git.resolve(rev, "tree")
        if oid is None:
            raise self._unknown(rev)
        commit = self.commit(rev)
        return Tree((commit or oid)[:7], oid, commit, False, self._git)

    def objects(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Trees and blobs by id, as git hashes them. Raises GitError for one that is not here."""
        return self._git.objects(oids)

    def folders(self, tree: str) -> frozenset[str]:
        """Ids of a tree and of all folders below it."""
        listed = self._git.entries("-r", "-d", tree)
        return frozenset([tree, *(oid for mode, oid, *_ in listed if mode == _TREE_MODE)])

    def empty(self) -> Tree:
        """The tree without files: the base where there is no history."""
        oid = self._git.text("hash-object", "-t", "tree", "--stdin")
        return Tree("empty tree", oid, None, False, self._git)

    def work_tree(self) -> Tree:
        """The files as they lie on the disk: changed, deleted, and new ones that are not ignored.

        Its objects are written to the repository, so its id is real and can be read later. With
        nothing uncommitted it is HEAD's tree and not dirty.
        """
        with tempfile.TemporaryDirectory(prefix="llmops-index-") as folder:
            oid = self._write_tree(Path(folder) / "index")
        if oid == self._git.resolve("HEAD", "tree"):
            return self.tree("HEAD")
        return Tree("work tree", oid, None, True, self._git)

    def merged(self, base: str, head: str) -> Tree:
        """What would land if `head` were merged into `base`. Raises UsageError on a conflict."""
        tips = [self._commit_or_raise(rev) for rev in (base, head)]
        arguments = ("--write-tree", "--name-only", "-z", "--no-messages", *tips)
        done = self._git.run("merge-tree", *arguments, check=False)
        if done.returncode == 1:
            raise _conflict(base, head, done.stdout)
        if done.returncode:
            raise self._cannot_merge(base, head, done)
        oid = done.stdout.split(b"\0")[0].decode().strip()
        if oid == self._git.resolve(tips[1], "tree"):
            return Tree(tips[1][:7], oid, tips[1], False, self._git)
        return Tree(f"{tips[1][:7]} merged into {tips[0][:7]}", oid, None, False, self._git)

    def default_branch(self) -> str:
        """The branch that changes land on, by name: what origin calls its head, else main, master.

        "main" where there is none of them.
        """
        done = self._git.run("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", check=False)
        named = os.fsdecode(done.stdout).strip().removeprefix("refs/remotes/origin/")
        found = (name for name in ("main", "master") if self.commit(f"refs/heads/{name}"))
        return named or next(found, "main")

    def merge_base(self, a: str, b: str) -> str | None:
        """The last commit that both have, or None."""
        tips = [self._commit_or_raise(rev) for rev in (a, b)]
        done = self._git.run("merge-base", *tips, check=False)
        if done.returncode > 1:
            raise failed("merge-base", done)
        return done.stdout.decode().strip() or None

    def authors(self, base: str, head: str) -> frozenset[str]:
        """Who wrote what head has and base has not: names, addresses and their first parts."""
        tips = [self._commit_or_raise(rev) for rev in (base, head)]
        text = self._git.text("log", "--format=%an%n%ae", f"{tips[0]}..{tips[1]}", "--")
        names = [line.strip() for line in text.split("\n") if line.strip()]
        return frozenset([*names, *(name.partition("@")[0] for name in names)])

    def user(self) -> str:
        """What git calls whoever works here, "" where it does not know."""
        done = self._git.run("config", "--get", "user.name", check=False)
        return " ".join(done.stdout.decode(errors="replace").split())

    def landed(self, base: str, head: str) -> tuple[tuple[str, str], ...]:
        """Commit and message of each step in which a branch went from base to head, oldest first.

        Steps are first parents: what a merge brought in is one.
        """
        tips = [self._commit_or_raise(rev) for rev in (base, head)]
        listed = self._git.run(
            "log", "-z", "--first-parent", "--reverse", "--format=%H%n%B", f"{tips[0]}..{tips[1]}",
            "--",
        ).stdout.decode(errors="replace")  # fmt: skip
        found = (one.strip("\n").partition("\n") for one in listed.split("\0") if one.strip())
        return tuple((commit, message) for commit, _, message in found)

    def trail(self, head: str, most: int) -> tuple[tuple[str, str], ...]:
        """Commit and tree of head and of the steps before it, newest first, at most so many."""
        tip = self._commit_or_raise(head)
        listed = self._git.text("log", "--first-parent", f"-{most}", "--format=%H %T", tip, "--")
        found = (line.partition(" ") for line in listed.splitlines())
        return tuple((commit, tree) for commit, _, tree in found)

    def steps(self, head: str) -> tuple[Step, ...]:
        """Every step of a branch, its first parents all the way down, oldest first."""
        tip = self._commit_or_raise(head)
        listed = self._git.text("log", "--first-parent", "--format=%H %T %aI %cI", tip, "--")
        found: list[Step] = []
        for line in reversed(listed.splitlines()):
            commit, tree, written, committed = line.split(" ")
            last = found[-1] if found else None
            parent, before = (last.commit, last.tree) if last is not None else (None, None)
            found.append(Step(commit, tree, parent, before, written, committed))
        return tuple(found)

    def branch(self, name: str, parent: str, path: str, data: bytes, message: str) -> str:
        """A new branch: `parent` and one more file, committed; the commit's id.

        The work tree, its index and HEAD stay as they are, and the branch appears last. Raises
        UsageError where there is such a branch or file already.
        """
        tip = self._commit_or_raise(parent)
        if self.commit(f"refs/heads/{name}"):
            raise UsageError(f'there is a branch "{printable(name)}" already')
        if any(one == path for _, _, _, one in self._git.entries("-r", tip, "--", path)):
            raise UsageError(f"{printable(path)} is there already at {printable(parent)}")
        tree = self._with_file(tip, path, self._git.run("hash-object", "-w", "--stdin", data=data))
        commit = self._committed(tree, tip, f"{message}\n")
        self._git.run("update-ref", f"refs/heads/{name}", commit, "0" * len(commit))
        return commit

    def commit_files(
        self, parent: str | None, files: Mapping[str, bytes | None], message: str, who: Who
    ) -> str:
        """A commit on top of `parent` (None: without a parent) that no branch has yet; its id.

        `files`: path -> bytes, None for a file that goes. The work tree, its index, HEAD and every
        branch stay as they are. Raises UsageError for a path that git would not check out.
        """
        tip = None if parent is None else self._commit_or_raise(parent)
        return committed(self._git, tip, files, message, who)

    def point(self, ref: str, commit: str) -> None:
        """Set a ref of ours (below `refs/llmops/`) to a commit, so that git keeps it."""
        self._git.run("update-ref", ref, commit)

    def refs(self, *names: str) -> Mapping[str, str]:
        """What refs point to, by full name: those named, and all below a name that ends in `/`."""
        return listed(self._git, names)

    def move(self, moves: Moves) -> bool:
        """Move refs from a commit to another, all or none of them; None is no such ref.

        False: one of them is not where it was said to be, or somebody is moving it now.
        """
        return moved(self._git, moves)

    def drop(self, ref: str) -> None:
        """Forget a ref of ours; one that is gone or held by somebody is no trouble."""
        self._git.run("update-ref", "-d", ref, check=False)

    def changed(self, before: str | None, after: str) -> tuple[str, ...]:
        """Paths of `after` that `before` has not, or with other bytes; links and such left out."""
        first = self.empty().oid if before is None else self._commit_or_raise(before)
        second = self._commit_or_raise(after)
        options = ("-r", "-z", "--no-renames", "--diff-filter=d", first, second)
        said = self._git.run("diff-tree", *options).stdout.split(b"\0")
        modes = (head.split()[1].decode() for head in said[:-1:2])
        pairs = zip(modes, map(os.fsdecode, said[1::2]), strict=True)
        return tuple(path for mode, path in pairs if mode in _REGULAR and _is_text(path))

    def _with_file(self, commit: str, path: str, hashed: Done) -> str:
        """The id of a commit's tree with one more file, through an index of its own."""
        blob = hashed.stdout.decode().strip()
        with tempfile.TemporaryDirectory(prefix="llmops-index-") as folder:
            git = Git(self.root, {"GIT_INDEX_FILE": str(Path(folder) / "index")})
            git.run("read-tree", f"{commit}^{{tree}}")
            git.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
            return git.text("write-tree")

    def _committed(self, tree: str, parent: str, message: str) -> str:
        """A commit by whoever git says that the user is."""
        who = {k: v for k, v in os.environ.items() if k.startswith(_WHO)}
        git = Git(self.root, who)
        done = git.run("commit-tree", tree, "-p", parent, data=message.encode(), check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            if "tell me who you are" in said or "ident" in said:
                hint = "git config user.name and user.email say it"
                raise GitError("git does not know who you are", hint=hint)
            raise failed("commit-tree", done)
        return done.stdout.decode().strip()

    def is_shallow(self) -> bool:
        """Whether history was cut when cloning, so that bases may be missing."""
        return self._git.text("rev-parse", "--is-shallow-repository") == "true"

    def _write_tree(self, index: Path) -> str:
        """Write the work tree's objects through a copy of the user's index."""
        own = Path(os.fsdecode(self._git.line("rev-parse", "--git-path", "index")))
        own = self.root / own
        if own.exists():
            shutil.copy2(own, index)
        git = Git(self.root, {"GIT_INDEX_FILE": str(index)})
        listed = ("--modified", "--deleted", "--others", "--exclude-standard")
        lines = git.run("ls-files", "-z", "-t", *listed).stdout.split(b"\0")
        gone = {line[2:] for line in lines if line.startswith(b"R ")}
        there = {line[2:] for line in lines if line and not line.endswith(b"/")}
        # First what is gone, since a file may stand now where a folder was; and a link that stands
        # where a folder was replaces it, although git still finds the folder's files through it.
        for options, names in ((("--force-remove",), gone), (("--add", "--replace"), there)):
            if names:
                data = b"".join(name + b"\0" for name in sorted(names))
                git.run("update-index", "-z", "--remove", *options, "--stdin", data=data)
        return git.text("write-tree")

    def _commit_or_raise(self, rev: str) -> str:
        commit = self.commit(rev)
        if commit is None:
            raise self._unknown(rev)
        return commit

    def _unknown(self, rev: str) -> UsageError:
        what = f'no commit is named "{printable(rev)}"'
        if not rev.strip():
            hint = "a revision is empty: is the variable that it comes from set?"
        elif ".." in rev:
            hint = "a range is two revisions: say them as --base and --head"
        elif self.is_shallow():
            hint = "this clone is shallow: git fetch --unshallow"
        elif ":" in rev:
            hint = "name the commit alone, without a path"
        elif self._git.resolve(f"refs/remotes/origin/{rev}", "commit"):
            hint = f"did you mean origin/{rev}?"
        else:
            kinds = ("refs/heads", "refs/remotes", "refs/tags")
            said = self._git.text("for-each-ref", "--format=%(refname:short)", *kinds)
            hint = "git branch --all shows the names there are"
            hint = did_you_mean(rev, said.split(), otherwise=hint)
        return UsageError(what, hint=printable(hint))

    def _cannot_merge(self, base: str, head: str, done: Done) -> Exception:
        said = done.stderr.decode(errors="replace")
        if "unrelated histories" in said:
            hint = "git fetch --unshallow" if self.is_shallow() else "base and head must share one"
            names = f"{printable(base)} and {printable(head)}"
            return UsageError(f"{names} have no common ancestor", hint=hint)
        if "usage:" in said or "unknown option" in said:
            return GitError("this git cannot merge trees", hint="install git 2.38 or newer")
        return failed("merge-tree", done)


def _listing(
    entries: Sequence[tuple[str, str, int, str]],
) -> tuple[Mapping[str, Blob], tuple[Blob, ...]]:
    blobs: dict[str, Blob] = {}
    refused: list[Blob] = []
    for mode, oid, size, path in entries:
        blob = Blob(path, mode, oid, size)
        if mode in _REGULAR and _is_text(path):
            blobs[path] = blob
        else:
            refused.append(blob)
    return blobs, tuple(refused)


def _is_text(path: str) -> bool:
    return path.isascii() or not any("\ud800" <= c <= "\udfff" for c in path)


def _not_here(start: Path, done: Done) -> GitError:
    said = done.stderr.decode(errors="replace")
    if "dubious ownership" in said:
        hint = f"git config --global --add safe.directory {start}"
        return GitError("git does not trust this folder: another user owns it", hint=hint)
    if "must be run in a work tree" in said:
        return GitError("this repository has no work tree", hint="clone it, and work in the clone")
    if "not a git repository" in said:
        return GitError("this is not a git repository", hint="git init, or go to where one is")
    return failed("rev-parse", done)


def _conflict(base: str, head: str, out: bytes) -> UsageError:
    names = [os.fsdecode(name) for name in out.split(b"\0")[1:] if name]
    shown = ", ".join(printable(name) for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    message = f"{printable(head)} does not merge into {printable(base)}: conflict in {shown}{more}"
    return UsageError(message, hint=f"merge {printable(base)} into it and resolve the conflict")
