"""Evidence comes from runs, never from a commit: whoever writes a tree does not judge it.

In: the paths of a tree, links included. Out: a mistake for what stands where evidence is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from llmops.diagnostics import Diagnostic, Span

FOLDER = "reports"
_NAMES = ("audited", "audits", "blobs", "evidence", "ledger", "places", "runs", "signed")
_KEPT = tuple(f"{FOLDER}/{name}" for name in _NAMES)
_UNDER = tuple(f"{path}/" for path in _KEPT)


def committed(files: Iterable[str], refused: Iterable[str]) -> tuple[Diagnostic, ...]:
    """One mistake for all of a tree's paths that would be taken for what a run left.

    `refused` are its links and submodules, which may stand for the folders themselves.
    """
    places = {FOLDER, *_KEPT}
    every = chain((p for p in files if p.startswith(_UNDER)), (p for p in refused if p in places))
    found = sorted({*every, *(p for p in refused if p.startswith(_UNDER))})
    if not found:
        return ()
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return (
        Diagnostic(
            Span(found[0]),
            "committed-evidence",
            f"the tree brings its own evidence{more}: what runs leave is never committed",
            f"git rm -r --cached {FOLDER}, and add /{FOLDER} to .gitignore",
        ),
    )
