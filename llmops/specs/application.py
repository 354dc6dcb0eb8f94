"""Kind `Application`: the thing users meet: its purpose, its model and its prompt.

Purpose, risk class and oversight are judged without evidence; model and prompt decide answers.
`routes` say which requests would go to other models: they are held against residency, and a
routed model that no Evaluation measures is warned of, since answers come from `model` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.specs.blocks import LIST, SET, Country, NonEmpty, Text
from llmops.specs.fields import Block, RefTo, field, group
from llmops.specs.problem import Problem, items, once, one_of, quoted


class Oversight(Block):
    """Who watches it."""

    human_in_loop: NonEmpty | None = field(None, role="static", doc="When a person steps in.")
    owner_on_call: NonEmpty | None = field(None, role="static", doc="Who is called.")


class When(Block):
    """What a request must be like to take a route: everything that is said here."""

    sensitivity_at_least: Literal["public", "internal", "personal", "special"] | None = field(
        None, role="static", doc="Requests that hold data of this class or above."
    )
    intent: NonEmpty | None = field(None, role="static", doc="Requests of this kind.")
    tokens_over: int | None = field(None, role="static", doc="Requests that are longer.", ge=1)


class Route(Block):
    """Which model a request goes to; the first route that fits is taken."""

    when: When | None = group(None, doc="Which requests.")
    default: Literal[True] | None = field(None, role="static", doc="All other requests.")
    model: Annotated[str, RefTo(("Recipe", "Model"))] = field(
        role="static", doc="Where they go: Recipe/… or Model/…"
    )


class Application(Block):
    """The AI system that users meet."""

    intended_purpose: Text | None = field(None, role="static", doc="What it is for.")
    jurisdictions: Annotated[tuple[Country, ...], SET] = field(
        (), role="static", doc="Where it is offered."
    )
    risk_class: dict[str, str] | None = field(None, role="static", doc="Class by regime.")
    oversight: Oversight | None = group(None, doc="Who watches it.")
    model: Annotated[str, RefTo(("Recipe", "Model"))] = field(
        role=("generate", "scan"), doc="What answers: Recipe/… or Model/…"
    )
    prompt: Annotated[str, RefTo(("Prompt",))] | None = field(
        None, role=("generate", "scan"), doc="What it is told; without it the user's turn alone."
    )
    guardrails: Annotated[tuple[Annotated[str, RefTo(("Guardrail",))], ...], LIST] = field(
        (), role=("generate", "scan"), doc="What filters its questions and answers."
    )
    routes: Annotated[tuple[Route, ...], LIST] = group(
        (), doc="Other models for some requests: judged for residency, answered by `model` alone."
    )


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: guardrails once; routes end in one default, the model judged."""
    yield from once(spec.get("guardrails"), ("spec", "guardrails"))
    routes = list(items(spec, "routes"))
    for i, route in routes:
        loc = ("spec", "routes", i)
        yield from one_of(route, loc, ("when", "default"))
        if route.get("when") == {}:
            yield Problem((*loc, "when"), "missing-field", "when says nothing", "name a condition")
    defaults = [i for i, route in routes if route.get("default") is True]
    if routes and defaults != [routes[-1][0]]:
        at = ("spec", "routes", defaults[0], "default") if defaults else ("spec", "routes")
        what = "the last route, and no other, must be the default"
        yield Problem(at, "wrong-value", what, "end with {default: true, model: …}", key=True)
    elif routes and isinstance(spec.get("model"), str):
        yield from _same(spec["model"], routes[-1][1].get("model"), routes[-1][0])


def _same(model: str, routed: Any, i: int) -> Iterator[Problem]:
    if isinstance(routed, str) and routed != model:
        what = f"the default route goes to {quoted(routed)}, but {quoted(model)} is what is judged"
        hint = "write the same model in both places"
        yield Problem(("spec", "routes", i, "model"), "said-twice", what, hint)
