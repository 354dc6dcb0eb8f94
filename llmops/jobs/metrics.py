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
    """`lower` and `upper` bound each case's value; None means no bound is known."""

    kind: Literal["binary", "score", "unbounded"]
    better: Literal["higher", "lower"] = "higher"
    lower: float | None = 0.0
    upper: float | None = 1.0


METRICS: Mapping[str, Metric] = {
    "builtin/accuracy": Metric("binary"),
    "builtin/exact_match": Metric("binary"),
    "builtin/token_f1": Metric("score"),
    "builtin/rouge_l": Metric("score"),
    "builtin/latency_ms": Metric("unbounded", "lower", 0.0, None),
    "builtin/tokens": Metric("unbounded", "lower", 0.0, None),
    "builtin/refusal": Metric("binary"),
    "deepeval/exact_match": Metric("binary"),
    "deepeval/pattern_match": Metric("binary"),
    **{f"giskard/{name}": Metric("binary") for name in TRANSFORMATIONS},
    **{f"guardrail/{action}": Metric("binary") for action in ("allow", "block", "mask")},
}
