"""The parameters that `llmops.jobs.network` counts are those that Transformers makes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from llmops.jobs.network import Network, network
from tests.tools.upstream_keys import MODEL_TYPES

SMALL: dict[str, Any] = {
    "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 4,
    "vocab_size": 90, "max_position_embeddings": 64,
}  # fmt: skip
# What is said otherwise, or what a small network of this type must say too.
OWN: dict[str, dict[str, Any]] = {
    "bloom": {"hidden_size": 48, "n_layer": 3, "n_head": 4, "vocab_size": 90},
    "mpt": {"d_model": 48, "n_layers": 3, "n_heads": 4, "vocab_size": 90, "max_seq_len": 64},
    "gpt2": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_inner": 100, "vocab_size": 90},
    "gpt_neo": {
        "hidden_size": 48, "num_layers": 2, "attention_types": [[["global", "local"], 1]],
        "num_heads": 4, "vocab_size": 90,
    },
    "opt": {
        "hidden_size": 48, "ffn_dim": 80, "num_hidden_layers": 3, "num_attention_heads": 4,
        "vocab_size": 90, "word_embed_proj_dim": 32,
    },
    "falcon": {
        "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "vocab_size": 90
    },
    "deepseek_v3": {
        **SMALL, "moe_intermediate_size": 24, "n_routed_experts": 8, "n_group": 2, "topk_group": 1,
        "num_experts_per_tok": 2, "kv_lora_rank": 16, "q_lora_rank": 24, "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8, "v_head_dim": 12, "first_k_dense_replace": 1,
    },
    "mixtral": {**SMALL, "num_local_experts": 4},
    "phi3": {**SMALL, "pad_token_id": 0}, "smollm3": {**SMALL, "pad_token_id": 0},
    "glm4": {**SMALL, "pad_token_id": 0},
    "qwen2_moe": {
        **SMALL, "moe_intermediate_size": 24, "num_experts": 4, "num_key_value_heads": 4,
        "shared_expert_intermediate_size": 40, "decoder_sparse_step": 2,
    },
    "qwen3_moe": {
        **SMALL, "moe_intermediate_size": 24, "num_experts": 4, "mlp_only_layers": [1],
    },
}  # fmt: skip
SWITCHES: list[tuple[str, dict[str, Any]]] = [
    ("llama", {"attention_bias": True, "mlp_bias": True, "head_dim": 20}),
    ("llama", {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    ("mistral", {"num_key_value_heads": 4, "head_dim": 16}),
    ("granite", {"attention_bias": True, "mlp_bias": True}),
    ("gemma", {"attention_bias": True, "num_key_value_heads": 1}),
    ("gemma3_text", {"attention_bias": True, "tie_word_embeddings": False}),
    ("olmo2", {"attention_bias": True, "num_key_value_heads": 2}),
    ("cohere", {"use_qk_norm": True, "attention_bias": True, "num_key_value_heads": 2}),
    ("stablelm", {"use_qkv_bias": True, "qk_layernorm": True, "num_key_value_heads": 2}),
    ("stablelm", {"use_parallel_residual": True, "num_key_value_heads": 4}),
    ("phi", {"qk_layernorm": True, "num_key_value_heads": 2}),
    ("phi", {"tie_word_embeddings": True}),
    ("glm4", {"attention_bias": False}),
    ("qwen2_moe", {"qkv_bias": False}),
    ("qwen3", {"attention_bias": True, "head_dim": 24}),
    ("qwen3_moe", {"attention_bias": True, "decoder_sparse_step": 2}),
    ("deepseek_v3", {"q_lora_rank": None}),
    ("deepseek_v3", {"attention_bias": True, "n_shared_experts": 2}),
    ("gpt_neox", {"attention_bias": False}),
    ("opt", {"enable_bias": False, "word_embed_proj_dim": 48}),
    ("opt", {"layer_norm_elementwise_affine": False, "do_layer_norm_before": False}),
    ("falcon", {"new_decoder_architecture": True, "num_kv_heads": 2, "bias": True}),
    ("falcon", {"multi_query": False, "parallel_attn": False, "alibi": True}),
    ("falcon", {"ffn_hidden_size": 100, "num_ln_in_parallel_attn": 2}),
    ("smollm3", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False}),
    ("gpt2", {"n_inner": None, "tie_word_embeddings": False}),
]


def made(architecture: dict[str, Any]) -> Any:
    """The real model, without memory for its weights."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(**architecture))


def agree(architecture: dict[str, Any]) -> Network:
    """Compares every matrix and the whole."""
    ours, theirs = network(architecture, None), made(architecture)
    linear: dict[tuple[str, int, int], int] = {}
    for name, module in theirs.named_modules():
        last = name.rpartition(".")[2]
        if type(module).__name__ == "Linear" and module is not theirs.get_output_embeddings():
            key = (last, module.in_features, module.out_features)
        elif type(module).__name__ in ("FalconLinear", "Conv1D"):
            key = (last, *module.weight.shape)
            key = key if type(module).__name__ == "Conv1D" else (last, key[2], key[1])
        else:
            continue
        linear[key] = linear.get(key, 0) + 1
    assert {(m.name, m.into, m.out): m.count for m in ours.linear} == linear
    assert ours.parameters == sum(p.numel() for p in theirs.parameters())
    return ours


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_parameters_are_those_of_transformers_for_every_model_type(name: str) -> None:
    agree({"model_type": name, **OWN.get(name, SMALL)})


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_the_defaults_of_a_model_type_are_those_of_transformers(name: str) -> None:
    given = {"model_type": name}
    vocabulary = AutoConfig.for_model(name).vocab_size
    expected = sum(p.numel() for p in made(given).parameters())
    assert network(given, vocabulary).parameters == expected


@pytest.mark.parametrize(("name", "switch"), SWITCHES)
def test_switches_of_a_config_change_the_count_as_they_change_the_model(
    name: str, switch: dict[str, Any]
) -> None:
    agree({"model_type": name, **OWN.get(name, SMALL), **switch})
