"""Blocks and typed texts that several kinds share: bounds, secrets, metadata, checked words.

In: plain YAML values. Out: frozen values, or pydantic errors that `mistakes.py` turns into the
user's words. A text with a pattern is declared by `form(pattern, words)`, so that the message can
say what was expected instead of showing a regular expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from annotated_types import GroupedMetadata
from pydantic import AfterValidator, Discriminator, Field, Strict, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from llmops.specs.base import NAME_PATTERN
from llmops.specs.fields import Block, Name, field

PATTERN_WORDS: dict[str, str] = {
    NAME_PATTERN: 'lower-case letters, digits, "-" and ".", at most 63',
}


def form(pattern: str, words: str) -> StringConstraints:
    """The form of a text; `words` say it to people."""
    PATTERN_WORDS[pattern] = words
    return StringConstraints(pattern=pattern)


class Unordered(GroupedMetadata):
    """Marks a list whose order means nothing: kept sorted, each value once."""

    def __iter__(self) -> Iterator[object]:
        yield from (LIST, AfterValidator(_unordered))


LIST = Strict(strict=False)  # marks a list whose order means something: YAML has no tuples
SET = Unordered()


def _unordered(value: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(value)))


def _localised(value: Any) -> Any:
    texts = value.values() if isinstance(value, dict) and value else [value]
    if not all(isinstance(t, str) for t in texts):
        raise PydanticCustomError("words", "text, or one text per language: {en: …, zh: …}")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise PydanticCustomError("words", "text, a number, or true or false")
    return value


SHA256_PATTERN = r"^sha256:[0-9a-f]{64}$"
Digest = Annotated[str, form(SHA256_PATTERN, '"sha256:" and 64 hex digits')]
Country = Annotated[
    str, form(r"^[A-Z]{2}$", "a country or region code of two capital letters, as in CN or EU")
]
License = Annotated[str, form(r"^[A-Za-z0-9][A-Za-z0-9.+-]*$", "an SPDX id, as in Apache-2.0")]
Language = Annotated[
    str, form(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "a language tag, as in en or zh")
]
DAY_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
Day = Annotated[str, form(DAY_PATTERN, 'a date, as in "2026-11-22"')]
Quantity = Annotated[
    str, form(r"^\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$", "a Kubernetes quantity, as in 80Gi")
]
Column = Annotated[str, form(r"^\S(.*\S)?$", "the name of a column")]
PART_PATTERN = r"^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$"
Part = Annotated[str, form(PART_PATTERN, 'letters, digits, "-", "_" and "."')]
SecretName = Annotated[str, form(r"^[A-Z][A-Z0-9_]*$", "the secret's NAME in capital letters")]
NonEmpty = Annotated[str, form(r"\S", "some text")]

Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[Any, AfterValidator(_localised)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
Verbatim = dict[str, Any]
Statistic = Literal["p50", "p90", "p95", "p99"]


class Secret(Block):
    """A secret by its name in the runner's secret store; never a value."""

    secret: SecretName = field(role="placement", doc="Name in the secret store.")


def _kind_of_address(value: Any) -> str:
    return "secret" if isinstance(value, dict | Secret) else "text"


Address = Annotated[
    Annotated[Secret, Tag("secret")] | Annotated[str, Tag("text")], Discriminator(_kind_of_address)
]


class Bound(Block):
    """One side of a number: `{min: x}` or `{max: x}`."""

    min: Number | None = field(None, role="gate", doc="Lowest value that still holds.")
    max: Number | None = field(None, role="gate", doc="Highest value that still holds.")


class Regression(Block):
    """Not worse than base's target on the same cases."""

    margin: Number = field(role="gate", doc="Loss that is allowed, in the metric's unit.", ge=0)
    prove: bool = field(False, role="gate", doc="Non-inferiority must be shown.")


class Gap(Block):
    """No more difference than this, whichever side is better."""

    max: Number = field(role="gate", doc="Difference that is allowed, in the metric's unit.", gt=0)
    prove: bool = field(False, role="gate", doc="That it is kept must be shown.")


class CaseErrors(Block):
    """How many cases may have no valid value."""

    max: Share = field(role="gate", doc="Share of cases; above it the outcome is inconclusive.")


class Resources(Block):
    """What one job asks of a machine."""

    nodes: int = field(1, role="placement", doc="Machines (only 1 now).", ge=1)
    processes_per_node: int = field(
        1, role=("train",), doc="Ranks: part of the result, since batches depend on it.", ge=1
    )
    gpu: str | None = field(None, role="placement", doc="GPU class, as in H100-80GB.")
    cpu: int | None = field(None, role="placement", doc="Cores per process.", ge=1)
    memory: Quantity | None = field(None, role="placement", doc="Memory, as in 256Gi.")
    timeout_minutes: Number | None = field(
        None, role="placement", doc="Minutes after which the job is stopped.", gt=0
    )


class Metadata(Block):
    """Who and what, for people and selectors."""

    name: Name = field(role="static", doc="Unique per kind; equals the file name.")
    title: Text | None = field(None, role="descriptive", doc="Title, or one per language.")
    description: Text | None = field(None, role="descriptive", doc="One line for people.")
    owner: str | None = field(None, role="descriptive", doc="Team or person that answers for it.")
    labels: dict[str, str] | None = field(None, role="gate", doc="Words that policies select on.")
    annotations: dict[str, str] | None = field(None, role="descriptive", doc="Free text.")
