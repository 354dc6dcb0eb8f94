"""Which reused jobs are drawn to be run once more: a lottery that nobody can steer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.digest import of_value
from llmops.jobs.audits import Audit, drawn, is_drawn, seed
from llmops.jobs.base import Job, Proof, Step
from llmops.specs.base import Ref

CLOSURES = tuple(of_value(n) for n in range(40))
KNOWN = CLOSURES[:30]
STEPS = tuple(
    Step(Job("curate", Ref("Dataset", "a"), closure, {}), "reuse", "no input changed")
    for closure in CLOSURES
)
GOOD = {closure: Proof("e", "ok") for closure in CLOSURES}


def lots(steps: tuple[Step, ...] = STEPS, **more: object) -> list[str]:
    given = {"needed": CLOSURES, "known": KNOWN, "share": 0.5, "kept": (GOOD, ())} | more
    return [step.job.closure for step in drawn(steps, **given) if step.audit]  # type: ignore[arg-type]


def test_of_many_jobs_the_share_is_drawn() -> None:
    many = [of_value(["many", n]) for n in range(4000)]
    for share in (0.02, 0.5):
        hits = sum(is_drawn(closure, "sha256:x", share) for closure in many)
        assert abs(hits - share * 4000) < 4 * (4000 * share * (1 - share)) ** 0.5
    assert not any(is_drawn(closure, "x", 0.0) for closure in many)
    assert all(is_drawn(closure, "x", 1.0) for closure in many)


def test_only_what_base_needs_too_is_drawn_and_the_plan_says_so() -> None:
    assert set(lots(share=1.0)) == set(KNOWN)
    made = drawn(STEPS, CLOSURES, KNOWN, 1.0, (GOOD, ()))
    assert made[0].why == "no input changed; drawn to be run once more (reuse_audit 1)"
    assert made[0].audit == seed(CLOSURES)
    assert made[35] == STEPS[35]


def test_the_same_needs_draw_the_same_lots_in_any_order_and_another_job_draws_others() -> None:
    assert lots() == lots(needed=tuple(reversed(CLOSURES)))
    assert 5 < len(lots()) < 25
    assert lots() != lots(needed=(*CLOSURES, of_value("new")))


def test_a_change_that_needs_no_other_jobs_than_base_draws_nothing() -> None:
    assert lots(needed=KNOWN, share=1.0) == []
    assert lots(share=0.0) == []


def test_what_failed_is_not_held_against_anything() -> None:
    failed = {**GOOD, CLOSURES[0]: Proof("e", "quality_failed")}
    assert CLOSURES[0] not in lots(share=1.0, kept=(failed, ()))


def test_what_was_run_once_more_in_this_lottery_is_done_and_in_another_is_not() -> None:
    done = Audit(CLOSURES[0], "curate/a", "k", seed(CLOSURES), "bit", "bit", (), "")
    assert CLOSURES[0] not in lots(share=1.0, kept=(GOOD, (done,)))
    assert CLOSURES[0] in lots(share=1.0, kept=(GOOD, (replace(done, draw="other"),)))


@pytest.mark.parametrize(
    ("promised", "repeats", "same"),
    [
        ("bit", "bit", True), ("bit", "step", False), ("step", "bit", True),
        ("step", "step", True), ("step", "statistical", False), ("statistical", "step", True),
        ("statistical", "", False), ("bit", "", False),
    ],
)  # fmt: skip
def test_a_result_comes_again_if_it_agrees_as_strictly_as_its_class(
    promised: str, repeats: str, same: bool
) -> None:
    audit = Audit("c", "j", "k", "d", promised, repeats, (), "")  # type: ignore[arg-type]
    assert audit.same is same
