"""What trees say before anything runs: mistakes, static findings, changes and their direction.

In: a repository and one or two of its trees, read. Out: diagnostics, Changes, what is tighter or
looser. `validate`, `diff` and `policy diff` are these functions; `pipeline.py` goes on to plans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmops.diagnostics import Diagnostic, Severity, Span, has_errors
from llmops.errors import UsageError
from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.diff import diff
from llmops.jobs.base import Plan
from llmops.project import Pair, Project, State, name_of, read
from llmops.source.sides import tip
from llmops.source.tree import Tree

if TYPE_CHECKING:
    from llmops.rules.base import Finding
    from llmops.rules.directions import Moved
    from llmops.rules.facts import Facts

OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


@dataclass(frozen=True)
class Checked:
    """What `validate` found: mistakes and static findings, as diagnostics."""

    state: State
    diagnostics: tuple[Diagnostic, ...]
    invalid: bool  # the specs themselves do not parse, type or resolve
    selected: int | None = None  # how many specs were selected, None for all of them


def validate(project: Project, paths: Sequence[str] = ()) -> Checked:
    """Text to graph, and the rules that need no evidence; `paths` narrow what is shown."""
    from llmops.rules.verdict import static_findings

    state = read(project, project.repository.work_tree(), head=True)
    found = list(state.diagnostics)
    if state.graph is not None:
        facts = static_facts(state)
        found += [_as_diagnostic(f) for f in static_findings(facts)]
        found += _waivers(project, facts)
        found += _not_moved(state, state.graph)
    shown = tuple(d for d in found if not paths or _under(d.span.path, paths))
    return Checked(state, shown, has_errors(d for d in state.diagnostics if d in shown))


def chosen(project: Project, found: Checked, said: tuple[Sequence[str], Sequence[str]]) -> Checked:
    """Of what was found, what stands in the files of specs that selectors name.

    All of it where the specs do not resolve. `said`: to select, to exclude. Raises SelectorError.
    """
    from llmops.graph.methods import SelectorError
    from llmops.graph.select import needs, select
    from llmops.jobs.selection import scene_of

    used = needs((*said[0], *said[1]))
    if "result" in used:
        raise SelectorError("validate looks at no evidence", "llmops ls result:failed does")
    graph = found.state.graph
    if graph is None:
        return found
    base = tip(project.repository) if "state" in used else None
    before = read(project, base).graph if base is not None else None
    changes = diff(before, graph, _roles) if "state" in used else ()
    refs = select(replace(scene_of(before, graph, changes, said), graphs=(graph,)), *said)
    files = {graph.specs[ref].path for ref in refs}
    kept = tuple(d for d in found.diagnostics if d.span.path in files)
    return replace(found, diagnostics=kept, selected=len(refs))


def _waivers(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Waivers that cannot count: for nothing, for too long, or past their day."""
    from llmops.rules.waiver import gates_of, static

    def at_base() -> frozenset[str]:
        base = tip(project.repository)
        return gates_of(read(project, base).graph) if base is not None else frozenset()

    for rule, one in static(facts, at_base, datetime.now(UTC).date()):
        yield replace(_as_diagnostic(one), rule=rule)


NOT_MOVED = "declared and checked; no command moves traffic yet"


def _not_moved(state: State, graph: Graph) -> Iterator[Diagnostic]:
    """A Release is checked and protected, and that is all: nobody shall think otherwise."""
    for release in graph.of_kind("Release"):
        span = state.loaded.span(release.ref, ("spec", "strategy"))
        what = f"{release.ref} is {NOT_MOVED}"
        yield Diagnostic(span, "not-moved", what, severity=Severity.INFO)


def _under(path: str, folders: Sequence[str]) -> bool:
    return any(f in ("", ".", path) or path.startswith(f.rstrip("/") + "/") for f in folders)


def _as_diagnostic(found: Finding) -> Diagnostic:
    from llmops.rules.base import Outcome

    path, line, column = found.place.rsplit(":", 2)
    severity = Severity.WARNING if found.outcome is Outcome.WARNED else Severity.ERROR
    span = Span(path, int(line), int(column))
    return Diagnostic(span, found.rule, found.message, found.hint, severity)


def static_facts(state: State) -> Facts:
    """What rules without evidence may look at: one tree, and nothing that ran."""
    from llmops.rules.facts import Facts

    assert state.graph is not None
    nothing = Plan(None, name_of(state.tree), None, (), (), ())
    return Facts(
        base=None,
        head=state.graph,
        plan=nothing,
        exams=(),
        proven={},
        rows=lambda _closure: None,
        place=lambda _side, ref, loc: state.place(ref, loc),
        owners=owners(state.tree),
        text=text_of(state.tree),
    )


def text_of(tree: Tree) -> Callable[[str], str | None]:
    """Reads files of a tree as text; None for one that is not there."""

    def read(path: str) -> str | None:
        return tree.read(path).decode("utf-8", "replace") if path in tree.blobs() else None

    return read


def owners(tree: Tree) -> tuple[str, ...]:
    """The lines of CODEOWNERS, wherever GitHub would look for it."""
    for path in OWNERS:
        if path in tree.blobs():
            return tuple(tree.read(path).decode("utf-8", "replace").splitlines())
    return ()


def changes_of(both: Pair) -> tuple[Change, ...]:
    """The semantic changes between base and head."""
    assert both.head.graph is not None
    return diff(both.base.graph if both.base else None, both.head.graph, _roles)


def _roles(kind: str) -> Mapping[str, str]:
    """The roles of a kind's fields; the models are loaded when something changed."""
    from llmops.specs.load import roles

    return roles(kind)


def directions(both: Pair) -> tuple[Moved, ...]:
    """What head's gates and policies ask less, more or otherwise than base's."""
    from llmops.rules.directions import moved

    if both.base_problem:
        raise UsageError(f"base cannot be compared: {both.base_problem}", hint="mend base first")
    base = both.base.graph if both.base is not None else None
    facts = replace(static_facts(both.head), base=base, place=both.place)
    return moved(facts, changes_of(both))
