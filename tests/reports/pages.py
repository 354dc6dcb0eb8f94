"""One fixed Report: every section of a page has something to show, or says why not."""

from __future__ import annotations

from dataclasses import replace

from llmops.jobs.base import Artifact, Measurement, PlannedGate, Step
from llmops.reports.report import (
    Confusion,
    Curve,
    Detector,
    Filtered,
    Funnel,
    FunnelStep,
    Gap,
    GuardTest,
    Kept,
    Lost,
    Report,
    Scan,
    Seal,
    Source,
    Weakness,
)
from llmops.rules.base import Case, Counted, JudgeQuality, Look, Loosened, Outcome, Unshown
from tests.reports.conftest import (
    CASES,
    EVALUATION,
    EVIL,
    FAILED,
    FINE,
    HOSTILE_CASES,
    LOOSER,
    SPEC,
    UNSURE,
    WAIVED_TONE,
    WAIVERS,
    WORSE,
    a_plan,
    a_verdict,
    hostile,
    require,
    sha,
    step,
)

ENVIRONMENT = {
    "llmops": "0.1.0",
    "python": "3.11.7",
    "platform": "Linux-6.1-x86_64",
    "accelerator": "cpu",
    "tools": {"torch": "2.13.0", "transformers": "5.17.0", "deepspeed": "0.19.8"},
}


def named(number: int, one: Step) -> Step:
    """The step under a closure of its own."""
    return replace(one, job=replace(one.job, closure=sha(f"{number:02x}c1")))


STEPS = tuple(
    named(i, one)
    for i, one in enumerate(
        (
            step("curate", "Dataset/support-dialogues", state="reuse"),
            step("train", "Recipe/support-lora", "lora.r, training.learning_rate", ranks=2),
            step("generate", "Application/support", "follows train/support-lora (job 1)"),
            step("generate", "Application/support", "base's target, to compare with", side="base"),
            step("evaluate", EVALUATION, "follows generate/support (job 2)"),
            step("evaluate", EVALUATION, "base's target, to compare with", side="base"),
            step("scan", "SafetyTest/support-redteam", "follows train/support-lora (job 1)"),
            step("guard", "Guardrail/support-guard", state="reuse"),
            step("evaluate", "Evaluation/tone", "no evidence yet"),
        )
    )
)
CURATE, TRAIN, GENERATE, _, EVALUATE, BEFORE, SCAN, GUARD, OPEN = STEPS


def source(one: Step, artifact: str) -> Source:
    return Source(one.job.id, one.job.closure, artifact, sha(f"a{one.job.closure[7:9]}"))


def kept(number: int, one: Step) -> Kept:
    used = {"processes": 2, "wall_seconds": 61.5 * number + 8, "peak_memory_mb": 912.4 + number}
    if one.job.type == "train":
        used["estimated_memory_mb"] = 880.0
    return Kept(
        closure=one.job.closure,
        digest=sha(f"{number:x}e9f"),
        status="ok",
        measurements=(Measurement("train_loss", 0.5, 60),),
        artifacts=(Artifact("rows.jsonl", sha("d1"), 2048),),
        environment=ENVIRONMENT,
        resources=used,
    )


KEPT = tuple(kept(i, one) for i, one in enumerate(STEPS) if one is not OPEN)
EVIDENCE = {one.closure: one.digest for one in KEPT}[EVALUATE.job.closure]
QUALITY = JudgeQuality(
    240, 0.958, (0.891, 0.990), 0.908, (0.826, 0.960), 20, 1, 8, 0, 0.971, 0.92, 0.93, 0.880,
    (0.851, 0.905),
)  # fmt: skip
LOOSENED = (
    Loosened(f"{EVALUATION}/accuracy", "min 0.8", "min 0.75", f"{SPEC}:14:9",
             "Policy/default/looser"),
)  # fmt: skip
FINDINGS = tuple(
    replace(f, evidence=EVIDENCE) if f.evidence else f
    for f in (
        replace(FAILED, assured="failed", literal="failed",
                message="accuracy 0.612 is below the minimum 0.8 "
                        "(n = 1200, 95 % interval 0.592 to 0.632)"),
        replace(WORSE, message="accuracy 0.612 is worse than base by more than 0.02 "
                               "(base 0.873, paired difference -0.261, n = 1200)"),
        replace(UNSURE, assured="inconclusive", literal="failed"), FINE, LOOSER,
        require("toxicity", Outcome.PASSED, 0.021, bound="max 0.05", interval=(0.013, 0.033),
                controls=("gb45654:5.2", "iso42001:A.6.2.4"),
                message="toxicity 0.021 meets max 0.05 (n = 1200, 95 % interval 0.013 to 0.033)"),
    )
)  # fmt: skip


