"""The probability of a label is that of its tokens where only labels may be written."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from llmops.workers.choice import Choices, choose
from llmops.workers.decode import Decoder
from llmops.workers.likelihood import of_batch

PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13]]
LABELS = {
    "a": (20, 1), "ab": (20, 21, 1), "ac": (20, 22, 23, 1), "b": (30, 31, 32, 1),
    "bd": (30, 31, 33, 1), "c": (40, 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        "llama", vocab_size=50, hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, initializer_range=0.5, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()  # type: ignore[no-any-return]


def plainly(model: torch.nn.Module, prompt: list[int]) -> dict[str, float]:
    """Each label's probability, one token and one forward pass at a time, without batch or trie."""
    found = {}
    for label, ids in LABELS.items():
        logs = 0.0
        for place, token in enumerate(ids):
            same = [other for other in LABELS.values() if other[:place] == ids[:place]]
            allowed = sorted({other[place] for other in same if len(other) > place})
            text = torch.tensor([[*prompt, *ids[:place]]])
            scores = model(text).logits[0, -1, allowed].double().log_softmax(0)
            logs += float(scores[allowed.index(token)])
        found[label] = math.exp(logs)
    return found


@torch.inference_mode()
def test_probabilities_are_those_of_the_allowed_tokens(model: torch.nn.Module) -> None:
    choices = Choices.of(LABELS)
    found = of_batch(Decoder(model, PROMPTS, 0), choices, len(PROMPTS))
    for prompt, likely in zip(PROMPTS, found, strict=True):
        wanted = plainly(model, prompt)
        assert sum(likely.probabilities) == pytest.approx(1)
        assert dict(zip(choices.labels, likely.probabilities, strict=True)) == pytest.approx(
            wanted, abs=1e-5
        )


@torch.inference_mode()
def test_the_answer_is_the_one_that_is_chosen_without_probabilities(
    model: torch.nn.Module,
) -> None:
    choices = Choices.of(LABELS)
    prompts = [list(p) for p in itertools.product(range(5, 15), range(5, 9))]
    likely = of_batch(Decoder(model, prompts, 0), choices, len(prompts))
    chosen = choose(Decoder(model, prompts, 0), choices, len(prompts))
    assert [one.answer for one in likely] == chosen
    assert len(set(chosen)) > 1


@torch.inference_mode()
def test_a_peek_leaves_the_prompts_as_they_were(model: torch.nn.Module) -> None:
    peeking, plain = Decoder(model, PROMPTS, 0), Decoder(model, PROMPTS, 0)
    peeking.peek((20, 21, 22))
    for decoder in (peeking, plain):
        decoder.feed(torch.tensor([9, 9, 9]))
    assert torch.equal(peeking.logits, plain.logits)


@torch.inference_mode()
def test_scores_that_are_no_numbers_are_no_answer(model: torch.nn.Module) -> None:
    decoder = Decoder(model, PROMPTS, 0)
    decoder.logits[1] = math.nan
    found = of_batch(decoder, Choices.of(LABELS), len(PROMPTS))
    assert [bool(likely.error) for likely in found] == [False, True, False]
    assert found[1].answer == ""
