"""The nouns of change: FieldChange and Change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from llmops.specs.base import JobType, Ref

JOB_TYPES: tuple[str, ...] = get_args(JobType)  # earliest first
CATEGORIES = (*JOB_TYPES, "gate", "static", "placement", "descriptive")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's change. `path` as written in YAML below `spec`/`metadata`; values are JSON."""

    path: str
    before: Any
    after: Any
    role: str  # descriptive | static | gate | placement | job types, comma separated


@dataclass(frozen=True, slots=True)
class Change:
    """One spec's change between two trees.

    `category`: the earliest job type it needs, else gate, static, placement or descriptive.
    `through`: for a spec that only follows, the fields through which the change reaches it.
    """

    ref: Ref
    action: Literal["added", "removed", "changed", "follows"]
    path: str
    category: str
    fields: tuple[FieldChange, ...] = ()
    through: tuple[str, ...] = ()


def earliest(categories: list[str]) -> str:
    """The category that costs most: the first in the order of jobs; `descriptive` for none."""
    return min(categories, key=CATEGORIES.index, default="descriptive")
