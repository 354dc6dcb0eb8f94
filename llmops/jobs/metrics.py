"""What each metric measures: its range, which way is better, and whether a case is right or wrong.

A metric without a range in which it surely lies has no finite-sample test of its mean: it is
judged through a percentile (`statistic: p95`) or `pass_at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from llmops.specs.metrics import TRANSFORMATIONS


@dataclass(frozen=True, slots=True)
class Metric:
    """`lower` and `upper` bound each case's value; None means no bound is known.

    `judged`: a judge is asked for it.
    """

    kind: Literal["binary", "score", "unbounded"]
    better: Literal["higher", "lower"] = "higher"
    lower: float | None = 0.0
    upper: float | None = 1.0
    judged: bool = False


def quantile(statistic: str) -> float:
    """The share that a percentile names: `p95` is 0.95."""
    return int(statistic.removeprefix("p")) / 100


_JUDGED = Metric("score", judged=True)  # 1 is good for all of them, since deepeval 4

METRICS: Mapping[str, Metric] = {
    "builtin/accuracy": Metric("binary"),
    "builtin/exact_match": Metric("binary"),
    "builtin/token_f1": Metric("score"),
    "builtin/rouge_l": Metric("score"),
    "builtin/latency_ms": Metric("unbounded", "lower", 0.0, None),
    "builtin/tokens": Metric("unbounded", "lower", 0.0, None),
    "builtin/refusal": Metric("binary"),
    "builtin/matches": Metric("binary"),
    "builtin/within": Metric("binary"),
    "deepeval/exact_match": Metric("binary"),
    "deepeval/pattern_match": Metric("binary"),
    **{f"giskard/{name}": Metric("binary") for name in TRANSFORMATIONS},
    **{f"guardrail/{action}": Metric("binary") for action in ("allow", "block", "mask")},
    "deepeval/answer_relevancy": _JUDGED,
    "deepeval/bias": _JUDGED,
    "deepeval/faithfulness": _JUDGED,
    "deepeval/g_eval": _JUDGED,
    "deepeval/hallucination": _JUDGED,
    "deepeval/misuse": _JUDGED,
    "deepeval/non_advice": _JUDGED,
    "deepeval/pii_leakage": _JUDGED,
    "deepeval/prompt_alignment": _JUDGED,
    "deepeval/role_violation": _JUDGED,
    "deepeval/toxicity": _JUDGED,
}
