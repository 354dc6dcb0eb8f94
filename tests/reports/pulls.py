"""Every state that a pull request can be in, as one fixed publication each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.forge.base import Publication, Repo
from llmops.jobs.base import Change, FieldChange, Plan
from llmops.reports import github_landed
from llmops.reports import github_states as states
from llmops.rules.base import Cause, Counted, Finding, Loosened, Outcome, Verdict
from llmops.specs.base import Ref
from tests.reports import conftest as fixed
from tests.reports.conftest import EVIL, PLANS, VERDICTS, a_plan, a_verdict, require

HEAD_SHA = "4c1e9ab" + "1" * 33
SUBJECT = states.Subject(
    Repo("acme", "support"), 12, HEAD_SHA,
    source_url=f"https://git.example/acme/support/blob/{HEAD_SHA}",
    details_url="https://git.example/acme/support/actions/runs/77",
    report_url="https://git.example/acme/support/actions/runs/77/artifacts/5",
)  # fmt: skip
LANDED = replace(SUBJECT, number=None, ref="refs/heads/main")
RECIPE = "specs/recipes/support-lora.yaml"
CAUSES = (
    Cause("Recipe/support-lora", "lora.r", f"{RECIPE}:12:5"),
    Cause("Recipe/support-lora", "training.learning_rate", f"{RECIPE}:16:3"),
)
MISTAKES = (
    Diagnostic(Span(RECIPE, 12, 5), "unknown-field",
               'Recipe has no field "optimizer.learning_rat"', 'did you mean "learning_rate"?'),
    Diagnostic(Span("specs/releases/support.yaml", 9, 12), "unknown-ref",
               'no Evaluation named "safety-core"',
               'known are "safety-smoke", "helpfulness"; declare it under specs/evaluations/'),
    Diagnostic(Span("specs/推荐.yaml"), "owner", "has no owner", severity=Severity.WARNING),
)  # fmt: skip
_SAFETY = "specs/safety/support-redteam.yaml"


def failed() -> Verdict:
    """A LoRA that got better at one thing and worse at another."""
    found = (
        replace(fixed.FAILED, causes=CAUSES, place=f"{fixed.SPEC}:14:9"),
        replace(fixed.WORSE, causes=CAUSES),
        replace(fixed.UNSURE, causes=CAUSES, place=f"{fixed.SPEC}:22:9"),
        fixed.FINE,
        *(require(f"tone[language={name}]", Outcome.PASSED, 0.9 + i / 100, rule="slices")
          for i, name in enumerate(("de", "en", "es", "fr", "it", "ja"))),
    )  # fmt: skip
    return replace(VERDICTS["failed"], findings=found)


def one_file() -> Verdict:
    """Sixty findings in one file, all below one changed line."""
    found = [
        require(f"tone[topic={i:02}]", Outcome.FAILED if i < 40 else Outcome.INCONCLUSIVE,
                0.5 + i / 300, rule="slices", place=f"{fixed.SPEC}:{30 + i}:7", causes=CAUSES)
        for i in range(60)
    ]  # fmt: skip
    return a_verdict(Outcome.FAILED, *found)


def waiting_for_approval() -> Verdict:
    """A lowered bound that the target branch lets two people of a team approve."""
    bound = f"{fixed.EVALUATION}/accuracy"
    machine = Finding(
        "approval", "Policy/default/machine", Outcome.INCONCLUSIVE,
        "written by renovate[bot]; has 0 of 1 approvals from team-cs (Policy/default/machine)",
        "let somebody of the named team read the change and say yes",
        "policies/default.yaml:21:5", "base",
    )  # fmt: skip
    looser = replace(
        fixed.LOOSER,
        message=f"loosened: {bound} min 0.8 -> min 0.75; has 1 of 2 approvals from team-risk "
        "(Policy/default/looser): lihua",
    )
    return a_verdict(
        Outcome.INCONCLUSIVE, looser, machine, fixed.FINE,
        loosened=(Loosened(bound, "min 0.8", "min 0.75", f"{fixed.SPEC}:14:9",
                           "Policy/default/looser", ("lihua",)),),
    )  # fmt: skip


def first_run() -> Verdict:
    """No policy at base: its own policies judge it, warned at best."""
    plan = a_plan(base=None, policy_tree=None, changes=fixed.CHANGES[3:4], steps=fixed.KEPT)
    found = require("accuracy", Outcome.PASSED, 0.881, base_value=None, judged_by="head")
    return a_verdict(Outcome.WARNED, found, notes=("no policy at base",), plan=plan)


def all_reused() -> Verdict:
    """A bound was raised: nothing ran, everything is judged again on kept rows."""
    bound = FieldChange("checks[accuracy].require.min", 0.8, 0.85, "gate")
    change = Change(Ref("Evaluation", "support-quality"), "changed", fixed.SPEC, "gate", (bound,))
    plan = a_plan(changes=(change,), steps=fixed.KEPT, not_needed=())
    return a_verdict(
        Outcome.PASSED, require("accuracy", Outcome.PASSED, 0.881, bound="min 0.85"), fixed.FINE,
        plan=plan,
    )  # fmt: skip


def nothing_to_run() -> Verdict:
    """An owner was renamed: nothing moved."""
    return VERDICTS["quiet"]


def counted(verdict: Verdict) -> Verdict:
    """As what is published is judged: attempts stand in a ledger."""
    if verdict.counted is not None:
        return verdict
    return replace(
        verdict, advisory=False, counted=Counted("pull_request", "#12", 31, fixed.sha("1ed6e7"))
    )


_JUDGED: Mapping[str, Verdict] = {
    "first-run": first_run(),
    "nothing-to-run": nothing_to_run(),
    "all-reused": all_reused(),
    "passed": VERDICTS["passed"],
    "failed": failed(),
    "inconclusive": VERDICTS["inconclusive"],
    "waiting-for-approval": waiting_for_approval(),
    "waived": VERDICTS["approved"],
    "counted": VERDICTS["counted"],
    "400-gates": VERDICTS["400-gates"],
    "60-findings-in-one-file": one_file(),
    "chinese": VERDICTS["chinese"],
    "hostile": VERDICTS["hostile"],
}
JUDGED = {name: counted(verdict) for name, verdict in _JUDGED.items()}
RUNNING: Mapping[str, Plan] = {
    "running": PLANS["change"],
    "running-400-gates": PLANS["400-gates"],
    "running-hostile": PLANS["hostile"],
}


@cache
def every() -> Mapping[str, Publication]:
    """All states by name."""
    done = frozenset(step.job.closure for step in PLANS["change"].steps[:2])
    hostile = (replace(MISTAKES[0], message=EVIL, hint=EVIL, rule=EVIL, span=Span(EVIL, 1, 1)),)
    broken = Diagnostic(Span("specs/a.yaml", 1), "yaml-syntax", "x" * 100_000)
    return {
        "opened": states.opened(SUBJECT, "2026-11-22T10:00:00Z"),
        **{name: states.running(SUBJECT, plan, 2, 4, done) for name, plan in RUNNING.items()},
        "world-failed": states.not_judged(
            SUBJECT, "the artifacts of run 77 are gone: 404 from the server",
            "start the run jobs again; the evidence that is kept stays",
        ),
        "conflict": states.refused(
            SUBJECT, "conflict in specs/recipes/support-lora.yaml",
            "merge the target branch into this one, and settle what conflicts",
        ),
        "conflict-hostile": states.refused(SUBJECT, EVIL, EVIL),
        "landed": github_landed.as_judged(LANDED, "77d0" * 10, "passed", "pull request 12"),
        "landed-unjudged": github_landed.unjudged(LANDED, "77d0" * 10, "its jobs had not run"),
        "landed-hostile": github_landed.unjudged(LANDED, EVIL, EVIL),
        "world-failed-hostile": states.not_judged(SUBJECT, EVIL, EVIL),
        "invalid": states.invalid(SUBJECT, MISTAKES),
        "invalid-hostile": states.invalid(SUBJECT, (*hostile, broken)),
        "fork": states.waiting_for_person(
            SUBJECT, "this pull request comes from a fork, so nothing of it runs by itself",
            "somebody with write access reads the change, then names this very commit:",
            f"/llmops run {HEAD_SHA}",
        ),
        "fork-hostile": states.waiting_for_person(SUBJECT, EVIL, EVIL, EVIL),
        "closed": states.closed(SUBJECT),
        "merged-without-verdict": states.closed(SUBJECT, merged=True),
        **{name: states.judged(SUBJECT, one) for name, one in JUDGED.items()},
    }  # fmt: skip
