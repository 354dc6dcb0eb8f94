"""Plan -> lines of why one spec has its jobs: the path of change, or what is reused."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.digest import short
from llmops.jobs.base import Plan, Step


def lines(planned: Plan, subject: str) -> Iterator[str]:
    """The change of one spec, then its jobs with the jobs they follow."""
    for change in planned.changes:
        if str(change.ref) == subject:
            how = ", ".join(f.path for f in change.fields) or ", ".join(change.through)
            yield f"{subject} {change.action}: {how or change.category}"
    steps = {step.job.closure: step for step in planned.steps}
    own = [step for step in planned.steps if str(step.job.subject) == subject]
    for step in own:
        yield from _step(step, steps, "  ", set())
    for left in planned.not_needed:
        if str(left.subject) == subject:
            yield f"  - {left.type} not needed: {left.why}"
    if not own and not any(str(n.subject) == subject for n in planned.not_needed):
        yield f"{subject} has no job of its own"


def _step(step: Step, steps: dict[str, Step], indent: str, seen: set[str]) -> Iterator[str]:
    job = step.job
    if step.state == "run":
        yield f"{indent}+ {job.type} {job.about} runs: {step.why}"
    else:
        kept = short(step.evidence or "")
        yield f"{indent}= {job.type} {job.about} reused ({kept}): {step.why}"
    for need in job.needs:
        if need in steps and need not in seen and steps[need].state == "run":
            seen.add(need)
            yield from _step(steps[need], steps, indent + "  ", seen)
