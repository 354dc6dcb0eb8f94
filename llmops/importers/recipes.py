"""What a Recipe and its Datasets have in common, whichever training tool they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from llmops.importers.base import Draft, Found, Near, NotCarriedError
from llmops.importers.keys import number
from llmops.specs.base import Ref
from llmops.specs.problem import Loc

HELD_OUT = "validation"
SEED = 42  # of Transformers' Trainer
_COMMIT = re.compile(r"[0-9a-f]{40}")


def look(near: Near, path: Any) -> Found | None:
    """The file at a path, if it is a path and the file is there."""
    return near(path) if isinstance(path, str) and 0 < len(path) <= 1000 else None


def purpose(draft: Draft, ref: Ref, *, preference: bool) -> None:
    """What the rows are for."""
    draft.put(ref, "purpose", ["preference" if preference else "sft"])


def form(draft: Draft, ref: Ref, name: str, columns: Mapping[str, Any], of: Loc) -> None:
    """A format with the columns that are called otherwise in the file."""
    draft.put(ref, "format", name, of)
    other = {ours: theirs for ours, theirs in columns.items() if theirs != ours}
    if other:
        draft.put(ref, "columns", other, of)
    if name == "preference":
        draft.say(ref, "format", "rows of better and worse answers are not read yet")


def no_form(draft: Draft, ref: Ref, of: Loc) -> None:
    """A way of reading rows that has no counterpart."""
    draft.say(ref, "", "fill in format: qa, messages, alpaca, sharegpt or completion")
    draft.note(of, "no format of a Dataset reads rows so")


def pin(draft: Draft, ref: Ref, revision: Any, of: Loc) -> None:
    """The commit of a hub's dataset, where it is one."""
    if revision is None:
        return
    sources = draft.get(ref, "sources")
    if isinstance(revision, str) and _COMMIT.fullmatch(revision) and "uri" in sources[0]:
        draft.say(ref, "sources", f"of the commit {revision}")
    else:
        draft.note(of, "rows are pinned by the digest of their file")


def default(draft: Draft, recipe: Ref, path: str, value: Any, tool: str) -> None:
    """A value that the tool takes by itself, and llmops would take otherwise, written out."""
    if draft.get(recipe, path) is None:
        draft.put(recipe, path, value)
        draft.say(recipe, path, f"{tool} takes this where nothing is said")


def mix(draft: Draft, recipe: Ref, parts: Sequence[Ref], of: Loc) -> None:
    """Every dataset once, as the tools have it without weights."""
    if parts:
        draft.put(recipe, "data", [{"dataset": ref.name} for ref in parts], of)


def hold_out(draft: Draft, recipe: Ref, parts: Sequence[Ref], size: Any, of: Loc) -> None:
    """Splits that keep a share of the rows apart, and an Evaluation that asks them."""
    if size in (None, 0, ""):
        return
    try:
        share = number(size)
    except NotCarriedError as error:
        draft.note(of, str(error))
        return
    if not 0 < share < 1:
        draft.note(of, "a split is a share of the rows, above 0 and below 1")
        return
    for ref in parts:
        split = {"train": round(1 - share, 10), HELD_OUT: share}
        draft.put(ref, "splits", {"method": "hash", "seed": 0, "parts": split}, of)
    if parts:
        data = [{"dataset": f"{ref.name}#train"} for ref in parts]
        draft.put(recipe, "data", data, of)
    for ref in parts:
        _evaluation(draft, recipe, ref, of)


def _evaluation(draft: Draft, recipe: Ref, data: Ref, of: Loc) -> None:
    ref = draft.add("Evaluation", f"{recipe.name}-{data.name}")
    draft.say(ref, "", "the rows that were held out, asked for answers instead of a loss")
    draft.put(ref, "target", str(recipe), of)
    draft.put(ref, "dataset", f"{data.name}#{HELD_OUT}", of)
    draft.put(ref, "checks", [{"name": "token-f1", "metric": "builtin/token_f1"}], of)
    draft.say(ref, "checks", "measured, not bounded: add require: {min: …} once you know the value")
