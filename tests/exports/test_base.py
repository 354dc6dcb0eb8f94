"""What a tracking tool is told: numbers with what they rest on, no secret, nothing too long."""

from __future__ import annotations

from llmops.evidence.statement import Evidence
from llmops.exports.base import LONGEST_VALUE, records
from llmops.jobs.base import Input, Job, Measurement, Plan, Result, Step, TreeName
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.specs.base import Ref

CLOSURE, DIGEST = "sha256:" + "2" * 64, "sha256:" + "1" * 64
KEY = "sk-abcdef" + "12" * 9
HEAD = TreeName("work tree", "a" * 40, dirty=True)
JOB = Job(
    "evaluate", Ref("Evaluation", "quality"), CLOSURE,
    spec={
        "checks": [{"name": "accuracy"}], "estimate": {"seconds": 3},
        "judge": {"endpoint": {"api_key": "plain-text", "model": "m"}, "note": KEY},
        "long": "x" * 5000,
    },
    inputs=(Input("cases", digest=DIGEST),), seed=7,
)  # fmt: skip
RESULT = Result(
    CLOSURE, "evaluate", "ok", "2026-11-22T08:00:00+00:00", "2026-11-22T08:01:00+00:00",
    measurements=(Measurement("accuracy", 0.9, 480),),
    resources_used={"peak_memory_mb": 12.5, "host": "x"},
)  # fmt: skip
EVIDENCE = Evidence(CLOSURE, "evaluate", JOB.subject, "ok", RESULT, DIGEST, {})
PLAN = Plan(None, HEAD, None, (), (Step(JOB, "reuse", ""),), ())
FINDING = Finding(
    "require", "Evaluation/quality/accuracy", Outcome.PASSED, "accuracy 0.9 meets min 0.8",
    value=0.9, interval=(0.87, 0.93), n=480, evidence=DIGEST,
)  # fmt: skip
VERDICT = Verdict(
    Outcome.PASSED, (FINDING,), None, HEAD, None, (), PLAN, judged_at="2026-11-23T08:00:00+00:00"
)


def test_a_run_says_what_was_told_and_what_was_measured() -> None:
    run, verdict = records(PLAN, VERDICT, {CLOSURE: EVIDENCE})
    assert run.parameters["seed"] == "7"
    assert run.parameters["input.cases"] == DIGEST
    assert run.metrics["accuracy"] == 0.9
    assert run.metrics["accuracy.n"] == 480
    assert run.metrics["used.peak_memory_mb"] == 12.5
    gate = "gate/Evaluation/quality/accuracy/require"
    assert (run.metrics[f"{gate}.low"], run.metrics[f"{gate}.high"]) == (0.87, 0.93)
    assert run.finished_ms - run.started_ms == 60_000
    assert verdict.metrics["outcome"] == 0
    assert verdict.tags["llmops.verdict"] == "passed"
    assert "estimate.seconds" not in run.parameters  # it is no part of what decided the result


def test_no_secret_is_copied_and_long_texts_are_cut() -> None:
    run, _ = records(PLAN, VERDICT, {CLOSURE: EVIDENCE})
    said = "".join(run.parameters.values()) + "".join(run.tags.values())
    assert "plain-text" not in said
    assert "sk-abcdef" not in said
    assert run.parameters["judge.endpoint.model"] == "m"
    assert len(run.parameters["long"]) <= LONGEST_VALUE
    assert "5,000 characters" in run.parameters["long"]


def test_a_closure_without_evidence_is_no_run() -> None:
    [verdict] = records(PLAN, VERDICT, {})
    assert verdict.tags["llmops.kind"] == "verdict"


def test_another_verdict_has_another_key() -> None:
    *_, one = records(PLAN, VERDICT, {})
    worse = Finding("require", "Evaluation/quality/accuracy", Outcome.FAILED, "no")
    failed = Verdict(Outcome.FAILED, (worse,), None, HEAD, None, (), PLAN)
    *_, other = records(PLAN, failed, {})
    assert one.key != other.key
    *_, again = records(PLAN, VERDICT, {})
    assert one.key == again.key
