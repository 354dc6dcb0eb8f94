"""Whether outside content is pinned: a digest, and a commit where a revision is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmops.specs.problem import Loc, Problem, quoted

_COMMIT = re.compile(r"[0-9a-f]{40}")


def revision(content: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """A revision is a commit of 40 hex digits, never a branch or a tag that can move."""
    name = content.get("revision")
    if isinstance(name, str) and not _COMMIT.fullmatch(name):
        what = f"revision {quoted(name)} can move: it is no commit of 40 hex digits"
        hint = "name the commit that the branch or tag points at today"
        yield Problem((*loc, "revision"), "pinned-revision", what, hint)


def moves(model: str) -> bool:
    """Whether a provider's id is an alias: no date in it, and no digest."""
    return re.search(r"\d{4}-\d{2}-\d{2}|\d{8}|@[0-9a-f]{7,}", model) is None
