"""What a spec is: references, files in use, and `Spec`, a frozen record of plain values.

In: plain values of one document. Out: values with references and projections by role taken once,
so that later stages (and the cache) need neither the models nor pydantic. How a field says its
role is in `fields.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as _field
from typing import Any, Literal, NamedTuple

from llmops.digest import of_value

API_VERSION = "llmops/v1alpha1"
STAGES = ("input", "output")  # of a conversation, at which a Guardrail looks
NAME_PATTERN = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"

KIND_NAMES = (
    "Model", "Dataset", "Recipe", "Prompt", "Evaluation", "SafetyTest", "Guardrail", "Application",
    "Environment", "Release", "Policy",
)  # fmt: skip

JobType = Literal["curate", "train", "generate", "evaluate", "scan", "guard", "observe"]
PlainRole = Literal["descriptive", "static", "gate", "placement"]
Role = PlainRole | tuple[JobType, ...]


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
    derived: tuple[tuple[tuple[str | int, ...], Mapping[str, Any]], ...] = ()  # see graph/build.py
    digest: str = ""  # of `projections` without the descriptive ones; "" where it is not known yet

    @property
    def meaning(self) -> str:
        """Digest of the spec's own fields, all but the descriptive ones."""
        return self.digest or meaning(self.projections)

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


def elsewhere(ref: Ref, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A place in another spec: its `Kind/name` stands before the path inside its document."""
    return (str(ref), *loc)


def stands(ref: Ref, loc: tuple[str | int, ...]) -> tuple[Ref, tuple[str | int, ...]]:
    """The spec that a place is in, and the path inside its document (see `elsewhere`)."""
    first = str(loc[0]) if loc else ""
    return (Ref.parse(first), loc[1:]) if "/" in first else (ref, loc)


def meaning(projections: Mapping[str, Any]) -> str:
    """Digest of all projections but the descriptive one."""
    return of_value({role: value for role, value in projections.items() if role != "descriptive"})
