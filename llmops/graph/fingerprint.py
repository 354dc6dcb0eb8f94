"""Graph -> fingerprints: what each spec means, for `diff`."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.digest import of_value
from llmops.graph.build import Graph
from llmops.specs.base import Ref


def fingerprints(graph: Graph) -> Mapping[Ref, str]:
    """Digest of each spec's meaning: its own content, the files and the specs it refers to.

    Keys follow the graph's order (dependencies first). Descriptive fields are left out, and so
    are the file's place, key order and comments. Equal meaning gives an equal digest everywhere.
    """
    if "fingerprints" not in graph.memo:
        graph.memo["fingerprints"] = _fingerprints(graph)
    kept: Mapping[Ref, str] = graph.memo["fingerprints"]
    return kept


def _fingerprints(graph: Graph) -> Mapping[Ref, str]:
    found: dict[Ref, str] = {}
    for ref, spec in graph.specs.items():
        found[ref] = of_value(
            {
                "kind": ref.kind,
                "name": ref.name,
                "roles": spec.meaning,
                "refers": sorted(
                    [_at(u.loc), found[u.target], u.part or ""] for u in spec.references
                ),
                "files": sorted([_at(use.loc), graph.files[use.path]] for use in spec.files),
            }
        )
    return found


def _at(loc: tuple[str | int, ...]) -> str:
    """A place without positions in lists: their order is in the projections, where it matters."""
    return "/".join(step for step in loc if isinstance(step, str))
