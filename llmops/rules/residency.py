"""Rule `residency`: rows that may not leave a place meet no model that is served elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info

INFO = Info(
    id="residency",
    why="sending a row to an endpoint is an export of that row",
    fix="use a model served where the data may be, or data that may go there",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each Recipe or Evaluation that joins a Dataset with an endpoint elsewhere."""
    graph = facts.head
    for user in (*graph.of_kind("Recipe"), *graph.of_kind("Evaluation")):
        reached = [graph.specs[ref] for ref in graph.reach(user.ref)]
        served = [s for s in reached if "endpoint" in s.spec]
        for data in (s for s in reached if s.ref.kind == "Dataset"):
            stays = set(data.spec.get("residency", []))
            for model in served:
                goes = set(model.spec["endpoint"].get("residency", []))
                if stays and not (goes and goes <= stays):
                    where = ", ".join(sorted(goes)) or "an unnamed place"
                    message = (
                        f"{user.ref} sends {data.ref} (stays in {', '.join(sorted(stays))}) "
                        f"to {model.ref}, served in {where}"
                    )
                    place = facts.place("head", user.ref, ("spec",))
                    yield Finding(INFO.id, config.gate, Outcome.FAILED, message, INFO.fix, place)
