"""A repository and its two trees, read: Tree -> Document -> Spec -> Graph, for base and head.

In: a folder and two revisions. Out: `Pair`, each side with its graph or with everything that is
wrong with it. Every command begins here; `pipeline.py` goes on from a Pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from llmops.diagnostics import Diagnostic, Severity, Span, has_errors
from llmops.digest import of_bytes
from llmops.errors import UsageError
from llmops.evidence.committed import committed
from llmops.evidence.store import Store
from llmops.graph.build import Graph, build
from llmops.jobs.base import Side, TreeName
from llmops.jobs.check import check
from llmops.jobs.plan import Trees
from llmops.prompts.shots import lines
from llmops.source.cache import BlobCache, code_digest
from llmops.source.tree import Repository, Tree
from llmops.specs.base import Ref
from llmops.specs.tree import LoadedTree, load_blobs

PACKAGE = Path(__file__).parent
FOLDERS = ("specs/", "policies/")
DEFAULT_BASES = ("origin/HEAD", "main", "master")


@dataclass(frozen=True)
class State:
    """One tree, read: its graph or None, and everything wrong with it."""

    tree: Tree
    loaded: LoadedTree
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]

    def place(self, ref: Ref, loc: tuple[str | int, ...]) -> str:
        """`path:line:col` of a field."""
        return str(self.loaded.span(ref, loc))

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The text of each file that has something wrong with it."""
        paths = {d.span.path for d in self.diagnostics}
        known = {p: self.tree.read(p) for p in paths if p in self.tree.blobs()}
        return {path: data.decode("utf-8", "replace") for path, data in known.items()}


@dataclass(frozen=True)
class Project:
    """A repository with its reports folder and its cache."""

    repository: Repository
    reports: Path
    cache: Path | None = None

    @classmethod
    def find(cls, start: Path, cache: Path | None = None) -> Project:
        """The project around a folder. GitError when that is no repository."""
        repository = Repository.find(start)
        return cls(repository, repository.root / "reports", cache)

    def blobs(self) -> BlobCache:
        """What was parsed before, by object id."""
        # whose code decides what a document says
        rooms = ("specs", "source", "guardrails", "prompts")
        return BlobCache(self.cache, code_digest(*(PACKAGE / room for room in rooms)))

    @property
    def store(self) -> Store:
        """Where evidence is kept."""
        return Store(self.reports)


@dataclass(frozen=True)
class Pair:
    """Base and head, read."""

    base: State | None
    head: State
    commits: tuple[str, str] | None = None  # base's and head's, where both are commits

    @property
    def names(self) -> Trees:
        """How the two trees are called in plans and verdicts."""
        base = self.base.tree if self.base else None
        policy = base.subtree("policies") if base else None
        return Trees(name_of(base) if base else None, name_of(self.head.tree), policy)

    @property
    def base_problem(self) -> str:
        """Why base's specs cannot be read, "" if they can: how many mistakes, and the first."""
        if self.base is None or self.base.graph is not None:
            return ""
        found = [d for d in self.base.diagnostics if d.severity is Severity.ERROR]
        first = f"{found[0].span}: {found[0].message}"
        return f"{mistakes(len(found))} at {self.base.tree.label}, the first {first}"

    def place(self, side: Side, ref: Ref, loc: tuple[str | int, ...]) -> str:
        """`path:line:col` of a field on one side."""
        state = self.base if side == "base" and self.base else self.head
        return state.place(ref, loc)


class InvalidSpecs(UsageError):
    """The head's specs do not parse or resolve; `state` has the diagnostics."""

    def __init__(self, state: State) -> None:
        count = sum(d.severity is Severity.ERROR for d in state.diagnostics)
        super().__init__(f"{mistakes(count)} in the specs of {state.tree.label}")
        self.state = state


def mistakes(count: int) -> str:
    """`1 mistake`, `2 mistakes`."""
    return "1 mistake" if count == 1 else f"{count} mistakes"


def name_of(tree: Tree) -> TreeName:
    """How plans and verdicts call a tree."""
    return TreeName(tree.label, tree.oid, tree.commit, tree.dirty)


