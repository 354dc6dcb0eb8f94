from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import torch

from llmops.workers.choice import Choices, choose
from llmops.workers.contract import WorkerError
from llmops.workers.decode import Decoder, by_length

LABELS = {
    "a": (5, 6, 9),
    "ab": (5, 6, 7, 9),
    "abc": (5, 6, 7, 8, 9),
    "b": (4, 9),
    "c": (3, 3, 3, 9),
    "d": (3, 3, 4, 9),
}


@pytest.fixture(scope="module")
def model() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=24,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    return LlamaForCausalLM(config).eval()


def prompts(count: int) -> list[list[int]]:
    dice = random.Random(7)
    return [[dice.randrange(24) for _ in range(dice.randrange(1, 12))] for _ in range(count)]


def plainly(model: Any, prompt: list[int]) -> str:
    """The definition: at each position the best allowed token, one whole forward pass each."""
    written: tuple[int, ...] = ()
    while True:
        allowed = sorted(
            {ids[len(written)] for ids in LABELS.values() if ids[: len(written)] == written}
        )
        logits = model(torch.tensor([[*prompt, *written]])).logits[0, -1]
        written += (max(allowed, key=lambda token: float(logits[token])),)
        for label, ids in LABELS.items():
            if ids == written:
                return label


def test_choices_are_those_of_plain_greedy_decoding_and_all_labels_occur(model: Any) -> None:
    asked = prompts(150)
    with torch.inference_mode():
        expected = [plainly(model, prompt) for prompt in asked]
        found = choose(Decoder(model, asked, 0), Choices.of(LABELS), len(asked))
    assert found == expected
    assert set(expected) >= {"a", "ab", "b", "c", "d"}


def test_a_choice_does_not_depend_on_its_batch(model: Any) -> None:
    asked, choices = prompts(40), Choices.of(LABELS)
    with torch.inference_mode():
        together = choose(Decoder(model, asked, 0), choices, len(asked))
        alone = [choose(Decoder(model, [prompt], 0), choices, 1)[0] for prompt in asked]
    assert together == alone


def test_a_single_label_needs_no_decision(model: Any) -> None:
    with torch.inference_mode():
        found = choose(Decoder(model, prompts(3), 0), Choices.of({"x": (1, 2)}), 3)
    assert found == ["x", "x", "x"]


def test_of_equally_probable_tokens_the_lowest_is_taken(model: Any) -> None:
    with torch.inference_mode():
        decoder = Decoder(model, prompts(1), 0)
        decoder.logits = torch.zeros_like(decoder.logits)
        found = choose(decoder, Choices.of({"high": (9, 1), "low": (2, 1), "mid": (5, 1)}), 1)
    assert found == ["low"]


def test_scores_that_are_no_numbers_choose_nothing(model: Any) -> None:
    with torch.inference_mode():
        decoder = Decoder(model, prompts(3), 0)
        decoder.logits = decoder.logits.clone()
        decoder.logits[1] = torch.nan
        found = choose(decoder, Choices.of(LABELS), 3)
    assert found[1] is None
    assert None not in (found[0], found[2])


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ({}, "no label"),
        ({"a": (1, 2), "b": (1, 2)}, 'labels "a" and "b" are the same tokens'),
        ({"a": (1,), "b": (1, 2)}, 'label "a" is the beginning of another'),
        ({"b": (1, 2), "a": (1,)}, 'label "a" is the beginning of another'),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(labels: Any, complaint: str) -> None:
    with pytest.raises(WorkerError, match=complaint):
        Choices.of(labels)


def test_batches_by_length_hold_every_row_once_and_are_sorted() -> None:
    lengths = [3, 9, 1, 9, 4, 2, 7]
    batches = list(by_length(lengths, 3))
    flat = list(itertools.chain(*batches))
    assert sorted(flat) == list(range(7))
    assert [lengths[i] for i in flat] == sorted(lengths, reverse=True)
    assert [len(batch) for batch in batches] == [3, 3, 1]