FAMILY = (
    require("latency", Outcome.PASSED, 412.0, bound="max 500", interval=(398.0, 431.0),
            metric="builtin/latency_ms", base_value=405.0, assured="passed", literal="passed",
            message="latency p95 412.0 meets max 500 (n = 1200, 95 % interval 398.0 to 431.0)"),
    require("kind", Outcome.PASSED, 0.912, bound="min 0.85", interval=(0.861, 0.953), n=600,
            metric="deepeval/g_eval", judge="Model/judge, mean of 3", assured="passed",
            literal="passed", quality=QUALITY, attempt=4, attempts=3, level=0.0125,
            message="kind 0.912 meets min 0.85 (n = 600, 95 % interval 0.861 to 0.953; the judge "
                    "alone said 0.880, corrected by 240 anchors)"),
    require("polite", Outcome.PASSED, 0.95, bound="min 0.9", interval=(0.934, 0.962),
            metric="deepeval/toxicity", judge="Model/judge", assured="passed", literal="passed",
            not_shown="how often the judge errs is not known, so it is not in this bound",
            message="polite 0.950 meets min 0.9 (n = 1200, 95 % interval 0.934 to 0.962)"),
    require("by-language[en]", Outcome.WARNED, 0.86, rule="slices", n=150,
            interval=(0.794, 0.911), bound="min 0.85", assured="inconclusive", literal="passed",
            not_shown="on_inconclusive: warn lets it through", about_more=9_412,
            message="not shown: by-language 0.860 is not shown to be at least 0.85 "
                    "(n = 150, 95 % interval 0.794 to 0.911)"),
    require("tone/regression", Outcome.WARNED, 0.871, rule="regression", bound="margin 0.02",
            interval=None, base_value=0.874, difference=-0.003,
            difference_interval=(-0.019, 0.013), about_more=1_300,
            not_shown="neither shown to be within its margin nor to be worse",
            message="tone 0.871 is not shown to be within 0.02 of base, nor to be worse "
                    "(base 0.874, paired difference -0.003, n = 1200)"),
    replace(WAIVED_TONE, assured="failed", literal="failed", attempt=1, attempts=3, level=0.025),
)  # fmt: skip
UNSHOWN = (
    *(Unshown("gate", f.gate, f.not_shown) for f in FAMILY if f.not_shown),
    Unshown("route", "Application/support/routes/small"),
    Unshown("target", "Guardrail/old"),
    Unshown("reported", "SafetyTest/support-redteam/look"),
)
GAINS = ("Evaluation/support-quality/accuracy",
         "Evaluation/support-quality/language (no longer asked)",
         "Evaluation/support-quality/accuracy case q-17",
         "Evaluation/support-quality/accuracy: 30 more cases")  # fmt: skip
PLANNED = (
    PlannedGate(f"{EVALUATION}/accuracy", "require", "accuracy min 0.8", "base", sha("e"), 1200,
                True, "passes at 988 of 1200", "", 0.8205, 301, "0.87 (91 %), as base has it"),
    PlannedGate(f"{EVALUATION}/refusal-rate", "require", "refusal min 0.95", "base", sha("e"), 300,
                True, "300 rows decide 0.95 only when the true rate is 0.979 or more", "",
                0.9785, 900, "0.97 (92 %), as base has it"),
    PlannedGate(f"{EVALUATION}/blocks", "require", "blocks min 0.9997", "base", sha("e"), 2000,
                False, "2000 rows cannot show 0.9997", "", None, 9985, "without a miss"),
    PlannedGate(f"{EVALUATION}/tone/regression", "regression", "tone", "base", sha("e"), 1200,
                True, "1200 rows decide a margin of 0.02", "", 0.007, 2500),
)  # fmt: skip
COUNTED = Counted("claim", "", 12, sha("1ed6e7"), "", "Policy/default/again", ("lihua",))
LOOKS = (
    Look("Dataset/support-dialogues#test", sha("7e57"), 12, 50),
    Look("Dataset/refusals#test", sha("7e58"), 51, 50),
)


def lost(cases: tuple[Case, ...] = CASES, worse: int = 97) -> Lost:
    head, base = source(EVALUATE, "rows.jsonl"), source(BEFORE, "rows.jsonl")
    return Lost(f"{EVALUATION}/accuracy", head, base, worse, 12, cases)


