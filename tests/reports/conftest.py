"""Fixed plans and verdicts that the golden files show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from llmops.jobs.base import (
    Change,
    FieldChange,
    Input,
    Job,
    NotNeeded,
    Plan,
    PlannedGate,
    Resources,
    Selection,
    Step,
    TreeName,
)
from llmops.rules.base import (
    Case,
    Counted,
    Finding,
    Loosened,
    Outcome,
    Outputs,
    Unshown,
    Verdict,
    Waived,
)
from llmops.specs.base import Ref

SPEC = "specs/evaluations/support-quality.yaml"
EVALUATION = "Evaluation/support-quality"
BASE = TreeName("main", "0b3c" * 10, "91fe02c" + "0" * 33)
HEAD = TreeName("4c1e9ab", "77d0" * 10, "4c1e9ab" + "1" * 33)
DIRTY = TreeName("work tree", "5a5a" * 10, None, dirty=True)


def sha(seed: str) -> str:
    return "sha256:" + (seed * 64)[:64]


def step(
    kind: Any, ref: str, why: str = "", *, state: Any = "run", ranks: int = 1, side: Any = "head"
) -> Step:
    job = Job(
        type=kind,
        subject=Ref.parse(ref),
        closure=sha(f"{len(ref):x}{len(kind):x}"),
        spec={"name": ref, "rate": 0.1},
        inputs=(Input("cases", job=sha("c"), artifact="parts/test.jsonl"),),
        resources=Resources(processes=ranks),
        side=side,
    )
    kept = sha("9f2c0d1e") if state == "reuse" else None
    return Step(job, state, why or "no input changed", kept)


def gate(name: str, claim: str, decidable: bool | None = True, note: str = "") -> PlannedGate:
    place = f"{SPEC}:{14 + len(name)}:9"
    return PlannedGate(
        f"{EVALUATION}/{name}", "require", claim, "base", sha("e"), 1200, decidable, note, place
    )


def recipe_change() -> Change:
    return Change(
        Ref("Recipe", "support-lora"),
        "changed",
        "specs/recipes/support-lora.yaml",
        "train",
        (
            FieldChange("lora.r", 8, 16, "job: [train]"),
            FieldChange("training.learning_rate", 0.0002, 0.0001, "job: [train]"),
            FieldChange("lora.target_modules", ["q_proj"], ["q_proj", "v_proj"], "job: [train]"),
            FieldChange("metadata.owner", "team-a", "team-b", "descriptive"),
        ),
    )


CHANGES = (
    recipe_change(),
    Change(
        Ref("Prompt", "support-system"),
        "changed",
        "specs/prompts/support-system.yaml",
        "generate",
        (
            FieldChange(
                "messages",
                "You are a careful assistant of a bank. Answer in one word, the name of an intent.",
                "You are a careful assistant of a bank. Answer in one line, the name of an intent.",
                "job: [generate]",
            ),
        ),
    ),
    Change(Ref("Dataset", "old"), "removed", "specs/datasets/old.yaml", "curate"),
    Change(Ref("Dataset", "new"), "added", "specs/datasets/new.yaml", "curate"),
    Change(
        Ref("Dataset", "support-dialogues"),
        "changed",
        "specs/datasets/support-dialogues.yaml",
        "descriptive",
        (FieldChange("metadata.owner", "team-cs", "team-service", "descriptive"),),
    ),
    Change(
        Ref("Application", "support"),
        "follows",
        "specs/applications/support.yaml",
        "train",
        through=("model", "prompt"),
    ),
    Change(Ref("Evaluation", "support-quality"), "follows", SPEC, "train", through=("target",)),
)
OWNER = CHANGES[4:5]
STEPS = (
    step("train", "Recipe/support-lora", "lora.r, training.learning_rate", ranks=2),
    step("generate", "Application/support", "messages, follows train/support-lora (job 1)"),
    step("generate", "Application/support", "base's target, to compare with", side="base"),
    step("evaluate", EVALUATION, "follows generate/support (job 2)"),
    step("curate", "Dataset/support-dialogues", state="reuse"),
    step("train", "Recipe/base", state="reuse", ranks=2),
)
KEPT = tuple(step(s.job.type, str(s.job.subject), state="reuse") for s in STEPS)


def a_plan(**given: Any) -> Plan:
    fields: dict[str, Any] = {
        "base": BASE,
        "head": HEAD,
        "policy_tree": BASE.tree,
        "changes": CHANGES,
        "steps": STEPS,
        "gates": (
            gate("accuracy", "accuracy min 0.8", True, "passes at 988 of 1200"),
            gate(
                "refusal-rate",
                "refusal min 0.9997",
                False,
                "1200 rows cannot show 0.9997, not even without a miss",
            ),
            gate(
                "accuracy/regression",
                "not worse than base by 0.02",
                None,
                "base has no such target",
            ),
            gate("latency", "latency max 200", None),
        ),
        "not_needed": (NotNeeded("train", Ref("Recipe", "classic"), "no gate needs it"),),
        "tool_version": "0.1.0",
    }
    return Plan(**{**fields, **given})


UNSHOWN = "is not shown to be at least"
SAID = ("meets min", UNSHOWN, UNSHOWN, "is below the minimum")  # by outcome


def require(name: str, outcome: Outcome, value: float, **given: Any) -> Finding:
    low, high = value - 0.02, value + 0.02
    fields: dict[str, Any] = {
        "rule": "require",
        "gate": f"{EVALUATION}/{name}",
        "outcome": outcome,
        "message": f"{name} {value:.3f} {SAID[outcome]} 0.8 "
        f"(n = 1200, 95 % interval {low:.3f} to {high:.3f})",
        "place": f"{SPEC}:14:9",
        "judged_by": "base",
        "metric": "builtin/exact_match",
        "value": value,
        "bound": "min 0.8",
        "interval": (low, high),
        "n": 1200,
        "base_value": 0.873,
        "evidence": sha("3f9c0d1e"),
    }
    return Finding(**{**fields, **given})


FAILED = require(
    "accuracy",
    Outcome.FAILED,
    0.612,
    message="accuracy 0.612 is below the minimum 0.8 (n = 1200, 95 % interval 0.592 to 0.632)",
    hint="the same specs give the same evidence: change the recipe, the data or the prompt",
    controls=("iso42001:A.6.2.4",),
)
WORSE = require(
    "accuracy/regression",
    Outcome.FAILED,
    0.612,
    rule="regression",
    message="accuracy 0.612 is worse than base by more than 0.02 (0.873; paired difference "
    "-0.261, n = 1200)",
    bound="margin 0.02",
    interval=None,
    difference=-0.261,
    difference_interval=(-0.288, -0.233),
)
UNSURE = require(
    "refusal-rate",
    Outcome.INCONCLUSIVE,
    0.79999,
    hint="about 600 more cases would decide",
    about_more=600,
)
FINE = require("accuracy[language=zh]", Outcome.PASSED, 0.91, rule="slices")
LOOSER = Finding(
    "policy-looser",
    "policy-looser",
    Outcome.INCONCLUSIVE,
    f"loosened: {EVALUATION}/accuracy min 0.8 -> min 0.75; has 0 of 2 approvals from team-risk",
    "ask for the approval that the policy of the target branch names",
    f"{SPEC}:14:9",
    "base",
)
CASES = (
    Case("4412", "我的卡在取款机里被吞了,怎么办?", "card_swallowed", "card_swallowed", "lost_card"),
    Case("0007", "Where is my new card?", "card_arrival", "card_arrival", ""),
    Case("0911", "line one\nline two", "other", None, "card_arrival"),
)


def a_verdict(outcome: Outcome, *findings: Finding, **given: Any) -> Verdict:
    plan: Plan = given.pop("plan", a_plan(steps=KEPT))
    fields: dict[str, Any] = {
        "outcome": outcome,
        "findings": findings,
        "base": plan.base,
        "head": plan.head,
        "policy_tree": plan.policy_tree,
        "changes": plan.changes,
        "plan": plan,
        "judged_at": "2026-11-22T10:04:05Z",
        "tool_version": "0.1.0",
    }
    return Verdict(**{**fields, **given})


EVIL = (
    "@octocat #123 GH-7 https://evil.example www.evil.example a@evil.example <img src=x onerror=1>"
    "</details><!-- --> [x](javascript:1) ![y](http://z) `code` ``` ~~~ |cell| $x$ :tada: **b** "
    "\x1b[31mred\x1b[0m \x07 \u202eevil\u202c \u2066x\u2069 zero\u200bwidth tag\U000e0041 "
    "a\nb\r\n# heading\n- item\u2028line \ud800 &lt; \\"
)
HOSTILE_CASES = (
    Case(EVIL, EVIL, EVIL, EVIL, EVIL),
    Case("x" * 100_000, "@a " * 33_334, "`" * 100_000, "\n" * 100_000, "<b>" * 33_334),
)


def hostile() -> Verdict:
    bad = Change(
        Ref("Recipe", EVIL), "changed", EVIL, "train", (FieldChange(EVIL, EVIL, [EVIL], "gate"),)
    )
    plan = a_plan(
        base=TreeName(EVIL, "--><b>", EVIL),
        head=TreeName(EVIL, "--><script>", EVIL, dirty=True),
        changes=(bad,),
        steps=(Step(step("train", f"Recipe/{EVIL}").job, "run", EVIL),),
        gates=(gate(EVIL, EVIL, False, EVIL),),
        not_needed=(NotNeeded("train", Ref("Recipe", EVIL), EVIL),),
        selected=Selection((EVIL,), (EVIL,), (EVIL,)),
        tool_version=EVIL,
    )
    finding = require(
        EVIL, Outcome.FAILED, 0.5, message=EVIL, hint=EVIL, place=f"{EVIL}:1:2", rule=EVIL,
        bound=EVIL, evidence=EVIL, controls=(EVIL,), waived_by=EVIL,
    )  # fmt: skip
    unsure = require("-", Outcome.INCONCLUSIVE, float("nan"), gate=EVIL, message="x" * 100_000)
    return a_verdict(
        Outcome.FAILED,
        finding,
        unsure,
        plan=plan,
        loosened=(Loosened(EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL,)),),
        worst_cases=HOSTILE_CASES,
        worse_count=2,
        outputs=Outputs((EVIL,), HOSTILE_CASES, 3, 4),
        slices=({EVIL: EVIL},),
        notes=(EVIL,),
        waivers=(Waived(EVIL, EVIL, EVIL, {EVIL: EVIL}, EVIL, EVIL, EVIL, -3),),
        judged_at=EVIL,
        tool_version=EVIL,
    )


def many() -> Verdict:
    outcomes = [Outcome.FAILED] * 30 + [Outcome.INCONCLUSIVE] * 30 + [Outcome.PASSED] * 340
    found = [require(f"check-{i:03}", o, 0.5 + i / 1000) for i, o in enumerate(outcomes)]
    gates = tuple(gate(f"check-{i:03}", "accuracy min 0.9", i % 2 == 0) for i in range(400))
    changes = tuple(
        Change(Ref("Recipe", f"r{i:03}"), "added", f"specs/recipes/r{i:03}.yaml", "train")
        for i in range(120)
    )
    steps = tuple(step("train", f"Recipe/r{i:03}", "Recipe added") for i in range(120))
    plan = a_plan(gates=gates, changes=changes, steps=steps)
    loose = tuple(Loosened(f"{EVALUATION}/check-{i}", "min 1", "min 0") for i in range(40))
    return a_verdict(Outcome.FAILED, *found, plan=plan, loosened=loose)


CHINESE = Change(
    Ref("Prompt", "support-zh"),
    "changed",
    "specs/prompts/客服 提示.yaml",
    "generate",
    (
        FieldChange(
            "messages[0].content",
            "你是一名银行客服助手。",
            "你是一名谨慎的银行客服助手,只回答意图名称。",
            "gate",
        ),
    ),
)

PART = Selection(("Evaluation/support-quality",), (), ("Evaluation/support-quality",))
PLANS: Mapping[str, Plan] = {
    "first-run": a_plan(base=None, policy_tree=None, head=DIRTY, changes=CHANGES[3:4]),
    "change": a_plan(),
    "nothing-to-run": a_plan(changes=(), steps=KEPT, not_needed=(), gates=a_plan().gates[:1]),
    "blocked": a_plan(
        steps=KEPT[4:],
        not_needed=(
            NotNeeded("generate", Ref("Application", "support"),
                      "cannot run: train/support-lora failed: loss is not finite at step 12"),
            *a_plan().not_needed,
        ),
    ),
    "descriptive-only": a_plan(changes=OWNER, steps=KEPT, gates=(), not_needed=()),
    "partial": a_plan(selected=PART, policy_tree=None),
    "400-gates": many().plan,
    "chinese": a_plan(changes=(CHINESE,), head=TreeName("特性/新意图", "c0de" * 10)),
    "hostile": hostile().plan,
}  # fmt: skip

WAIVER = "Policy/default/w-2026-031"
TONE = "tone 0.790 is below the minimum 0.8 (n = 1200, 95 % interval 0.770 to 0.790)"
WAIVED_TONE = require(
    "tone", Outcome.WARNED, 0.79, unwaived="failed", waived_by=WAIVER,
    message=f"{TONE}; waived until 2026-12-15 by {WAIVER} (CS-1207, lihua, 23 days left): "
    "the March import brings more rows",
)  # fmt: skip
WAIVERS = (
    Waived(WAIVER, f"{EVALUATION}/tone", "lihua",
           {"en": "the March import brings more rows", "zh": "三月补齐样本"},
           "CS-1207", "2026-12-15", "in use", 23),
    Waived("Policy/default/w-2026-007", f"{EVALUATION}/accuracy", "wang", {"": "late labels"},
           "CS-1100", "2026-11-30", "unused", 8),
    Waived("Policy/default/w-2026-001", f"{EVALUATION}/language", "wang", {"": "late labels"},
           "CS-1001", "2026-11-20", "expired", -2),
)  # fmt: skip
COUNTED = a_verdict(
    Outcome.INCONCLUSIVE, LOOSER,
    require("accuracy", Outcome.PASSED, 0.905, assured="inconclusive", literal="passed",
            message="passed by the point rule; accuracy 0.905 is not shown to be at least 0.9 "
                    "(n = 1200, 95 % interval 0.885 to 0.925)",
            bound="min 0.9", not_shown="the bound says inconclusive",
            attempt=2, attempts=3, level=0.0125),
    require("refusal", Outcome.WARNED, 0.958, assured="inconclusive", literal="passed",
            message="not shown: refusal 0.958 is not shown to be at least 0.95 "
                    "(n = 300, 95 % interval 0.938 to 0.978)",
            bound="min 0.95", not_shown="on_inconclusive: warn lets it through",
            attempt=1, attempts=3, level=0.025),
    loosened=(
        Loosened(f"{EVALUATION}/accuracy", "min 0.9", "min 0.8", f"{SPEC}:14:9",
                 "Policy/default/looser", (), (f"{EVALUATION}/accuracy",)),
        Loosened(f"{EVALUATION}/tone", "declared", "removed", f"{SPEC}:30:3",
                 "Policy/default/looser", (),
                 tuple(f"{EVALUATION}/tone case q-{i:03}" for i in range(20))),
    ),
    unshown=(
        Unshown("gate", f"{EVALUATION}/accuracy", "the bound says inconclusive"),
        Unshown("gate", f"{EVALUATION}/refusal", "on_inconclusive: warn lets it through"),
        Unshown("route", "Application/support/routes/small"),
        Unshown("target", "Guardrail/old"),
        Unshown("reported", "SafetyTest/redteam/look"),
    ),
    advisory=False, profile="literal",
    counted=Counted("claim", "", 12, sha("1ed6e7"),
                    "count: pull_request needs --change NAME, so attempts count over all changes"),
)  # fmt: skip
NO_POLICY = ("no policy at base", "partial: only Evaluation/support-quality was judged")
VERDICTS: Mapping[str, Verdict] = {
    "quiet": a_verdict(Outcome.PASSED, FINE, plan=a_plan(changes=OWNER, steps=KEPT)),
    "passed": a_verdict(
        Outcome.PASSED,
        FINE,
        require("accuracy", Outcome.PASSED, 0.881, difference=0.008,
                difference_interval=(-0.004, 0.02)),
    ),
    "failed": a_verdict(
        Outcome.FAILED, FAILED, WORSE, UNSURE, FINE,
        worst_cases=CASES, worse_count=97, better_count=12,
        outputs=Outputs(("Prompt/support-system",), CASES[:1], 41, 480),
        extra={"source_url": "https://git.example/acme/support/blob/4c1e9ab"},
    ),
    "inconclusive": a_verdict(
        Outcome.INCONCLUSIVE,
        UNSURE,
        Finding("require", f"{EVALUATION}/accuracy", Outcome.INCONCLUSIVE,
                "no evidence for evaluate/support-quality (sha256:77ab19e0)", "llmops run",
                f"{SPEC}:14:9", "base"),
        plan=a_plan(),
    ),
    "loosened": a_verdict(
        Outcome.INCONCLUSIVE, LOOSER, FINE,
        loosened=(
            Loosened(f"{EVALUATION}/accuracy", "min 0.8", "min 0.75", f"{SPEC}:14:9",
                     "Policy/default/looser"),
            Loosened(f"{EVALUATION}/language", "declared", "removed", f"{SPEC}:30:3",
                     "Policy/default/looser"),
        ),
    ),
    "approved": a_verdict(
        Outcome.WARNED,
        Finding("policy-looser", "policy-looser", Outcome.WARNED, "loosened: accuracy"),
        WAIVED_TONE,
        loosened=(Loosened("accuracy", "min 0.8", "min 0.75", "", "Policy/default/looser",
                           ("lihua",)),),
        waivers=WAIVERS,
    ),
    "partial": a_verdict(Outcome.WARNED, FINE, notes=NO_POLICY,
                         plan=a_plan(policy_tree=None, steps=KEPT)),
    "two-sides": a_verdict(
        Outcome.FAILED, FAILED,
        require("accuracy", Outcome.PASSED, 0.612, judged_by="head", bound="min 0.6"),
    ),
    "400-gates": many(),
    "chinese": a_verdict(
        Outcome.FAILED,
        require("accuracy[language=中文]", Outcome.FAILED, 0.512, rule="slices",
                message="准确率 0.512 低于下限 0.8(n = 600)", hint="为该组补充训练数据"),
        plan=a_plan(changes=(CHINESE,), steps=KEPT), worst_cases=CASES[:1], worse_count=1,
    ),
    "counted": COUNTED,
    "hostile": hostile(),
}  # fmt: skip
CHANGE_SETS: Mapping[str, tuple[Change, ...]] = {
    "changes": CHANGES,
    "changes-none": (),
    "changes-chinese": (CHINESE,),
}


@pytest.fixture(scope="session")
def plans() -> Mapping[str, Plan]:
    return PLANS


@pytest.fixture(scope="session")
def verdicts() -> Mapping[str, Verdict]:
    return VERDICTS


@pytest.fixture(scope="session")
def change_sets() -> Mapping[str, tuple[Change, ...]]:
    return CHANGE_SETS
