"""CPU seconds for a verdict of 31 gates over 10,000 cases, and for the tests that decide it alone.

15 checks with a bound and a margin each (8 right or wrong, 7 scores), and one bound more. Head
is a little better than base in every check; every number is drawn from a seed.
"""

from __future__ import annotations

import random
import time

from llmops.rules.base import Verdict
from llmops.rules.verdict import judge
from llmops.statistics import binomial, paired, star
from llmops.statistics.paired import Difference
from tests.rules.world import World, row
from tests.trees import BANK, spec

CASES = 10_000
RIGHT = [f"right-{i}" for i in range(9)]  # the last one without a margin
SCORES = [f"score-{i}" for i in range(7)]
GATES = 2 * len(RIGHT) - 1 + 2 * len(SCORES)


def _checks() -> str:
    lines = []
    for name in (*RIGHT, *SCORES):
        metric = "accuracy" if name in RIGHT else "token_f1"
        margin = "" if name == RIGHT[-1] else ", regression: {margin: 0.02}"
        lines.append(
            f"  - {{name: {name}, metric: builtin/{metric}, require: {{min: 0.7}}{margin}}}"
        )
    return "\n".join(lines)


def _rows(side: int) -> list[dict[str, object]]:
    chance = random.Random(side)
    found = []
    for i in range(CASES):
        cells = {name: float(chance.random() < 0.85 + 0.01 * side) for name in RIGHT}
        cells |= {name: min(1.0, chance.random() ** 0.2 + 0.01 * side) for name in SCORES}
        found.append(row(i, cells))
    return found


def world() -> World:
    """Two equal trees, and answers for both sides."""
    suite = "target: Application/bot\ndataset: bank#test\nengine: builtin\nchecks:\n" + _checks()
    files = {**BANK, "specs/evaluations/quality.yaml": spec("Evaluation", "quality", suite)}
    bad = {**files, "specs/prompts/ask.yaml": files["specs/prompts/ask.yaml"].replace(
        "{{ question }}", "Answer: {{ question }}"
    )}  # fmt: skip
    before, after = _rows(0), _rows(1)
    return World(
        head=bad, base=files, head_rows=lambda _made: after, base_rows=lambda _made: before
    )


def per_verdict() -> tuple[float, float]:
    """Seconds of judging with all that is printed, and of the tests that decide alone."""
    facts = world().facts()
    started = time.process_time()
    verdict = judge(facts, judged_at="2026-11-26T00:00:00Z", tool_version="0")
    ours = time.process_time() - started
    _all_gates(verdict)
    return ours, _tests()


def _all_gates(verdict: Verdict) -> None:
    found = [f for f in verdict.findings if f.rule in ("require", "regression")]
    assert len(found) == GATES == 31, len(found)
    assert all(
        (f.n == CASES and f.interval is not None) or f.difference_interval is not None
        for f in found
    )


def _tests() -> float:
    """The decisions: exact bounds of shares, one pass of bets per score and per difference."""
    before, after = ([r["cells"] for r in _rows(side)] for side in (0, 1))
    columns = [
        ([a[n]["value"] for a in after], [b[n]["value"] for b in before]) for n in (*RIGHT, *SCORES)
    ]  # type: ignore[index]
    gaps = [Difference(tuple(h - b for h, b in zip(*pair, strict=True)), 0.02) for pair in columns]
    started = time.process_time()
    for head, _base in columns[: len(RIGHT)]:
        binomial.lower(head.count(1.0), CASES)
        binomial.upper(head.count(1.0), CASES)
    for head, _base in columns[len(RIGHT) :]:
        star.rejects_at_most(head, 0.7, 0, 1)
        star.rejects_at_least(head, 0.7, 0, 1)
    paired.decide(gaps[: len(RIGHT) - 1] + gaps[len(RIGHT) :])
    return time.process_time() - started
