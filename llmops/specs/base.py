"""What a spec is, and how a field says its role.

In: plain values of one document. Out: `Spec`, a frozen record of plain values with references
and projections by role taken once, so that later stages (and the cache) need no pydantic.
Each leaf field of a kind is declared with `field(role=..., doc=...)`; the role decides what a
change of it costs (DESIGN.md 5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as _field
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

API_VERSION = "llmops/v1alpha1"

JobType = Literal["curate", "train", "generate", "evaluate", "scan", "guard", "observe"]
PlainRole = Literal["descriptive", "static", "gate", "placement"]
Role = PlainRole | tuple[JobType, ...]


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


NAME_PATTERN = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class Ref(NamedTuple):
    """`Kind/name`: how every spec is called in plans, comments and commands."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """From `Kind/name`. Raises ValueError if the text is not of that form."""
        kind, slash, name = text.partition("/")
        if not slash or not kind or not name:
            raise ValueError(f'"{text}" is not Kind/name')
        return cls(kind, name)


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of another spec: where it stands, what it names, and which part of it."""

    loc: tuple[str | int, ...]  # path inside the document, e.g. ("spec", "data", 0, "dataset")
    target: Ref
    part: str | None = None


@dataclass(frozen=True, slots=True)
class FileUse:
    """One use of a file of the repository (`{file: path}` or a source's `file:`)."""

    loc: tuple[str | int, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Spec:
    """One declared object.

    `value` is the normalised plain document {"metadata": {...}, "spec": {...}}: defaults filled
    in, None left out (so a new optional field of a later llmops changes no digest).
    `projections` maps a role ("static", "gate", "placement") or job type ("train", ...) to the
    part of `value["spec"]` with that role; a key is absent when nothing has it.
    """

    ref: Ref
    path: str  # the file it stands in
    value: Mapping[str, Any]
    references: tuple[Reference, ...] = ()
    files: tuple[FileUse, ...] = ()
    projections: Mapping[str, Any] = _field(default_factory=dict)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The part under `spec:`, normalised."""
        body: Mapping[str, Any] = self.value["spec"]
        return body

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that selectors and policies match."""
        labels: Mapping[str, str] = self.value["metadata"].get("labels", {})
        return labels
