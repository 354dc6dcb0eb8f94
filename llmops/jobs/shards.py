"""Jobs of a plan -> shards: what one runner does in order, and what it needs for it. Dry.

Jobs that wait for each other are one shard, so that no runner waits for another. The same plan has
the same shards under the same names. A matrix holds 256 entries: of more groups, neighbours that
ask for the same machine are bundled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from llmops.diagnostics import did_you_mean
from llmops.digest import of_value
from llmops.errors import UsageError
from llmops.jobs.base import Plan, Resources, Step
from llmops.jobs.quantity import bytes_of

MOST = 256  # entries of a matrix (docs.github.com: usage limits)
_NAME = 48  # characters of a shard's name before its digest
_TELLING = ("train", "generate", "evaluate", "scan", "guard", "curate")


@dataclass(frozen=True, slots=True)
class Shard:
    """Steps to run in the plan's order; `id` is `[a-z0-9-]{1,64}`.

    `resources`: the largest of each that a job of it asks for, and the time of all together.
    """

    id: str
    steps: tuple[Step, ...]
    resources: Resources


def shards(plan: Plan, most: int = MOST) -> tuple[Shard, ...]:
    """Every job that is to run, also once more, each in one shard, at most `most` of them."""
    groups = _groups([step for step in plan.steps if step.state == "run" or step.audit])
    if len(groups) > most:
        ordered = sorted(groups, key=lambda group: _machine(_largest(group)))
        cuts = [len(ordered) * n // most for n in range(most + 1)]
        groups = [[step for group in ordered[a:b] for step in group] for a, b in pairwise(cuts)]
    return tuple(Shard(_id(group), tuple(group), _largest(group)) for group in groups)


def part(plan: Plan, shard_id: str) -> Plan:
    """The plan with the steps of one shard, and the kept ones that it needs.

    Raises UsageError for a shard that the plan does not have.
    """
    known = {shard.id: shard for shard in shards(plan)}
    if shard_id not in known:
        otherwise = f"the plan has {', '.join(sorted(known)[:5])}" if known else "it runs nothing"
        hint = did_you_mean(shard_id, known, otherwise=otherwise)
        raise UsageError(f'the plan has no shard "{shard_id[:80]}"', hint=hint)
    own = {step.job.closure for step in known[shard_id].steps}
    needed = {need for step in known[shard_id].steps for need in step.job.needs}
    return replace(plan, steps=tuple(s for s in plan.steps if s.job.closure in own | needed))


def _groups(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that need each other, directly or over others, in the order of the first of them."""
    above = {step.job.closure: step.job.closure for step in steps}

    def root(closure: str) -> str:
        while above[closure] != closure:
            above[closure] = closure = above[above[closure]]
        return closure

    for step in steps:
        for need in step.job.needs:
            if need in above:
                above[root(step.job.closure)] = root(need)
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(root(step.job.closure), []).append(step)
    return list(found.values())


def _id(group: Sequence[Step]) -> str:
    """After its most telling job, and a digest of all of them: two shards never share one."""
    told = min(group, key=lambda step: _TELLING.index(step.job.type))
    name = re.sub(r"[^a-z0-9]+", "-", told.job.id.lower())[:_NAME].strip("-")
    return f"{name}-{of_value(sorted(step.job.closure for step in group))[7:15]}".strip("-")


def _largest(group: Iterable[Step]) -> Resources:
    asked = [step.job.resources for step in group]
    return Resources(
        processes=max(one.processes for one in asked),
        cpu=max(one.cpu for one in asked),
        memory=max((one.memory for one in asked), key=lambda text: bytes_of(text) or 0.0),
        gpu=next((one.gpu for one in asked if one.gpu is not None), None),
        timeout_minutes=sum(one.timeout_minutes for one in asked),
    )


def _machine(asked: Resources) -> tuple[str, float, int]:
    return (asked.gpu or "", bytes_of(asked.memory) or 0.0, asked.processes * asked.cpu)
