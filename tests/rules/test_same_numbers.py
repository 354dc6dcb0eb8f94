"""The same rows give the same numbers to the last bit, on every Python that llmops runs on.

The golden file holds each number of each finding in hexadecimal. It was written by Python 3.11 and
is compared on 3.12 and 3.13 by running this file there (tests/benchmarks/RESULTS.md says when).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from llmops.rules.base import Finding, Verdict
from tests.rules.world import World, row
from tests.trees import BANK, changed, spec

CASES = 700
SUITE = """\
target: Application/bot
dataset: bank#test
engine: builtin
checks:
  - {name: right, metric: builtin/accuracy, require: {min: 0.8}, regression: {margin: 0.02}}
  - {name: rare, metric: builtin/refusal, require: {max: 0.05}, regression: {margin: 0.01}}
  - {name: f1, metric: builtin/token_f1, require: {min: 0.7}, regression: {margin: 0.02}}
  - {name: rouge, metric: builtin/rouge_l, require: {max: 0.9}}
  - {name: half, metric: builtin/rouge_l, pass_at: 0.7, require: {min: 0.5}}
slices:
  - {name: by-language, column: language, check: right, require: {min: 0.75}}
"""


def rows(side: int) -> list[dict[str, object]]:
    chance = random.Random(side)
    found = []
    for i in range(CASES):
        score = min(1.0, chance.random() ** 0.3 + 0.01 * side)
        rouge = chance.triangular(0.2, 1.0, 0.8)
        cells = {
            "right": float(chance.random() < 0.83 + 0.02 * side),
            "rare": float(chance.random() < 0.03), "f1": score, "rouge": rouge, "half": rouge,
        }  # fmt: skip
        found.append(row(i, cells, language=chance.choice(["en", "zh", "de"])))
    return found


def verdict() -> Verdict:
    files = {**BANK, "specs/evaluations/quality.yaml": spec("Evaluation", "quality", SUITE)}
    ask = "specs/prompts/ask.yaml"
    head = changed(ask, "{{ question }}", "Answer: {{ question }}", files)
    before, after = rows(0), rows(1)
    return World(
        head=head, base=files, head_rows=lambda _made: after, base_rows=lambda _made: before
    ).verdict()


def numbers(found: Finding) -> str:
    """Every number of a finding, to the last bit."""
    said = [f"{found.gate} {found.judged_by} {found.outcome.word}"]
    for field in fields(found):
        value = getattr(found, field.name)
        several = value if isinstance(value, tuple) else (value,)
        exact = [v.hex() if isinstance(v, float) else str(v) for v in several if _number(v)]
        said += [f"  {field.name} {' '.join(exact)}"] if exact else []
    return "\n".join(said)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_the_same_rows_give_the_same_numbers_to_the_last_bit(
    golden: Callable[[str | Path, str], None],
) -> None:
    found = verdict().findings
    text = "\n".join(map(numbers, sorted(found, key=lambda f: (f.gate, f.judged_by)))) + "\n"
    assert text.count("0x1.") > 30
    golden("verdict-numbers.txt", text)


def test_the_order_of_the_rows_changes_no_bit() -> None:
    once = [numbers(f) for f in verdict().findings]
    files = {**BANK, "specs/evaluations/quality.yaml": spec("Evaluation", "quality", SUITE)}
    ask = "specs/prompts/ask.yaml"
    before, after = rows(0), rows(1)
    random.Random(7).shuffle(before)
    random.Random(8).shuffle(after)
    head = changed(ask, "{{ question }}", "Answer: {{ question }}", files)
    again = World(
        head=head, base=files, head_rows=lambda _made: after, base_rows=lambda _made: before
    )
    assert [numbers(f) for f in again.verdict().findings] == once
