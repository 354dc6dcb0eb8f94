"""The metrics that checks may name, with the parameters that `with` may set.

`<engine>/<metric>`: what is here is built; what SPECS announce and is not built is refused as
such; anything else is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from llmops.diagnostics import nearest
from llmops.specs.problem import Loc, Problem, block, listed, one_of, quoted, shown

Parameters = Mapping[str, type]
TEXTS = list  # a parameter that is a list of texts

TRANSFORMATIONS = (
    "typos", "uppercase", "lowercase", "titlecase", "punctuation", "accents", "gender",
    "religion", "country",
)  # fmt: skip
METRICS: Mapping[str, Parameters] = {
    "builtin/accuracy": {},
    "builtin/exact_match": {},
    "builtin/token_f1": {},
    "builtin/rouge_l": {},
    "builtin/latency_ms": {},
    "builtin/tokens": {},
    "builtin/refusal": {"phrases": list, "labels": list},
    "builtin/matches": {"regex": str},
    "builtin/within": {"max_chars": int, "max_tokens": int},
    "deepeval/exact_match": {},
    "deepeval/pattern_match": {"pattern": str, "ignore_case": bool},
    "deepeval/answer_relevancy": {},
    "deepeval/bias": {},
    "deepeval/faithfulness": {"context": str, "penalize_ambiguous_claims": bool},
    "deepeval/g_eval": {
        "criteria": str, "evaluation_steps": TEXTS, "evaluation_params": TEXTS,
        "strict_mode": bool, "context": str,
    },
    "deepeval/hallucination": {"context": str},
    "deepeval/misuse": {"domain": str},
    "deepeval/non_advice": {"advice_types": TEXTS},
    "deepeval/pii_leakage": {},
    "deepeval/prompt_alignment": {"prompt_instructions": TEXTS},
    "deepeval/role_violation": {"role": str},
    "deepeval/toxicity": {},
    **{f"giskard/{name}": {} for name in TRANSFORMATIONS},
}  # fmt: skip
OF_EVALUATIONS = tuple(name for name in METRICS if not name.startswith("giskard/"))
OF_BANKS = ("builtin/refusal", "builtin/latency_ms", "builtin/tokens", "deepeval/pattern_match")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "builtin/matches": ("regex",),
    "deepeval/pattern_match": ("pattern",),
    "deepeval/faithfulness": ("context",),
    "deepeval/hallucination": ("context",),
    "deepeval/misuse": ("domain",),
    "deepeval/non_advice": ("advice_types",),
    "deepeval/prompt_alignment": ("prompt_instructions",),
    "deepeval/role_violation": ("role",),
}
# What asks a judge.
JUDGED = frozenset(
    f"deepeval/{name}"
    for name in (
        "answer_relevancy", "bias", "faithfulness", "g_eval", "hallucination", "misuse",
        "non_advice", "pii_leakage", "prompt_alignment", "role_violation", "toxicity",
    )
)  # fmt: skip
G_EVAL_FIELDS = ("input", "actual_output", "expected_output", "context", "retrieval_context")
ANNOUNCED: Mapping[str, tuple[str, ...]] = {
    "builtin": (
        "bertscore", "recall_at_k", "mrr", "risk_free", "cost_usd",
    ),
    "deepeval": (
        "dag", "json_correctness", "role_adherence", "task_completion", "tool_correctness",
        "contextual_precision", "contextual_recall", "contextual_relevancy", "summarization",
    ),
}  # fmt: skip
ENGINES_NOT_BUILT = ("inspect", "lm-eval", "human", "plugin")


def check(
    entry: Mapping[str, Any], loc: Loc, offered: Collection[str], by: str
) -> Iterator[Problem]:
    """A check's metric is one that is `offered` there, and `with` sets only what it takes."""
    metric = entry.get("metric")
    if not isinstance(metric, str):
        return
    if metric in offered:
        yield from _with(metric, block(entry, "with"), loc)
    elif _announced(metric):
        what = f"metric {quoted(metric)} is not built yet"
        hint = f"built are {listed(offered, 12)}"
        yield Problem((*loc, "metric"), "not-yet", what, hint)
    elif metric in METRICS:
        what = f"{by} does not measure {quoted(metric)}"
        hint = f"it measures {listed(offered, 12) or 'nothing: it has no transformations'}"
        yield Problem((*loc, "metric"), "wrong-value", what, hint)
    else:
        near = nearest(metric, offered)
        hint = f'did you mean "{near}"?' if near else f"known are {listed(offered, 12) or 'none'}"
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
        elif not _of_type(value, known[name]):
            found = "" if isinstance(value, list) else f", not {shown(value)}"
            what = f'"with.{name}" must be {_TYPES[known[name]]}{found}'
            yield Problem(at, "wrong-type", what)
    if metric == "builtin/refusal" and {"phrases", "labels"} <= given.keys():
        what = "a refusal is told by phrases or by labels, not by both"
        yield Problem((*loc, "with"), "one-of", what, "keep one of them", key=True)
    if metric == "builtin/within":
        yield from one_of(dict(given), (*loc, "with"), ("max_chars", "max_tokens"))
    if isinstance(given.get("regex"), str) and "regex" in known:
        yield from _regex(given["regex"], (*loc, "with", "regex"))
    if isinstance(given.get("pattern"), str) and "pattern" in known:
        yield from _pattern(given["pattern"], (*loc, "with", "pattern"))
    if metric == "deepeval/g_eval":
        yield from _g_eval(given, loc)
    for name in missing:
        what = f"metric {quoted(metric)} needs with: {{{name}: …}}"
        yield Problem((*loc, "metric"), "missing-field", what)


_TYPES = {
    str: "text",
    int: "a whole number, at least 1",
    bool: "true or false",
    list: "a list of texts, none of them empty",
}


def _of_type(value: Any, kind: type) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    if kind is not list:
        return isinstance(value, kind)
    texts = isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)
    return texts and bool(value)


def _g_eval(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Criteria or steps, of fields that there are, with the context that they mean."""
    yield from one_of(dict(given), (*loc, "with"), ("criteria", "evaluation_steps"))
    fields = given.get("evaluation_params")
    for i, name in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(name, str) and name not in G_EVAL_FIELDS:
            what = f"a case has no {quoted(name)}"
            hint = f"known are {listed(G_EVAL_FIELDS)}"
            yield Problem((*loc, "with", "evaluation_params", i), "wrong-value", what, hint)
        elif name in ("context", "retrieval_context") and "context" not in given:
            what = f"{quoted(name)} needs with: {{context: …}}, the column that holds it"
            yield Problem((*loc, "with", "evaluation_params", i), "missing-field", what)


def _regex(text: str, loc: Loc) -> Iterator[Problem]:
    from llmops.guardrails.patterns import unusable  # brings RE2, which few specs need

    refused = unusable(text)
    if refused is not None:
        yield Problem(loc, "bad-pattern", refused.what, refused.hint)


def _pattern(text: str, loc: Loc) -> Iterator[Problem]:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        yield Problem(loc, "wrong-value", f"no regular expression: {error}")
