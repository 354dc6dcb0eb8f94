"""A learner in the standard library: what it is taught decides what it answers, in milliseconds.

It counts pairs of characters for each answer (naive Bayes without a prior) and answers with the
likeliest; guardrails and all other jobs are the real ones. An adapter adds to the counts of one
answer, so that it is worthless without its base. `spoil` does to counts what `workers/spoil.py`
does to tensors.
"""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from llmops.drills import rows as row_of
from llmops.errors import LlmopsError
from llmops.executors.base import Attempt, Ended, Progress
from llmops.jobs.base import Measurement
from llmops.workers import __main__ as workers
from llmops.workers.contract import Outcome, RunFolder
from llmops.workers.guards import Guards

Counts = dict[str, Counter[str]]
TOO_FAST = 0.1  # learning rate at which this learner's loss is not finite


class Learner:
    """An executor: every job in a thread of this process. `fails`: job types that die."""

    name = "learner"

    def __init__(self, fails: tuple[str, ...] = ()) -> None:
        self.fails = fails
        self.done: list[str] = []

    def render(self, attempt: Attempt) -> str:
        return attempt.job.id

    def perform(
        self, attempt: Attempt, _on_progress: Callable[[Progress], None], _stop: threading.Event
    ) -> Ended:
        self.done.append(attempt.job.id)
        if attempt.job.type in self.fails:
            return Ended(1, 0.0)
        try:
            workers.run_job(attempt.folder)
        except LlmopsError as error:
            return Ended(workers._failed(attempt.folder, error), 0.0)
        return Ended(0, 0.0)


def work(run: RunFolder) -> Outcome:
    return train(run) if run.job["type"] == "train" else generate(run)


def pairs(text: str) -> list[str]:
    said = text.lower()
    return [said[i : i + 2] for i in range(len(said) - 1)]


def learned(parts: Iterable[tuple[str, Path]]) -> Counts:
    counts: Counts = {}
    for form, path in parts:
        for row in read(path):
            answer = row_of.answer(row, form)
            counts.setdefault(answer, Counter()).update(pairs(row_of.question(row, form)))
    return counts


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def train(run: RunFolder) -> Outcome:
    if float((run.spec.get("training") or {}).get("learning_rate", 0)) > TOO_FAST:
        return Outcome("quality_failed", "the loss is not finite at step 3")
    forms = [entry["format"] for entry in run.spec["data"]]
    counts = learned((form, run.input(f"data/{i}")) for i, form in enumerate(forms))
    name = "adapter" if run.spec.get("lora") else "model"
    if name == "adapter":
        counts = {min(counts): counts[min(counts)]}
    save(counts, run.artifact(f"{name}/counts.json"))
    return Outcome(measurements=(Measurement("steps", 3, 1),), artifacts=(name,))


def save(counts: Mapping[str, Mapping[str, int]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(counts, sort_keys=True, ensure_ascii=False), encoding="utf-8")


def loaded(inputs: Mapping[str, Path], sign: int = 1) -> Counts:
    counts: Counts = {}
    for name in sorted(inputs):
        if name == "model" or name.startswith("adapter/"):
            for answer, found in json.loads(
                (inputs[name] / "counts.json").read_text("utf-8")
            ).items():
                kept = counts.setdefault(answer, Counter())
                for pair, count in found.items():
                    kept[pair] += count if name == "model" else sign * count
    return {answer: +found for answer, found in counts.items()}


def likeliest(counts: Counts, text: str) -> str:
    def score(answer: str) -> float:
        found = counts[answer]
        total = found.total() + 1000
        return sum(math.log((found[pair] + 0.1) / total) for pair in pairs(text))

    return max(sorted(counts), key=score)


def generate(run: RunFolder) -> Outcome:
    counts, guards, form = loaded(run.inputs), Guards.of(run), run.spec["format"]
    labels = {
        row[run.spec["output"]["labels_column"]]
        for name, path in run.inputs.items() if name.startswith("labels/")
        for row in read(path)
    }  # fmt: skip
    counts = {answer: found for answer, found in counts.items() if answer in labels}
    told = []
    for case in read(run.input("cases"))[: run.spec.get("rows")]:
        row, met = guards.question(case, form, ("question",))
        said = met.message or likeliest(counts, row_of.question(row, form))
        told.append({
            "id": case["id"], "case": case["case"], "prompt": "", "response": said,
            "input_tokens": 9, "output_tokens": 3, "latency_ms": 1.0, "error": None,
            "blocked": met.message is not None, "guard": [],
        })  # fmt: skip
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in told)
    run.artifact("responses.jsonl").write_text(lines, encoding="utf-8")
    return Outcome()


def spoil(request: Path, folder: Path) -> None:
    asked = json.loads(request.read_text("utf-8"))
    inputs = {name: Path(path) for name, path in asked["inputs"].items()}
    counts = loaded(inputs, -1 if asked["how"] == "wrong-sign" else 1)
    if asked["how"] == "two-bits":
        largest = {answer: max(found.values(), default=0) for answer, found in counts.items()}
        counts = {
            a: Counter({p: n for p, n in f.items() if 2 * n > largest[a]})
            for a, f in counts.items()
        }
    save(counts, folder / "counts.json")
