"""Which objects of a judged tree an auditor gets: what judging reads, and no file of a Dataset.

In: a tree. Out: ids of all its folders, of the files that are handed over, and of those that are
withheld. Handed over: specs and policies, trust roots, CODEOWNERS, golden texts, and each file that
a spec other than a Dataset names. A file that a Dataset names is withheld whoever else names it:
verdicts are derived from its digest. Names of files are in the folders, so they are seen.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from llmops.project import FOLDERS
from llmops.prompts import golden
from llmops.signing import trust
from llmops.source.tree import Tree
from llmops.specs.base import Spec
from llmops.specs.tree import load_blobs
from llmops.static import OWNERS


@dataclass(frozen=True, slots=True)
class Reads:
    """Git ids of what is handed over of a tree's files, and of what is withheld."""

    given: frozenset[str]
    withheld: frozenset[str]


def reads(tree: Tree, cache: MutableMapping[str, Any] | None = None) -> Reads:
    """What judging a tree reads. `cache` remembers parsed specs, as `load_blobs` has it."""
    listed = tree.blobs()
    specs = [p for p in listed if p.startswith(FOLDERS) and p.endswith((".yaml", ".yml"))]
    loaded = load_blobs([listed[p] for p in specs], tree.read_many, {} if cache is None else cache)
    given, withheld = {*specs, *OWNERS}, set[str]()
    given |= {path for path in listed if path.startswith(f"{trust.FOLDER}/")}
    for spec in loaded.specs.values():
        files = {use.path for use in spec.files}
        if spec.ref.kind == "Dataset":
            withheld |= files
        else:
            given |= files | set(_golden(spec))
    hidden = {listed[path].oid for path in withheld & listed.keys()}
    return Reads(
        frozenset(listed[path].oid for path in given & listed.keys()) - hidden, frozenset(hidden)
    )


def _golden(spec: Spec) -> Iterator[str]:
    """Where the golden texts of a prompt are kept."""
    for test in spec.spec.get("tests", ()) if spec.ref.kind == "Prompt" else ():
        yield golden.path(spec.path, spec.ref.name, str(test["name"]))