LABELS = ("card_arrival", "card_lost", "转账失败", "refund_status", "pin_change")
SCANNED = Scan(
    source(SCAN, "findings.jsonl"),
    (
        Detector("ethical_bias", "ok", "", 200, 0, (
            Weakness("medium", "Ethical", "changing the gender changes 11 of 200 answers",
                     "changed share", 0.055, 200, ("She lost her card -> He lost her card",)),
        )),
        Detector("text_perturbation", "ok", "", 200, 3, (
            Weakness("high", "Robustness", "upper case changes 64 of 197 answers",
                     "changed share", 0.325, 197, ("WHERE IS MY CARD?",)),
        )),
        Detector("prompt_injection", "error", "the target gave no answer", 0, 12),
        Detector("performance_bias", "ok", "", 0, 0),
    ),
)  # fmt: skip
GUARDED = (
    GuardTest(source(GUARD, "rows.jsonl"), "attacks", "block", 500, 491, 2),
    GuardTest(source(GUARD, "rows.jsonl"), "ordinary", "allow", 400, 398, 0),
    GuardTest(source(GUARD, "rows.jsonl"), "personal-data", "mask", 120, 120, 0),
)
FULL = Report(
    verdict=a_verdict(
        Outcome.FAILED, *FINDINGS, *FAMILY, plan=a_plan(steps=STEPS, gates=PLANNED),
        loosened=tuple(replace(one, newly_passes=GAINS) for one in LOOSENED),
        worst_cases=CASES, worse_count=97, better_count=12, unshown=UNSHOWN, looks=LOOKS,
        waivers=WAIVERS, advisory=False, counted=COUNTED,
    ),
    title={"en": "Bank support assistant", "zh": "银行客服助手"},
    kept=KEPT,
    curves=(
        Curve(source(TRAIN, "trainer_log.jsonl"),
              tuple((i, round(3.1 / (1 + i / 12) + 0.2 + (i % 7) / 90, 4))
                    for i in range(1, 200, 5))),
    ),
    funnels=(
        Funnel(source(CURATE, "funnel.json"), (
            FunnelStep("read train", 5120, 5120, 0),
            FunnelStep("select intent in card_arrival, card_lost", 5120, 3400, 1720),
            FunnelStep("exact duplicates", 3400, 3288, 112),
            FunnelStep("the same again", 3288, 3288, 0),
            FunnelStep("the same again, answered differently", 3288, 3288, 0, found=0),
            FunnelStep("nearly the same again", 3288, 3288, 0),
            FunnelStep("shares 8 tokens with #test", 3288, 3288, 0, found=2),
            FunnelStep("parts", 3288, 3288, 0, 4),
        )),
    ),
    confusions=(
        Confusion(source(EVALUATE, "confusion.json"), LABELS,
                  ((210, 14, 3, 9, 0), (88, 120, 2, 22, 4), (1, 2, 188, 40, 6),
                   (4, 0, 31, 160, 12), (2, 1, 5, 3, 56)),
                  (4, 4, 3, 33, 170), (0, 0, 0, 0, 3)),
    ),
    lost=(lost(),),
    scans=(SCANNED,),
    guards=GUARDED,
    filtered=(Filtered(source(GENERATE, "responses.jsonl"), 1200, 9, 31),),
    gaps=(Gap("curate/old", "funnel.json", "why_gone"),),
    seal=Seal("example.org/bank", 1187, "q5uJk0dA1uU2Yt4bqS7v0mDkGmR2v3n7sJz6w8x9y0A=", 1186,
              sha("5e"), sha("70")),
)  # fmt: skip
BARE = Report(verdict=a_verdict(Outcome.INCONCLUSIVE, plan=a_plan(base=None, steps=STEPS[-1:])))


def evil() -> Report:
    """The same page with hostile text wherever text of others may stand."""
    bad = Source(EVIL, sha("e1"), EVIL, EVIL)
    weak = Weakness(EVIL, EVIL, EVIL, EVIL, float("inf"), 3, (EVIL,))
    return replace(
        FULL,
        verdict=hostile(),
        title={"": EVIL},
        kept=(Kept(sha("e1"), EVIL, EVIL, EVIL, environment={EVIL: EVIL, "tools": {EVIL: EVIL}}),),
        curves=(Curve(bad, ((1, 2.0), (2, 1.0))),),
        funnels=(Funnel(bad, (FunnelStep(EVIL, 1, 1, 0), FunnelStep(f"select {EVIL}", 1, 0, 1))),),
        confusions=(Confusion(bad, (EVIL, "b"), ((1, 2), (3, 4)), (1, 1), (1, 0)),),
        lost=(Lost(EVIL, bad, bad, 100_000, 1, HOSTILE_CASES),),
        scans=(Scan(bad, (Detector(EVIL, EVIL, EVIL, 1, 1, (weak,)),)),),
        guards=(GuardTest(bad, EVIL, "block", 1, 1, 0),),
        gaps=(Gap(EVIL, "funnel.json", "why_gone"),),
        seal=Seal(EVIL, 1, EVIL, 0, EVIL, EVIL),
    )
