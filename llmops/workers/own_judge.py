"""A judge that is a Model or Recipe of ours: its weights are inputs of the evaluate job.

The inputs `judge/model`, `judge/tokenizer`, `judge/adapter/0`, ... are those of a target, with a
prefix. One question is one turn of the user in the model's own chat template; the answer is written
as any target writes, greedy at temperature 0, else with a seed made of question and repeat.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from llmops import digest
from llmops.workers import launch, models
from llmops.workers.answer import Settings, Target
from llmops.workers.chat import Template
from llmops.workers.contract import RunFolder
from llmops.workers.judge import NoAnswer
from llmops.workers.scrub import Secrets

PREFIX = "judge/"


class OwnJudge:
    """The loaded model. It answers one question at a time."""

    at_once = 1

    def __init__(self, name: str, target: Target) -> None:
        self.name = name
        self._target = target
        self._lock = threading.Lock()

    def answer(self, prompt: str, schema: Mapping[str, Any], seed: int) -> str:
        """The text it writes. Raises NoAnswer when the question does not fit or nothing comes."""
        row = {"id": "", "case": digest.of_value([prompt, seed]), "question": prompt}
        with self._lock:
            (written,) = self._target.answer([row])
        if written.error is not None:
            raise NoAnswer(written.error)
        if written.output_tokens >= self._target.settings.max_tokens:
            raise NoAnswer("the answer was cut at max_tokens", written.response)
        return written.response


def judge(run: RunFolder, _secrets: Secrets) -> OwnJudge:
    """The judge of a job, loaded. Raises WorkerError if it cannot be."""
    launch.quiet()
    run.progress("load judge")
    given = run.spec["judge"]
    inputs = {n.removeprefix(PREFIX): p for n, p in run.inputs.items() if n.startswith(PREFIX)}
    base = models.materialise(given["base"], inputs)
    base.model.eval().to(models.device())
    settings = Settings(
        temperature=float(given["temperature"]), top_p=1.0,
        max_tokens=int(given["max_tokens"]), batch_size=1, seed=run.seed,
    )  # fmt: skip
    target = Target(base, Template.of(base.tokenizer), None, None, "qa", settings)
    return OwnJudge(str(run.spec.get("judge_name") or "judge"), target)
