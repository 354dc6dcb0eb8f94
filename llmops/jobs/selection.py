"""Selectors -> Selection: which Evaluations, SafetyTests and Guardrails a person wants judged.

In: base and head, their changes, what was said with `--select` and `--exclude`. Out: the specs that
ask, by name, so that a saved plan means the same later. A spec that is selected brings all that is
asked of it; one that is excluded takes that away. What is selected is a part: plan and verdict say
so, even where the part is all there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.methods import SelectorError
from llmops.graph.select import Scene, depends_on_change, needs, select
from llmops.jobs.base import Selection
from llmops.jobs.exam import exams, made_of
from llmops.jobs.parts import ASKERS, target_of
from llmops.specs.base import Ref


def selection(
    base: Graph | None,
    head: Graph,
    changes: Sequence[Change],
    chosen: tuple[Sequence[str], Sequence[str]],
    results: Mapping[Ref, str] | None = None,
) -> Selection | None:
    """What is judged of a change, None for all of it. `chosen`: to select, to exclude.

    Raises SelectorError for selectors that mean nothing, and where no gate judges what they name.
    """
    wanted, unwanted = chosen
    if not wanted and not unwanted:
        return None
    scene = scene_of(base, head, changes, chosen, results)
    kept, gone = set(select(scene, wanted)), set(select(scene, unwanted)) if unwanted else set()
    asks = tuple(_askers(base, head))
    named = [ref for ref, target in asks if {ref, target} & kept]
    left = {str(ref) for ref, target in asks if {ref, target} & kept and not {ref, target} & gone}
    if not named and wanted and not depends_on_change(wanted):
        raise _not_judged(wanted)
    return Selection(tuple(wanted), tuple(unwanted), tuple(sorted(left)))


def scene_of(
    base: Graph | None,
    head: Graph,
    changes: Sequence[Change],
    chosen: tuple[Sequence[str], Sequence[str]],
    results: Mapping[Ref, str] | None = None,
) -> Scene:
    """Both graphs, with the jobs about each spec where a selector asks for them."""
    graphs = (head,) if base is None or base is head else (head, base)
    used = needs((*chosen[0], *chosen[1]))
    return Scene(graphs, changes, _jobs(base, head) if "job" in used else {}, results or {})


def _not_judged(wanted: Sequence[str]) -> SelectorError:
    words = " ".join(wanted)
    return SelectorError(
        f'no gate judges what "{words}" selects',
        f"{words}+ also selects what follows from it" if len(wanted) == 1 else "name an Evaluation",
    )


def _askers(base: Graph | None, head: Graph) -> Iterator[tuple[Ref, Ref]]:
    """Every spec of both trees that asks something, with the target that it asks."""
    for graph in (head, *((base,) if base is not None else ())):
        for kind in ASKERS:
            yield from ((asker.ref, target_of(asker)) for asker in graph.of_kind(kind))


def _jobs(base: Graph | None, head: Graph) -> Mapping[Ref, frozenset[str]]:
    found: dict[Ref, set[str]] = {}
    asked = exams(base, head)
    for made in (*made_of(asked, "head"), *made_of(asked, "base")):
        found.setdefault(made.job.subject, set()).add(made.job.type)
    return {ref: frozenset(types) for ref, types in found.items()}
