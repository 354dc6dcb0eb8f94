"""The metrics an Evaluation may name, with the parameters that `with` may set.

`<engine>/<metric>`: what is here is built; what SPECS announce and is not built is refused as
such; anything else is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmops.diagnostics import nearest
from llmops.specs.problem import Loc, Problem, block, listed, quoted, shown

Parameters = Mapping[str, type]

METRICS: Mapping[str, Parameters] = {
    "builtin/accuracy": {},
    "builtin/exact_match": {},
    "builtin/token_f1": {},
    "builtin/rouge_l": {},
    "builtin/latency_ms": {},
    "builtin/tokens": {},
    "deepeval/exact_match": {},
    "deepeval/pattern_match": {"pattern": str, "ignore_case": bool},
}
REQUIRED: Mapping[str, tuple[str, ...]] = {"deepeval/pattern_match": ("pattern",)}
ANNOUNCED: Mapping[str, tuple[str, ...]] = {
    "builtin": (
        "bertscore", "recall_at_k", "mrr", "refusal", "risk_free", "cost_usd",
    ),
    "deepeval": (
        "answer_relevancy", "faithfulness", "hallucination", "bias", "toxicity", "g_eval", "dag",
        "json_correctness", "pii_leakage", "role_adherence", "task_completion",
        "tool_correctness", "contextual_precision", "contextual_recall",
        "contextual_relevancy", "summarization", "misuse", "prompt_alignment",
    ),
}  # fmt: skip
ENGINES_NOT_BUILT = ("inspect", "lm-eval", "human", "plugin", "giskard")


def check(entry: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """A check's metric is known, and `with` sets only what it takes."""
    metric = entry.get("metric")
    if not isinstance(metric, str):
        return
    if metric in METRICS:
        yield from _with(metric, block(entry, "with"), loc)
    elif _announced(metric):
        what = f"metric {quoted(metric)} is not built yet"
        hint = f"built are {listed(METRICS, 9)}"
        yield Problem((*loc, "metric"), "not-yet", what, hint)
    else:
        near = nearest(metric, METRICS)
        hint = f'did you mean "{near}"?' if near else f"known are {listed(METRICS, 9)}"
        what = f"there is no metric {quoted(metric)}"
        yield Problem((*loc, "metric"), "unknown-metric", what, hint)


def _announced(metric: str) -> bool:
    engine, _, name = metric.partition("/")
    return name in ANNOUNCED.get(engine, ()) or engine in ENGINES_NOT_BUILT


def _with(metric: str, given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    known = METRICS[metric]
    missing = [n for n in REQUIRED.get(metric, ()) if n not in given]
    for name, value in given.items():
        at = (*loc, "with", name)
        if name not in known:
            near = nearest(name, missing or known)
            missing = [n for n in missing if n != near]
            hint = f'did you mean "{near}"?' if near else f"it takes {listed(known) or 'none'}"
            what = f"metric {quoted(metric)} has no parameter {quoted(name)}"
            yield Problem(at, "unknown-field", what, hint, key=True)
        elif not isinstance(value, known[name]):
            word = "text" if known[name] is str else "true or false"
            yield Problem(at, "wrong-type", f'"with.{name}" must be {word}, not {shown(value)}')
    if isinstance(given.get("pattern"), str) and "pattern" in known:
        yield from _pattern(given["pattern"], (*loc, "with", "pattern"))
    for name in missing:
        what = f"metric {quoted(metric)} needs with: {{{name}: …}}"
        yield Problem((*loc, "metric"), "missing-field", what)


def _pattern(text: str, loc: Loc) -> Iterator[Problem]:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        yield Problem(loc, "wrong-value", f"no regular expression: {error}")
