"""Estimates of a plan in words: what each job needs, takes and costs, and the total of all.

What is not known is said to be unknown, with how many jobs it is unknown for; a column in which
nothing is known is not there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmops.jobs.base import Budget, Estimate, Plan, Step
from llmops.jobs.estimate import known
from llmops.jobs.quantity import bytes_of
from llmops.reports.words import plural

_UNITS = {"usd": "USD", "gpu_hours": "GPU-hours", "cpu_hours": "CPU-hours"}
_UNKNOWN = "?"


def columns(steps: Sequence[Step]) -> tuple[str, ...]:
    """Of `needs`, `time` and `cost`, those in which a job to run has something to say."""
    run = [step.estimate for step in steps if step.state == "run" and step.estimate is not None]
    said = (
        ("needs", any(one.memory_mb is not None for one in run)),
        ("time", any(one.seconds is not None for one in run)),
        ("cost", any(one.usd for one in run)),
    )
    return tuple(name for name, shown in said if shown)


def cells(step: Step, shown: Sequence[str]) -> tuple[str, ...]:
    """One job's words for the columns shown."""
    found = step.estimate or Estimate()
    words = {"needs": needs(step), "time": duration(found.seconds), "cost": _cost(found.usd)}
    return tuple(words[name] for name in shown)


def needs(step: Step) -> str:
    """Of one rank `612 MiB`, `>1.2 GiB`, `61 GiB GPU`; of all `1.2 of 2 GiB` where bounded."""
    found = step.estimate
    if found is None or found.memory_mb is None:
        return _UNKNOWN
    of = " GPU" if found.memory_of == "device" else ""
    more = {"least": ">", "most": "<", "": ""}[found.bound]
    limit = bytes_of(step.job.resources.memory)
    if limit is None or of:
        return f"{more}{memory(found.memory_mb)}{of}"
    too_much = " !" if exceeds(step) else ""
    ranks = step.job.resources.processes
    return f"{more}{ranks * found.memory_mb / 1024:.1f} of {limit / 2**30:.3g} GiB{too_much}"


def exceeds(step: Step) -> bool:
    """Whether a job is estimated to need more than the memory that its Recipe declares."""
    found, limit = step.estimate, bytes_of(step.job.resources.memory)
    if found is None or found.memory_mb is None or limit is None or found.memory_of == "device":
        return False
    return found.memory_mb * step.job.resources.processes * 2**20 > limit


def memory(mb: float) -> str:
    """`612 MiB`, `1.5 GiB`, `61 GiB`."""
    if mb < 1000:
        return f"{mb:.0f} MiB"
    gib = mb / 1024
    return f"{gib:.1f} GiB" if gib < 20 else f"{gib:.0f} GiB"


def duration(seconds: float | None) -> str:
    """`41s`, `2m10s`, `3h15m`."""
    if seconds is None:
        return _UNKNOWN
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def _cost(usd: float | None) -> str:
    return _UNKNOWN if usd is None else f"{amount(usd)} USD" if usd else "-"


def amount(value: float) -> str:
    """A sum of money or hours: `0.04`, `9.6`, `43`."""
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.2g}"


def sentence(plan: Plan, totals: str) -> str:
    """The totals with `; 3h15m in all, 43 USD (limit 150), 9.6 GPU-hours (limit 40)` at the end."""
    run = [step for step in plan.steps if step.state == "run"]
    if not any(step.estimate for step in run):
        return totals
    parts = [_total(plan, "seconds")]
    parts += [_total(plan, unit) for unit in _UNITS if _is_asked(plan, run, unit)]
    return f"{totals.removesuffix('.')}; {', '.join(parts)}."


def _is_asked(plan: Plan, run: Sequence[Step], unit: str) -> bool:
    """Money and GPU-hours where a GPU is asked for; anything that a budget bounds."""
    on_gpu = any(step.job.resources.gpu for step in run) and unit != "cpu_hours"
    return on_gpu or any(budget.unit == unit for budget in plan.budgets)


def _total(plan: Plan, what: str) -> str:
    total, unknown = known(plan.steps, what)
    jobs = sum(step.state == "run" for step in plan.steps)
    name = "time" if what == "seconds" else _UNITS[what]
    limits = [budget for budget in plan.budgets if budget.unit == what]
    total += limits[0].used if limits else 0.0
    bound = f" (limit {min(b.limit for b in limits):g})" if limits else ""
    if unknown == jobs and not total:
        return f"{name} unknown{bound}"
    words = f"{duration(total)} in all" if what == "seconds" else f"{amount(total)} {name}"
    rest = f" and unknown for {unknown} of {plural(jobs, 'job')}" if unknown else ""
    return f"{words}{bound}{rest}"


def limit_words(budget: Budget) -> str:
    """`Policy/default allows 40 GPU-hours`."""
    return f"{budget.name.rpartition('/')[0]} allows {budget.limit:g} {_UNITS[budget.unit]}"
