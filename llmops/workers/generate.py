"""generate: a target (base, adapters, prompt) over a dataset's part -> every prompt and response.

How a target is loaded and asked is in `answer.py`. Which cases are asked, and in which order,
follows from their digests alone. `latency_ms` is the time of the batch that a case was answered
in: what a caller of that batch size waits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

from llmops.jobs.base import Measurement
from llmops.workers import launch, models
from llmops.workers.answer import Response, Target
from llmops.workers.contract import Outcome, RunFolder, write_atomically
from llmops.workers.subset import subset


def work(run: RunFolder) -> Outcome:
    """Answers every case of the subset; `responses.jsonl` keeps the subset's order."""
    started = time.monotonic()
    launch.quiet()
    run.progress("load")
    target = Target.load(run)

    def told(done: int, steps: int, seconds: float) -> None:
        eta = round((steps - done) * seconds / done, 1)
        run.progress("generate", step=done, steps=steps, eta_s=eta)

    responses = target.answer(subset(run), told)
    lines = [json.dumps(r.line(), ensure_ascii=False) + "\n" for r in responses]
    write_atomically(run.artifact("responses.jsonl"), "".join(lines).encode())
    return Outcome(
        measurements=_measurements(responses, time.monotonic() - started),
        artifacts=("responses.jsonl",),
    )


def _measurements(responses: Sequence[Response], seconds: float) -> tuple[Measurement, ...]:
    version, count = models.version_of("transformers"), len(responses)
    values: Mapping[str, float] = {
        "errors": sum(r.error is not None for r in responses),
        "generate_seconds": round(seconds, 3),
        "input_tokens": sum(r.input_tokens for r in responses),
        "output_tokens": sum(r.output_tokens for r in responses),
        **_guarded(responses),
    }
    return tuple(
        Measurement(name, float(value), count, tool="transformers", version=version)
        for name, value in values.items()
    )


def _guarded(responses: Sequence[Response]) -> dict[str, float]:
    """How many a guardrail blocked, and how many it masked; nothing where there is none."""
    if all(response.guard is None for response in responses):
        return {}
    masked = sum(bool(r.guard) and not r.blocked for r in responses)
    return {"blocked": sum(bool(r.blocked) for r in responses), "masked": masked}
