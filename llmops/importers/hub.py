"""Weights and rows that a training tool names: on a hub, at an address, or in a file beside it.

In: the words of the foreign file. Out: a Model, or the source of a Dataset, in a draft. Whatever
would pin them (a digest, a commit) is written where the foreign file says it, and otherwise left
out with a comment, so that `validate` asks for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from llmops.digest import canonical
from llmops.importers.base import Draft, Found, slug
from llmops.specs.base import Ref
from llmops.specs.problem import Loc

WEIGHTS = "fill in digest: sha256:…, that of the canonical {path: sha256} of all files"
COMMIT = "fill in revision: the commit of 40 hex digits that the hub shows today"
ROWS = "fill in: uri of one file of rows, with digest: sha256:… of its bytes (or file: in here)"
WHERE = "fill in file: (a path of this repository), or uri: with digest: sha256:…"
READ = (".jsonl", ".csv")
_HUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def model(draft: Draft, name: str, of: Loc, revision: Any = None, revision_of: Loc = ()) -> Ref:
    """A Model with these weights, unpinned as far as nobody said the commit."""
    ref = draft.add("Model", name)
    on_hub = _HUB.fullmatch(name) is not None
    draft.put(ref, "weights.uri", f"hf://{name}" if on_hub else name, of)
    draft.say(ref, "weights", WEIGHTS)
    if isinstance(revision, str) and _COMMIT.fullmatch(revision):
        draft.put(ref, "weights.revision", revision, revision_of)
    elif on_hub:
        draft.say(ref, "weights", COMMIT)
    if revision is not None and draft.get(ref, "weights.revision") is None:
        draft.note(revision_of, "a name that can move; the commit itself must stand there")
    return ref


def source(draft: Draft, ref: Ref, path: str, found: Found | None, of: Loc) -> None:
    """The one source of a Dataset: a file of this repository, or an address that is not pinned."""
    made: dict[str, Any] = {"name": slug(path, "rows")}
    rows = _rows(found) if found is not None else None
    if found is not None and rows is not None:
        suffix = ".csv" if found.path.endswith(".csv") else ".jsonl"
        made["file"] = f"specs/data/{ref.name}{suffix}"
        draft.rows[made["file"]] = rows
        draft.say(ref, "sources", f"the rows of {found.path}")
    elif found is not None and found.here:
        made["file"] = found.path
    elif _ADDRESS.fullmatch(path):
        made["uri"] = path
    elif _HUB.fullmatch(path) and PurePosixPath(path).suffix not in (*READ, ".json", ".parquet"):
        made["uri"] = f"hf://datasets/{path}"
    elif inside(path):
        made["file"] = str(PurePosixPath(path))
    draft.put(ref, "sources", [made], of)
    _ask(draft, ref, made, of)


def _ask(draft: Draft, ref: Ref, made: Mapping[str, Any], of: Loc) -> None:
    if "uri" in made:
        draft.say(ref, "sources", ROWS)
    elif "file" not in made:
        draft.say(ref, "sources", WHERE)
    elif not made["file"].endswith(READ):
        draft.say(ref, "sources", "rows are read from JSON Lines and CSV; this file is neither")
        draft.note(of, "rows are read from JSON Lines and CSV")


def inside(path: str) -> bool:
    """Whether a path could stand in a spec: relative, without a step out of the repository."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts) and ".." not in parts and not path.startswith(("/", "~")) and "\\" not in path
    )


def _rows(found: Found) -> bytes | None:
    """The rows where they must be copied: a JSON list of objects, or a file from elsewhere."""
    if found.data is not None and not found.here and found.path.endswith(READ):
        return found.data
    if not found.path.endswith(".json") or found.data is None:
        return None
    value = as_json(found.data)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return None
    try:
        return b"".join(canonical(row) + b"\n" for row in value)
    except ValueError:
        return None


def as_json(data: bytes) -> Any:
    """The value of a JSON text, or None where it is none."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
