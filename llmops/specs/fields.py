"""How a field of a kind says its role, and what it may hold.

Each leaf field is declared with `field(role=..., doc=...)`; the role decides what a change of it
costs (see `llmops.graph.diff`). Markers say what a text field refers to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

from llmops.specs.base import NAME_PATTERN, Role

_NAME = NAME_PATTERN.strip("^$")
_PART = "[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?"
_STEP = r"(?!\.{1,2}(/|$))[^/\\:]+"
_INSIDE = rf"^(?!\.git(/|$)){_STEP}(/{_STEP})*$"


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

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The form of the text, for editors; what is wrong with it, `references` says better."""
        return {**handler(core), "pattern": self.pattern}

    @property
    def pattern(self) -> str:
        """A regular expression of all texts that name something."""
        bare = self.bare or len(self.kinds) == 1
        kinds = f"({'|'.join(self.kinds)})/" if len(self.kinds) > 1 else ""
        start = f"({kinds})?" if kinds and bare else kinds
        part = {"never": "", "optional": f"(#{_PART})?", "required": f"#{_PART}"}[self.part]
        return f"^{start}{_NAME}{part}$"


@dataclass(frozen=True, slots=True)
class IsFile:
    """Marks a text field as the path of a file of the repository, from its root."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """No way out of the repository, for editors."""
        return {**handler(core), "pattern": _INSIDE}


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
