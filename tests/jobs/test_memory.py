"""Laws of the memory arithmetic: what takes more of something never needs less memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.jobs import memory
from llmops.jobs.network import Network, Uncounted, network

LORA = {"r": 8, "lora_dropout": 0.05, "target_modules": ["q_proj", "down_proj"]}


def net(hidden: int = 64, layers: int = 2, vocab: int = 512) -> Network:
    made = {
        "model_type": "llama", "hidden_size": hidden, "intermediate_size": 3 * hidden,
        "num_hidden_layers": layers, "num_attention_heads": 4,
    }  # fmt: skip
    return network(made, vocab)


def how(made: Network, ranks: int = 1, **blocks: Any) -> memory.Setting:
    recipe = {"template": {"max_length": 64}, **blocks}
    return memory.setting(made, recipe, ranks, from_folder=False)


networks = st.builds(
    net,
    hidden=st.sampled_from((16, 64, 512, 4096)),
    layers=st.integers(1, 40),
    vocab=st.sampled_from((300, 8192, 150_000)),
)
stages = st.sampled_from((None, 0, 1, 2, 3))


def deepspeed(stage: int | None) -> dict[str, Any]:
    return {} if stage is None else {"deepspeed": {"zero_optimization": {"stage": stage}}}


@given(networks, st.integers(1, 64), st.sampled_from((None, LORA)))
def test_more_ranks_under_zero_3_never_need_more_per_rank(
    made: Network, ranks: int, lora: Any
) -> None:
    one = how(made, ranks, lora=lora, **deepspeed(3))
    assert memory.training(made, replace(one, ranks=ranks + 1)).mb <= memory.training(made, one).mb


@given(networks, stages, st.integers(1, 8))
def test_a_lora_keeps_less_than_a_full_training(
    made: Network, stage: int | None, ranks: int
) -> None:
    full, lora = (how(made, ranks, lora=x, **deepspeed(stage)) for x in (None, LORA))
    assert lora.trained < full.trained
    assert memory.states(made, lora) < memory.states(made, full)


@given(networks, stages, st.integers(1, 64), st.integers(2, 4096), st.sampled_from((None, LORA)))
def test_longer_rows_and_larger_batches_never_need_less(
    made: Network, stage: int | None, batch: int, length: int, lora: Any
) -> None:
    one = replace(how(made, 2, lora=lora, **deepspeed(stage)), batch=batch, length=length)
    taken = memory.training(made, one).mb
    assert memory.training(made, replace(one, batch=batch + 1)).mb >= taken
    assert memory.training(made, replace(one, length=length + 1)).mb >= taken


@given(st.integers(2, 40), stages, st.integers(1, 8))
def test_checkpointing_several_layers_never_needs_more(
    layers: int, stage: int | None, ranks: int
) -> None:
    made = net(layers=layers)
    plain = how(made, ranks, **deepspeed(stage))
    saved = replace(plain, checkpointing=True)
    assert memory.activations(made, saved) <= memory.activations(made, plain)


def test_lora_parameters_are_r_times_the_sides_of_each_matrix() -> None:
    made = net(hidden=64, layers=2)
    found = memory.adapter_parameters(made, {"r": 4, "target_modules": ["q_proj", "v_proj"]})
    assert found == 4 * (64 + 64) * 2 * 2


def test_without_target_modules_pefts_own_for_the_model_type_count() -> None:
    made = net()
    named = {"r": 8, "target_modules": ["q_proj", "v_proj"]}
    assert memory.adapter_parameters(made, {"r": 8}) == memory.adapter_parameters(made, named)


@pytest.mark.parametrize(
    "lora",
    [
        {"target_modules": ".*_proj"}, {"target_modules": ["c_attn"]}, {"use_dora": True},
        {"rank_pattern": {"q_proj": 2}}, {"bias": "all"},
    ],
)  # fmt: skip
def test_a_lora_that_attaches_otherwise_is_not_guessed(lora: dict[str, Any]) -> None:
    with pytest.raises(Uncounted):
        memory.adapter_parameters(net(), lora)


def test_an_optimizer_of_unknown_states_is_not_guessed() -> None:
    with pytest.raises(Uncounted, match="adafactor"):
        how(net(), training={"optim": "adafactor"})
