"""Kind `Application`: the thing users meet: its purpose, its model and its prompt.

Purpose, risk class and oversight are judged without evidence; model and prompt decide answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from llmops.specs.blocks import SET, Country, NonEmpty, Text
from llmops.specs.fields import Block, RefTo, field, group
from llmops.specs.problem import Problem


class Oversight(Block):
    """Who watches it."""

    human_in_loop: NonEmpty | None = field(None, role="static", doc="When a person steps in.")
    owner_on_call: NonEmpty | None = field(None, role="static", doc="Who is called.")


class Application(Block):
    """The AI system that users meet."""

    intended_purpose: Text | None = field(None, role="static", doc="What it is for.")
    jurisdictions: Annotated[tuple[Country, ...], SET] = field(
        (), role="static", doc="Where it is offered."
    )
    risk_class: dict[str, str] | None = field(None, role="static", doc="Class by regime.")
    oversight: Oversight | None = group(None, doc="Who watches it.")
    model: Annotated[str, RefTo(("Recipe", "Model"))] = field(
        role=("generate",), doc="What answers: Recipe/… or Model/…"
    )
    prompt: Annotated[str, RefTo(("Prompt",))] | None = field(
        None, role=("generate",), doc="What it is told; without it the user's turn alone."
    )


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Nothing beyond types."""
    yield from ()
