from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmops.workers import models
from llmops.workers.contract import WorkerError
from llmops.workers.data import ByLength, Collator, mix, training_set


def test_without_weights_every_row_comes_once() -> None:
    assert mix([3, 7], [None, None]) == [3, 7]


def test_weights_are_shares_of_an_epoch_as_long_as_all_parts() -> None:
    assert mix([100, 900], [1.0, 1.0]) == [500, 500]
    assert mix([100, 900], [0.2, 0.8]) == [200, 800]
    assert mix([100, 900], [0.0, 1.0]) == [0, 1000]


@pytest.mark.parametrize("weights", [[1.0, None], [-1.0, 2.0], [0.0, 0.0]])
def test_weights_that_mean_nothing_are_refused(weights: list[float | None]) -> None:
    with pytest.raises(WorkerError, match="weights"):
        mix([1, 1], weights)


def test_a_weight_on_an_empty_part_is_refused() -> None:
    with pytest.raises(WorkerError, match="no row"):
        mix([0, 1], [0.5, 0.5])


def test_a_small_part_repeats_evenly_and_a_large_one_is_sampled(kit: Any, tmp_path: Path) -> None:
    parts = {
        f"data/{i}": kit.write_rows(
            tmp_path / f"{i}.jsonl", [{"question": f"{n}", "answer": name} for n in range(count)]
        )
        for i, (name, count) in enumerate((("a", 4), ("b", 16)))
    }
    tokenizer = models.train_tokenizer(["a b 0 1"], "byte_level_bpe", 270)
    spec = {"data": [{"format": "qa", "weight": 1.0}, {"format": "qa", "weight": 1.0}]}
    found = training_set(spec, parts, tokenizer, seed=3)
    texts = [tokenizer.decode(e.input_ids, skip_special_tokens=True) for e in found]
    counts = Counter(texts)
    small = {text: n for text, n in counts.items() if text.endswith("a")}
    assert len(found) == 20
    assert sorted(small.values()) == [2, 2, 3, 3]
    assert sorted(n for text, n in counts.items() if text.endswith("b")) == [1] * 10
    assert training_set(spec, parts, tokenizer, seed=3) == found
    assert training_set(spec, parts, tokenizer, seed=4) != found


def test_a_step_by_length_holds_similar_rows_and_each_epoch_all_rows_anew() -> None:
    lengths = [(n * 37) % 61 for n in range(1000)]
    sampler = ByLength(lengths, 64, seed=5)
    first = list(sampler)
    assert sorted(first) == list(range(1000))
    assert first == list(sampler)
    steps = [first[i : i + 64] for i in range(0, 960, 64)]
    spread = [max(map(lengths.__getitem__, s)) - min(map(lengths.__getitem__, s)) for s in steps]
    assert max(spread) < 10
    assert [sum(lengths[i] for i in s) for s in steps] != sorted(
        (sum(lengths[i] for i in s) for s in steps), reverse=True
    )
    sampler.set_epoch(1)
    assert list(sampler) != first


def test_batches_are_padded_to_their_own_longest_row() -> None:
    batch = Collator(pad=9)(
        [{"input_ids": [1, 2], "labels": [-100, 2]}, {"input_ids": [3], "labels": [3]}]
    )
    assert batch["input_ids"].tolist() == [[1, 2], [3, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["labels"].tolist() == [[-100, 2], [3, -100]]
