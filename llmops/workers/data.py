"""The training set of a recipe: curated parts -> mixed, tokenized, batched.

Weights are shares of an epoch. The epoch is as long as all parts together; a part with share w
gives that fraction of its rows, chosen by the recipe's seed, and where it has too few its rows come
again (each of them equally often, to within one). Without weights every row comes once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler

from llmops.workers.chat import IGNORED, Example, Row, RowError, Template, examples
from llmops.workers.contract import WorkerError
from llmops.workers.models import read_rows


def training_set(
    spec: Mapping[str, Any], inputs: Mapping[str, Path], tokenizer: Any, seed: int
) -> list[Example]:
    """Every example of one epoch, before shuffling. Raises WorkerError naming unusable rows."""
    template = Template.of(tokenizer)
    parts = [
        (entry["format"], read_rows(inputs[f"data/{i}"])) for i, entry in enumerate(spec["data"])
    ]
    counts = mix([len(rows) for _, rows in parts], [entry.get("weight") for entry in spec["data"]])
    pieces = []
    for number, ((form, rows), count) in enumerate(zip(parts, counts, strict=True)):
        chosen = _drawn(len(rows), count, seed + number)
        read = {i: _pieces(template, rows[i], form, f"data/{number}:{i + 1}") for i in set(chosen)}
        pieces += [read[i] for i in chosen]
    max_length = (spec.get("template") or {}).get("max_length")
    found = examples(pieces, tokenizer, max_length)
    if not found:
        raise WorkerError(
            f"no row of {len(pieces)} is left to learn from",
            hint="the data is empty, or template.max_length cuts off every answer",
        )
    return found


def mix(rows: Sequence[int], weights: Sequence[float | None]) -> list[int]:
    """How many rows each part gives to an epoch. Raises WorkerError for weights that cannot be."""
    if all(weight is None for weight in weights):
        return list(rows)
    given = [weight for weight in weights if weight is not None]
    if len(given) < len(weights) or min(given) < 0 or sum(given) <= 0:
        raise WorkerError(
            "data weights must be given for all parts or none, not negative, and not all 0"
        )
    if any(weight > 0 and not count for weight, count in zip(given, rows, strict=True)):
        raise WorkerError("a part of the data with a weight has no row")
    return [round(sum(rows) * weight / sum(given)) for weight in given]


def _drawn(rows: int, count: int, seed: int) -> list[int]:
    """`count` row numbers: whole rounds in order, and a seeded choice for what is left."""
    if not rows:
        return []
    whole, left = divmod(count, rows)
    return list(range(rows)) * whole + sorted(random.Random(seed).sample(range(rows), left))


def _pieces(template: Template, row: Row, form: str, place: str) -> list[Any]:
    try:
        return template.row_pieces(row, form)
    except RowError as error:
        raise WorkerError(
            f"{place}: {error}", hint=f'check the columns of the dataset for format "{form}"'
        ) from error


@dataclass(frozen=True, slots=True)
class Collator:
    """Examples -> tensors padded at the right to the longest of their own batch."""

    pad: int

    def __call__(self, batch: Sequence[Mapping[str, list[int]]]) -> dict[str, torch.Tensor]:
        """One batch."""
        width = max(len(row["input_ids"]) for row in batch)
        lengths = [len(row["input_ids"]) for row in batch]
        return {
            "input_ids": _padded([row["input_ids"] for row in batch], width, self.pad),
            "attention_mask": _padded([[1] * length for length in lengths], width, 0),
            "labels": _padded([row["labels"] for row in batch], width, IGNORED),
        }


def _padded(rows: Sequence[list[int]], width: int, fill: int) -> torch.Tensor:
    return torch.tensor([row + [fill] * (width - len(row)) for row in rows])


class ByLength(Sampler[int]):
    """Row numbers such that the rows of one step are about equally long; a new order each epoch.

    The order depends on seed and epoch alone, so that all ranks agree on it and a resumed run
    goes on with it (the libraries' own sampler draws from each rank's global generator).
    """

    def __init__(self, lengths: Sequence[int], step_rows: int, seed: int) -> None:
        self._lengths, self._step_rows, self._seed = lengths, step_rows, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self._lengths)))
        shuffled = random.Random(f"{self._seed}:{self._epoch}")
        shuffled.shuffle(order)
        steps: list[list[int]] = []
        for start in range(0, len(order), 50 * self._step_rows):
            pool = sorted(
                order[start : start + 50 * self._step_rows], key=lambda i: -self._lengths[i]
            )
            steps += [pool[i : i + self._step_rows] for i in range(0, len(pool), self._step_rows)]
        last = [steps.pop()] if len(steps[-1]) < self._step_rows else []
        shuffled.shuffle(steps)
        return iter([row for step in [*steps, *last] for row in step])
