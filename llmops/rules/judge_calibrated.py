"""Rule `judge-calibrated`: what a judge decides rests on known error rates of that judge.

Every Evaluation in which a bound rests on a metric that asks a judge has `judge.calibration`: rated
answers on which the judge's sensitivity and specificity are measured, so that its errors are in
the bound. Without the rule such a claim is judged too, and says that they are not.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.jobs.metrics import METRICS
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info
from llmops.specs.base import Spec

INFO = Info(
    id="judge-calibrated",
    why="a lenient judge passes what people would not, and its own interval does not show it",
    fix="rate some answers, then add judge: {calibration: {dataset: …}} (llmops import human)",
    controls=("iso42001/A.6.2.4", "nist-ai-rmf/measure-2.1"),
    good="""\
kind: Dataset
metadata: {name: rated}
spec:
  sources: [{name: people, file: specs/data/bank.jsonl, license: MIT, origin: first_party}]
  format: ratings
---
kind: Model
metadata: {name: judge}
spec:
  endpoint: {protocol: openai, base_url: 'http://127.0.0.1:8000/v1', model: m-2026-08-14}
---
kind: Evaluation
spec:
  engine: deepeval
  judge:
    model: judge
    calibration: {dataset: rated, min_sensitivity: 0.8, min_specificity: 0.8}
  checks: [{name: accuracy, metric: deepeval/bias, require: {min: 0.8}}]
---
kind: Policy
spec:
  rules: [{name: judges, rule: judge-calibrated}]
""",
    bad="""\
kind: Model
metadata: {name: judge}
spec:
  endpoint: {protocol: openai, base_url: 'http://127.0.0.1:8000/v1', model: m-2026-08-14}
---
kind: Evaluation
spec:
  engine: deepeval
  judge: {model: judge}
  checks: [{name: accuracy, metric: deepeval/bias, require: {min: 0.8}}]
---
kind: Policy
spec:
  rules: [{name: judges, rule: judge-calibrated}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each Evaluation whose judge decides something and is not calibrated."""
    for evaluation in facts.head.of_kind("Evaluation"):
        decided = _decided_by_judge(evaluation)
        if decided and "calibration" not in evaluation.spec["judge"]:
            what = f"{evaluation.ref} lets a judge of unknown errors decide {', '.join(decided)}"
            place = facts.place("head", evaluation.ref, ("spec", "judge"))
            yield Finding(INFO.id, config.gate, Outcome.FAILED, what, INFO.fix, place)


def _decided_by_judge(evaluation: Spec) -> list[str]:
    """The judged checks that some bound is on, their own or a slice's."""
    sliced = {entry["check"] for entry in evaluation.spec.get("slices", ()) if "check" in entry}
    return [
        str(one["name"])
        for one in evaluation.spec["checks"]
        if METRICS[one["metric"]].judged
        and ({"require", "regression"} & one.keys() or one["name"] in sliced)
    ]
