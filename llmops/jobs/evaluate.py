"""Job type `evaluate`: kept responses -> the complete case x metric matrix, as rows.

Reads the metrics of the checks, never their bounds: a moved bound makes no job. An Evaluation's
judge, where metrics ask one, is part of the job: an endpoint by address and model id, or weights
of ours as inputs (`judge/model`, ...), so another judge judges the kept responses again and nothing
is generated anew. Makes `rows.jsonl`, `judgements.jsonl` where a judge was asked, and
`anchors.jsonl` where it is calibrated: the rated rows (input `anchors`) that it judged among the
cases, so other anchors are judged, never their minima.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import train
from llmops.jobs.base import Input, Resources
from llmops.jobs.generate import HOW as GENERATE
from llmops.jobs.generate import Cases, cases
from llmops.jobs.make import HowTo, Made, made_by, make, spec_at, use
from llmops.specs.base import Ref, Spec

REVISION = 1
EXPECTED = {"qa": "answer", "alpaca": "output", "completion": "completion", "attack": "expect"}
ANCHORS = "anchors"  # the input, and the artifact but for its ending
LIMITS = ("requests_per_minute", "max_retries", "timeout_seconds", "concurrency")


@dataclass(frozen=True, slots=True)
class Bench:
    """A judge as an evaluate job gets it: payload, what only reaches the worker, and its inputs.

    `anchors` are the rated rows that it judges too; they are no part of who judges.
    """

    payload: Mapping[str, Any] | None = None
    aside: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    before: tuple[Made, ...] = ()
    reads: tuple[Ref, ...] = ()
    tools: tuple[str, ...] = ()
    anchors: Cases | None = None


def job(
    asker: Spec,
    asked: Cases,
    answered: Made,
    given: Iterable[Mapping[str, Any]],
    bench: Bench | None = None,
) -> Made:
    """The measuring of one target's responses by the given checks of who asked."""
    bench = bench or Bench()
    checks = [
        {"name": c["name"], "metric": c["metric"], "with": c.get("with", {})}
        for c in sorted(given, key=lambda c: str(c["name"]))
    ]
    engines = {str(c["metric"]).partition("/")[0] for c in checks}
    payload = {
        "format": asked.format,
        "expected": EXPECTED.get(asked.format),
        "asked": {"dataset": asked.dataset, "split": asked.part, "rows": asked.rows},
        "engine": asker.spec.get("engine"),
        "checks": checks,
        "judge": bench.payload,
    }
    rated = bench.anchors
    inputs = [asked.input, made_by("responses", answered, "responses.jsonl"), *bench.inputs]
    tools = {*(("deepeval",) if "deepeval" in engines else ()), *bench.tools}
    return make(
        HowTo("evaluate", REVISION, tuple(sorted(tools))),
        asker.ref,
        payload,
        inputs=[*inputs, *([replace(rated.input, name=ANCHORS)] if rated else [])],
        before=[answered, asked.made, *bench.before, *([rated.made] if rated else [])],
        reads=[*([asked.asker] if asked.asker else []), *bench.reads],
        resources=_resources(asker),
        aside=bench.aside,
    )


def judge(graph: Graph, evaluation: Spec) -> Bench:
    """Who judges for an Evaluation, in its own graph; nobody without `judge`."""
    given = evaluation.spec.get("judge")
    if given is None:
        return Bench()
    model = spec_at(graph, use(evaluation, "judge", "model"))
    how = {name: given[name] for name in ("repeats", "temperature", "max_tokens")}
    bench = _served(model, how) if "endpoint" in model.spec else _loaded(graph, model, how)
    return replace(bench, anchors=anchors(graph, evaluation))


def anchors(graph: Graph, evaluation: Spec) -> Cases | None:
    """The rated rows that the judge of an Evaluation is measured on, if any."""
    if "calibration" not in evaluation.spec.get("judge", {}):
        return None
    return cases(graph, use(evaluation, "judge", "calibration", "dataset"), None)


def _served(model: Spec, how: Mapping[str, Any]) -> Bench:
    endpoint = model.spec["endpoint"]
    said = {name: endpoint[name] for name in ("base_url", "model", "response_format")}
    limits = endpoint.get("limits", {})
    key = endpoint.get("api_key", {}).get("secret")
    address = endpoint["base_url"]
    hidden = address["secret"] if isinstance(address, Mapping) else None
    aside = {
        "judge_name": str(model.ref),
        "judge_access": {"api_key": key, "limits": {k: limits[k] for k in LIMITS if k in limits}},
        "secrets": sorted({name for name in (key, hidden) if name is not None}),
    }
    return Bench({**how, "endpoint": said}, aside, reads=(model.ref,))


def _loaded(graph: Graph, model: Spec, how: Mapping[str, Any]) -> Bench:
    weights = train.weights(graph, model.ref)
    return Bench(
        {**how, "base": weights.base},
        {"judge_name": str(model.ref)},
        tuple(replace(given, name=f"judge/{given.name}") for given in weights.inputs),
        weights.before,
        (model.ref, *weights.reads),
        GENERATE.tools,
    )


def _resources(asker: Spec) -> Resources | None:
    minutes = asker.spec.get("judge", {}).get("timeout_minutes")
    return None if minutes is None else Resources(timeout_minutes=float(minutes))
