"""How a field of a kind says its role, and what it may hold.

Each leaf field is declared with `field(role=..., doc=...)`; the role decides what a change of it
costs (see `llmops.graph.diff`). Markers say what a text field refers to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from llmops.specs.base import NAME_PATTERN, Role


def field(default: Any = ..., *, role: Role, doc: str, **more: Any) -> Any:
    """A field of a kind with its one role and its one line of documentation.

    `role` is a plain role, or the tuple of job types whose results the field can change.
    """
    shown = role if isinstance(role, str) else f"job: [{', '.join(role)}]"
    extra: dict[str, Any] = {"x-llmops-role": shown}
    return Field(default, description=doc, json_schema_extra=extra, **more)


def group(default: Any = ..., *, doc: str, **more: Any) -> Any:
    """A field that holds other fields (a block, or a list of blocks): its leaves have the roles."""
    return Field(default, description=doc, **more)


class Block(BaseModel):
    """Base of every kind and block: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


@dataclass(frozen=True, slots=True)
class RefTo:
    """Marks a text field as a reference: the kinds it may name, and whether `#part` belongs.

    One kind: written `name`. Several: written `Kind/name`. `part`: "never", "optional", "required".
    `bare`: among several kinds, the one that a bare `name` means.
    """

    kinds: tuple[str, ...]
    part: Literal["never", "optional", "required"] = "never"
    bare: str = ""


@dataclass(frozen=True, slots=True)
class IsFile:
    """Marks a text field as the path of a file of the repository, from its root."""


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
