"""A repository and its two trees, read: Tree -> Document -> Spec -> Graph, for base and head.

In: a folder and two revisions. Out: `Pair`, each side with its graph or with everything that is
wrong with it. Every command begins here; `pipeline.py` goes on from a Pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.diagnostics import Diagnostic, Severity, Span, has_errors
from llmops.errors import UsageError
from llmops.evidence.committed import FOLDER, committed
from llmops.evidence.elsewhere import Recorded, Source
from llmops.evidence.store import Lookout, Store
from llmops.graph.build import Graph, build
from llmops.jobs.base import Side, TreeName
from llmops.jobs.check import check
from llmops.jobs.plan import Trees
from llmops.prompts.shots import lines
from llmops.signing import trust
from llmops.source import halves
from llmops.source.cache import BlobCache, code_digest
from llmops.source.sides import Sides, sides
from llmops.source.tree import Blob, Repository, Tree
from llmops.specs.base import Ref
from llmops.specs.tree import LoadedTree, load_blobs, record, unread

if TYPE_CHECKING:
    from llmops.evidence.blobs import Blobs

PACKAGE = Path(__file__).parent
FOLDERS = ("specs/", "policies/")


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
    shared: Blobs | None = None  # where artifacts lie for all machines
    sources: tuple[Source, ...] = ()  # where else; else what records say of uploads
    looking: bool = False  # what lies elsewhere is seen and not brought, as for a plan

    @classmethod
    def find(cls, start: Path, cache: Path | None = None) -> Project:
        """The project around a folder. GitError when that is no repository."""
        return cls.of(Repository.find(start), cache)

    @classmethod
    def of(cls, repository: Repository, cache: Path | None = None) -> Project:
        """The project of a repository."""
        return cls(repository, repository.root / FOLDER, cache)

    def blobs(self) -> BlobCache:
        """What was parsed before, by object id."""
        # whose code decides what a document says
        rooms = ("specs", "source", "guardrails", "prompts")
        return BlobCache(self.cache, code_digest(*(PACKAGE / room for room in rooms)))

    @property
    def store(self) -> Store:
        """Where evidence is kept."""
        sources = self.sources or (Recorded(self.reports.absolute()),)
        made = Lookout if self.looking else Store
        return made(self.reports, self.shared, sources)


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
    blobs = [tree.blobs()[p] for p in paths]
    _read_by_two(blobs, tree, cache)
    loaded = load_blobs(blobs, tree.read_many, cache)
    cache.save()
    uses = {use.path for spec in loaded.specs.values() for use in spec.files}
    found = tree.digests(sorted(uses & tree.blobs().keys()))
    built = build(loaded.specs, found, loaded.span, tree.blobs(), loaded.broken)
    problems = [*loaded.diagnostics, *built.diagnostics, *_shots(loaded, tree)]
    if head:
        problems += committed(tree.blobs(), (blob.path for blob in tree.refused()))
        problems += _never_read(tree)
        problems += _trusted(tree)
    if built.graph is not None:
        problems += check(built.graph, loaded.span)
    ordered = tuple(sorted(set(problems), key=lambda d: d.sort_key))
    return State(tree, loaded, None if has_errors(ordered) else built.graph, ordered)


def _read_by_two(blobs: Sequence[Blob], tree: Tree, cache: BlobCache) -> None:
    """Has the cache know many new files sooner; what is wrong with a file is for `load_blobs`."""
    keys = unread(blobs, cache)
    if len(keys) < halves.FEWEST:
        return
    found = halves.made(tree.read_many(list(keys)), record)
    cache.update({keys[path]: one for path, one in found.items() if one is not None})


def _shots(loaded: LoadedTree, tree: Tree) -> Iterator[Diagnostic]:
    """Lines of few-shot files that are no example: told where they stand."""
    prompts = (spec for ref, spec in loaded.specs.items() if ref.kind == "Prompt")
    files = dict.fromkeys(u.path for spec in prompts for u in spec.files if "few_shot" in u.loc)
    texts = _present(tree, files.keys())
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


def _trusted(tree: Tree) -> Iterator[Diagnostic]:
    """Trust roots that are no chain: once they land, nobody's word counts any more."""
    try:
        trust.of_tree(tree)
    except UsageError as error:
        path = error.message.split(" ")[0].removesuffix(":")
        yield Diagnostic(Span(path), "trust-root", error.message, error.hint)


def _without(after: State, gone: str) -> State:
    """A tree that takes back what base's owners signed."""
    what = "base has this trust root, and head has not as it is"
    hint = "roots only follow one another: llmops keys rotate writes the next"
    return replace(
        after, graph=None, diagnostics=(Diagnostic(Span(gone), "trust-root", what, hint),)
    )


def _present(tree: Tree, paths: AbstractSet[str]) -> Mapping[str, bytes]:
    return tree.read_many(sorted(paths & tree.blobs().keys()))


def pair(project: Project, base: str | None, head: str | None) -> Pair:
    """Base and head of a change. Raises InvalidSpecs when head's specs are wrong."""
    return pair_of(project, sides(project.repository, base, head))


def pair_of(project: Project, two: Sides) -> Pair:
    """The two trees of a change, read. Raises InvalidSpecs when head's specs are wrong."""
    cache = project.blobs()
    after = read(project, two.head, cache, head=True)
    if after.graph is None:
        raise InvalidSpecs(after)
    if two.base is None:
        return Pair(None, after)
    if gone := trust.lost(two.head, two.base):
        raise InvalidSpecs(_without(after, gone))
    if two.base.oid == two.head.oid:
        return Pair(replace(after, tree=two.base), after, two.commits)
    return Pair(read(project, two.base, cache), after, two.commits)
