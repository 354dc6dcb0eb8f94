"""What a metric gets and gives: one answered case in, one number out.

An engine is a module with `metric(name, options, scratch) -> Metric`; `evaluate.py` has the table
of engines and imports only those that a job's checks name. A metric that cannot score a case
raises `Unscorable`, which becomes an invalid cell with that reason: no case is ever left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.diagnostics import did_you_mean
from llmops.workers.contract import WorkerError


@dataclass(frozen=True, slots=True)
class Answered:
    """One case with its response. `expected` is None when the data has no expected answer."""

    id: str
    input: str
    expected: str | None
    response: str
    latency_ms: Any = None  # as the responses file has them: the metric that reads one checks it
    output_tokens: Any = None
    blocked: bool = False  # a guardrail answered instead of the target
    columns: Mapping[str, Any] = field(default_factory=dict)  # of the case, as curated

    def expectation(self) -> str:
        """The expected answer. Raises Unscorable if there is none."""
        if self.expected is None:
            raise Unscorable("no expected answer")
        return self.expected


class Unscorable(Exception):
    """This case has no score by this metric; the text says why."""


@dataclass(frozen=True, slots=True)
class Metric:
    """How to score a case, and by which tool in which version.

    `ahead`, where a metric has it, is told all cases before the first is scored. `repeats` tells,
    where a case is scored several times, what each time said, by the case's id.
    """

    score: Callable[[Answered], float]
    tool: str
    version: str
    ahead: Callable[[Sequence[Answered]], None] | None = None
    repeats: Callable[[str], Sequence[float]] | None = None


_WANTED = {
    bool: "true or false",
    str: "text",
    list: "a list of texts",
    int: "a whole number",
}


def check_options(metric: str, options: Mapping[str, Any], known: Mapping[str, type]) -> None:
    """Raises WorkerError for an option that the metric has not, or of another type."""
    for name, value in options.items():
        if name not in known:
            listed = f"known are {', '.join(sorted(known))}" if known else "it has none"
            hint = did_you_mean(name, known, otherwise=listed)
            raise WorkerError(f'{metric} has no option "{name}"', hint=hint)
        if type(value) is not known[name]:
            wanted = _WANTED[known[name]]
            raise WorkerError(f'option "{name}" of {metric} is not {wanted}')
