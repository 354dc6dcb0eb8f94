"""guard: a Guardrail's layers over the cases of one of its tests -> rows, one cell a case.

In: the layers of the stage that is tested, their words, and `cases` (a curated part). Out:
`rows.jsonl` with every asked case; its cell is 1 when the case was treated as the test expects.
`block`: it was blocked. `mask`: it was not blocked, and something was masked. `allow`: it was not
blocked. The response is what would go on: the text, masked where need be, nothing when blocked.

At the input a case is the user's last turn, at the output the answer where rows have one. A case
without such a text has an invalid cell, which is counted and never left out.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops import digest
from llmops.guardrails.base import Decision
from llmops.guardrails.engine import Guard
from llmops.jobs.base import Measurement
from llmops.statistics.order import subset_key
from llmops.workers import rows
from llmops.workers.chat import RowError, asked, conversation
from llmops.workers.contract import Outcome, RunFolder, WorkerError
from llmops.workers.guards import guardrail

PROGRESS_EVERY = 1000
_PLAIN = {
    "input": {"completion": "prompt", "attack": "prompt", "lexicon": "word"},
    "output": {"completion": "completion", "attack": "prompt", "lexicon": "word"},
}
_AS_EXPECTED = {
    "block": lambda decision: decision.action == "block",
    "mask": lambda decision: decision.action == "mask",
    "allow": lambda decision: decision.action != "block",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One case: what was read of it (or why nothing), and what became of that."""

    case: Mapping[str, Any]
    text: str | None
    reason: str = ""
    decision: Decision | None = None


def work(run: RunFolder) -> Outcome:
    """Looks at every asked case. Raises WorkerError when there is none, or no usable lexicon."""
    test, stage = run.spec["test"], run.spec["test"]["stage"]
    given = guardrail(run.spec["guardrail"], run.inputs)
    if stage not in given.stages:
        raise WorkerError(f'guardrail "{given.name}" has no layers for {stage}')
    cases = subset(run)
    seen: list[Seen] = []
    started = time.perf_counter()
    for case in cases:
        seen.append(look(given.stages[stage], case, run.spec["format"], stage))
        if len(seen) % PROGRESS_EVERY == 0:
            run.progress("guard", step=len(seen), steps=len(cases))
    seconds = time.perf_counter() - started
    rows.write(run.artifact("rows.jsonl"), (row(one, test) for one in seen))
    each = round(1e6 * seconds / len(seen), 1)
    run.progress("guard", step=len(seen), steps=len(cases), microseconds_per_case=each)
    file = digest.of_file(run.artifact("rows.jsonl"))
    return Outcome(measurements=tuple(_measurements(seen, test, file)), artifacts=("rows.jsonl",))


def subset(run: RunFolder) -> list[Mapping[str, Any]]:
    """The first cases by their digests, the same for every guardrail. Raises WorkerError."""
    of = run.spec["asked"]
    found: dict[str, Mapping[str, Any]] = {}
    for case in rows.read_kept(run.input("cases")):
        if not isinstance(case.get("id"), str) or not isinstance(case.get("case"), str):
            raise WorkerError("a row of cases has no id or no case")
        found[case["id"]] = case
    if not found:
        raise WorkerError("there are no cases to look at", hint="the split or sample is empty")
    ordered = sorted(
        found.values(), key=lambda c: subset_key(of["dataset"], of["split"], c["case"])
    )
    return ordered[: of.get("rows")]


def look(guard: Guard, case: Mapping[str, Any], form: str, stage: str) -> Seen:
    """One case, decided."""
    try:
        text = text_of(case, form, stage)
    except RowError as error:
        return Seen(case, None, str(error))
    return Seen(case, text, decision=guard.decide(text))


def text_of(case: Mapping[str, Any], form: str, stage: str) -> str:
    """The user's last turn, or the answer where rows have one. Raises RowError without it."""
    column = _PLAIN[stage].get(form)
    if column is not None:
        text = case.get(column)
        if not isinstance(text, str):
            raise RowError(f'column "{column}" is {"missing" if text is None else "no text"}')
        return text
    turns = asked(case, form) if stage == "input" else conversation(case, form)
    speaker = "user" if stage == "input" else "assistant"
    said = [turn["content"] for turn in turns if turn["role"] == speaker]
    if not said:
        raise RowError(f"no turn of the {speaker}")
    return said[-1]


def row(seen: Seen, test: Mapping[str, Any]) -> dict[str, Any]:
    """The line of `rows.jsonl`: what was asked, what came of it, and the cell of the test."""
    scalars = {k: v for k, v in seen.case.items() if v is None or isinstance(v, str | int | float)}
    decision = seen.decision
    value = None if decision is None else float(_AS_EXPECTED[test["expect"]](decision))
    told = [] if decision is None else decision.hits
    return {
        "id": seen.case["id"],
        "case": seen.case["case"],
        "input": seen.text,
        "expected": test["expect"],
        "response": None if decision is None else decision.text,
        "action": None if decision is None else decision.action,
        "hits": [
            {"layer": h.layer, "rule": h.rule, "action": h.action, "start": h.start, "end": h.end}
            for h in told
        ],
        "columns": {k: v for k, v in scalars.items() if k not in ("id", "case")},
        "cells": {
            test["name"]: {"value": value, "valid": value is not None, "reason": seen.reason}
        },
    }


def _measurements(
    seen: Sequence[Seen], test: Mapping[str, Any], file: str
) -> Iterator[Measurement]:
    """The share as expected, what became of the cases, and how many each layer stopped."""
    decisions = [one.decision for one in seen if one.decision is not None]
    met = sum(_AS_EXPECTED[test["expect"]](d) for d in decisions)
    if decisions:
        yield Measurement(test["name"], met / len(decisions), len(decisions), rows=file)
    invalid = float(len(seen) - len(decisions))
    yield Measurement(f"{test['name']}/invalid", invalid, len(seen), rows=file)
    actions = Counter[str](d.action for d in decisions)
    for name, action in (("blocked", "block"), ("masked", "mask"), ("allowed", "allow")):
        yield Measurement(name, float(actions[action]), len(decisions), rows=file)
    layers = Counter(layer for d in decisions for layer in {hit.layer for hit in d.hits})
    for layer, count in sorted(layers.items()):
        yield Measurement(f"hits/{layer}", float(count), len(decisions), rows=file)