def read(
    project: Project, tree: Tree, cache: BlobCache | None = None, *, head: bool = False
) -> State:
    """One tree's specs, references and own consistency. Never raises for a user's mistake.

    `head`: the tree is to be judged, so it must not bring evidence of its own, nor hide a spec.
    """
    paths = [p for p in tree.blobs() if p.startswith(FOLDERS) and p.endswith((".yaml", ".yml"))]
    cache = project.blobs() if cache is None else cache
    loaded = load_blobs([tree.blobs()[p] for p in paths], tree.read_many, cache)
    cache.save()
    uses = {use.path for spec in loaded.specs.values() for use in spec.files}
    texts = _present(tree, uses)
    found = {path: of_bytes(data) for path, data in texts.items()}
    built = build(loaded.specs, found, loaded.span, tree.blobs(), loaded.broken)
    problems = [*loaded.diagnostics, *built.diagnostics, *_shots(loaded, texts)]
    if head:
        problems += committed(tree.blobs(), (blob.path for blob in tree.refused()))
        problems += _never_read(tree)
    if built.graph is not None:
        problems += check(built.graph, loaded.span)
    ordered = tuple(sorted(set(problems), key=lambda d: d.sort_key))
    return State(tree, loaded, None if has_errors(ordered) else built.graph, ordered)


def _shots(loaded: LoadedTree, texts: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Lines of few-shot files that are no example: told where they stand."""
    prompts = (spec for ref, spec in loaded.specs.items() if ref.kind == "Prompt")
    files = dict.fromkeys(u.path for spec in prompts for u in spec.files if "few_shot" in u.loc)
    for path in files:
        for line in lines(texts.get(path, b"")):
            if line.wrong:
                what = f"line {line.number} {line.wrong}"
                hint = 'write {"user": "…", "assistant": "…"}, one example a line'
                yield Diagnostic(Span(path, line.number), "few-shot-row", what, hint)


def _never_read(tree: Tree) -> Iterator[Diagnostic]:
    """Links and the like where specs are looked for: they look like specs and are none."""
    for blob in tree.refused():
        if f"{blob.path}/".startswith(FOLDERS):
            what = "a link, a submodule or a name that is not UTF-8 is never read"
            hint = "put the file itself here"
            yield Diagnostic(Span(blob.path), "not-a-file", what, hint)


def _present(tree: Tree, paths: set[str]) -> Mapping[str, bytes]:
    return tree.read_many(sorted(paths & tree.blobs().keys()))


def pair(project: Project, base: str | None, head: str | None) -> Pair:
    """Base and head of a change. Raises InvalidSpecs when head's specs are wrong."""
    base_tree, head_tree = trees(project.repository, base, head)
    cache = project.blobs()
    after = read(project, head_tree, cache, head=True)
    if after.graph is None:
        raise InvalidSpecs(after)
    same = base_tree is not None and base_tree.oid == head_tree.oid
    before = replace(after, tree=base_tree) if same and base_tree else None
    if base_tree is not None and before is None:
        before = read(project, base_tree, cache)
    tip = base_tree.commit if base_tree is not None else None
    return Pair(before, after, (tip, head or "HEAD") if tip else None)


def trees(repository: Repository, base: str | None, head: str | None) -> tuple[Tree | None, Tree]:
    """The tip of the target branch, and the tree that would land on it."""
    work = repository.work_tree() if head is None else None
    here = "HEAD" if head is None else head
    target = _default_base(repository) if base is None else base
    if target is None or (base is None and _is_first(repository, target, here, work)):
        return None, work or repository.tree(here)
    below = _called(repository.tree(target), target)
    if work is not None and work.dirty:
        return below, work
    landed = repository.merged(target, here)
    return below, landed if head is None or landed.commit is None else _called(landed, head)


def tip(repository: Repository) -> Tree | None:
    """The tip of the branch that changes land on, None where git knows none."""
    target = _default_base(repository)
    return repository.tree(target) if target is not None else None


def _called(tree: Tree, rev: str) -> Tree:
    """The tree under the name that the user knows it by, unless that is its commit's id."""
    return tree if (tree.commit or "").startswith(rev) else replace(tree, label=rev)


def _default_base(repository: Repository) -> str | None:
    """The branch that changes land on, as far as git knows it; HEAD when it knows none."""
    names = (*DEFAULT_BASES, "HEAD")
    return next((name for name in names if repository.commit(name)), None)


def _is_first(repository: Repository, base: str, head: str, work: Tree | None) -> bool:
    """The very first commit has no base: base is the empty tree."""
    commit = repository.commit(base)
    clean = work is None or not work.dirty
    same = commit is not None and commit == repository.commit(head)
    return same and clean and not repository.is_shallow() and not repository.commit(f"{base}^")
