"""A Transformers config -> what its network is made of, exactly: every matrix, every parameter.

In: `init.architecture` of a Model (verbatim keys of the pinned Transformers) and its vocabulary.
Out: `Network`, by which memory is estimated. Nothing of torch is needed: the shapes are written
down for each model type that `init` knows, and a test builds each of them to compare. What a
config can say and this does not count is `Uncounted`, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.specs.upstream import sizes


class Uncounted(Exception):
    """This config says something whose parameters are not counted; the text says what."""


@dataclass(frozen=True, slots=True)
class Linear:
    """`count` equal matrices of one name: what LoRA can attach to."""

    name: str
    into: int
    out: int
    count: int
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Of all of them together."""
        return self.count * (self.into * self.out + (self.out if self.bias else 0))


@dataclass(frozen=True, slots=True)
class Network:
    """A causal language model by its sizes.

    `other` counts what is in no `linear`: embeddings, norms, routed experts, the output layer.
    `attention` is the width of all heads together, `cached` that of keys and values of one token
    in one layer, `inner` the width inside a feed-forward block (of the experts that one token
    meets), `gated` whether two matrices lead into it.
    """

    hidden: int
    layers: int
    vocab: int
    attention: int
    cached: int
    inner: int
    gated: bool
    linear: tuple[Linear, ...]
    other: int
    lora_targets: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Of the whole network; tied matrices count once."""
        return self.other + sum(matrix.parameters for matrix in self.linear)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The keys of one config, aliases resolved, defaults of the pinned version below."""

    given: Mapping[str, Any]
    vocab: int

    def number(self, name: str, otherwise: int | None = None) -> int:
        """A size, or what it is when it is not said."""
        found = self.given.get(name)
        if found is None:
            found = otherwise
        if not isinstance(found, int) or isinstance(found, bool):
            raise Uncounted(f"{name} has no value")
        return found

    def says(self, name: str) -> bool:
        """A switch."""
        return bool(self.given.get(name))

    def head_dim(self, heads: int) -> int:
        """The width of one head."""
        return self.number("head_dim", self.number("hidden_size") // heads)


def network(architecture: Mapping[str, Any], vocab: int | None) -> Network:
    """The network of a config; `vocab` counts where the config names no `vocab_size`.

    Raises Uncounted for a model type or key whose parameters are not known.
    """
    name = str(architecture.get("model_type"))
    known = sizes(name)
    if known is None or name not in _FAMILIES:
        raise Uncounted(f"nothing is known of model_type {name}")
    aliases: Mapping[str, str] = known["aliases"]
    said = {aliases.get(k, k): v for k, v in architecture.items()}
    size = said.get("vocab_size") or vocab
    if not isinstance(size, int):
        raise Uncounted("the vocabulary is not known")
    merged = _Sizes({**known["defaults"], **said}, size)
    found = _FAMILIES[name](merged)
    tied = 0 if merged.says("tie_word_embeddings") else size * _width_of_words(merged)
    return Network(
        hidden=merged.number(_HIDDEN.get(name, "hidden_size")),
        layers=found.layers,
        vocab=size,
        attention=found.attention,
        cached=found.cached,
        inner=found.inner,
        gated=found.gated,
        linear=tuple(m for m in found.linear if m.count),
        other=found.other + size * _width_of_words(merged) + tied,
        lora_targets=tuple(known["lora_targets"]),
    )


_HIDDEN = {"gpt2": "n_embd", "mpt": "d_model"}


def _width_of_words(c: _Sizes) -> int:
    names = ("word_embed_proj_dim", "n_embd", "d_model", "hidden_size")
    return next(c.number(name) for name in names if c.given.get(name) is not None)


@dataclass(frozen=True, slots=True)
class _Body:
    """A network without its word embeddings and output layer."""

    layers: int
    attention: int
    cached: int
    inner: int
    gated: bool
    linear: tuple[Linear, ...]
    other: int


# Llama and its many relatives: separate projections, a gated feed-forward block, RMS norms.


@dataclass(frozen=True, slots=True)
class _Norms:
    """Norms of a relative of Llama: whole-width ones a layer, and those of queries and keys."""

    each_layer: int = 2
    width: int = 1  # 2 where a norm has a bias too
    heads: str = ""  # "" none, "one" a shared one, "each" one for every head


def _llama(
    c: _Sizes,
    norms: _Norms = _Norms(),
    *,
    qkv_bias: bool | None = None,
    out_bias: bool | None = None,
    experts: Callable[[_Sizes, int], _Experts] | None = None,
) -> _Body:
    h, layers = c.number("hidden_size"), c.number("num_hidden_layers")
    heads = c.number("num_attention_heads")
    pairs = c.number("num_key_value_heads", heads)
    dim = c.head_dim(heads)
    bias = c.says("attention_bias")
    projections = (
        Linear("q_proj", h, heads * dim, layers, bias if qkv_bias is None else qkv_bias),
        Linear("k_proj", h, pairs * dim, layers, bias if qkv_bias is None else qkv_bias),
        Linear("v_proj", h, pairs * dim, layers, bias if qkv_bias is None else qkv_bias),
        Linear("o_proj", heads * dim, h, layers, bias if out_bias is None else out_bias),
    )
    found = experts(c, layers) if experts else _dense(c, layers)
    of_heads = {"": 0, "one": 2 * dim, "each": (heads + pairs) * dim}[norms.heads]
    other = norms.width * h * (layers * norms.each_layer + 1) + layers * of_heads
    return _Body(
        layers, heads * dim, 2 * pairs * dim, found.inner, True,
        (*projections, *found.linear), other + found.other,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Experts:
    """The feed-forward part of all layers."""

    linear: tuple[Linear, ...]
    other: int
    inner: int


def _gated(h: int, inner: int, count: int, bias: bool = False) -> tuple[Linear, ...]:
    return (
        Linear("gate_proj", h, inner, count, bias),
        Linear("up_proj", h, inner, count, bias),
        Linear("down_proj", inner, h, count, bias),
    )


def _dense(c: _Sizes, layers: int) -> _Experts:
    inner = c.number("intermediate_size")
    return _Experts(_gated(c.number("hidden_size"), inner, layers, c.says("mlp_bias")), 0, inner)


def _mixtral_experts(c: _Sizes, layers: int) -> _Experts:
    h, inner, n = (
        c.number("hidden_size"),
        c.number("intermediate_size"),
        c.number("num_local_experts"),
    )
    routed = layers * n * (3 * h * inner + h)
    return _Experts((), routed, inner * c.number("num_experts_per_tok"))


def _qwen_experts(c: _Sizes, layers: int) -> _Experts:
    """Every `decoder_sparse_step`-th layer has experts, but for those in `mlp_only_layers`."""
    h, inner = c.number("hidden_size"), c.number("moe_intermediate_size")
    n = next(c.number(k) for k in ("num_experts", "num_local_experts") if k in c.given)
    step, plain = c.number("decoder_sparse_step"), c.given.get("mlp_only_layers") or ()
    sparse = sum(n > 0 and i not in plain and (i + 1) % step == 0 for i in range(layers))
    shared = c.given.get("shared_expert_intermediate_size")
    routed = sparse * n * (3 * h * inner + h)
    dense = _gated(h, c.number("intermediate_size"), layers - sparse)
    met = inner * c.number("num_experts_per_tok")
    if shared is None:
        return _Experts(dense, routed, met if sparse else c.number("intermediate_size"))
    beside = (*_gated(h, shared, sparse), Linear("shared_expert_gate", h, 1, sparse))
    return _Experts((*dense, *beside), routed, met + shared)


def _stablelm(c: _Sizes) -> _Body:
    heads = "each" if c.says("qk_layernorm") else ""
    body = _llama(
        c, _Norms(1 if c.says("use_parallel_residual") else 2, 2, heads),
        qkv_bias=c.says("use_qkv_bias"), out_bias=False,
    )  # fmt: skip
    return body


def _cohere(c: _Sizes) -> _Body:
    return _llama(c, _Norms(1, 1, "each" if c.says("use_qk_norm") else ""))


def _merged(c: _Sizes, body: _Body, *, attention: bool) -> _Body:
    """The same, with gate and up in one matrix (and queries, keys and values, if asked)."""
    h, inner, layers = c.number("hidden_size"), body.inner, body.layers
    kept = [m for m in body.linear if m.name not in ("gate_proj", "up_proj")]
    if attention:
        kept = [m for m in kept if m.name not in ("q_proj", "k_proj", "v_proj")]
        kept.append(Linear("qkv_proj", h, body.attention + body.cached, layers))
    merged = (*kept, Linear("gate_up_proj", h, 2 * inner, layers))
    return _Body(layers, body.attention, body.cached, inner, True, merged, body.other)


def _deepseek(c: _Sizes) -> _Body:
    """Latent attention, dense layers first, then routed and shared experts."""
    h, layers, heads = (
        c.number(k) for k in ("hidden_size", "num_hidden_layers", "num_attention_heads")
    )
    rope, plain = c.number("qk_rope_head_dim"), c.number("qk_nope_head_dim")
    latent, v = c.number("kv_lora_rank"), c.number("v_head_dim")
    bias, rank = c.says("attention_bias"), c.given.get("q_lora_rank")
    q = heads * (rope + plain)
    queries = (
        (Linear("q_proj", h, q, layers),)
        if rank is None
        else (Linear("q_a_proj", h, rank, layers, bias), Linear("q_b_proj", rank, q, layers))
    )
    attention = (
        *queries,
        Linear("kv_a_proj_with_mqa", h, latent + rope, layers, bias),
        Linear("kv_b_proj", latent, heads * (plain + v), layers),
        Linear("o_proj", heads * v, h, layers, bias),
    )
    dense = min(layers, c.number("first_k_dense_replace"))
    n, inner = c.number("n_routed_experts"), c.number("moe_intermediate_size")
    shared = inner * c.number("n_shared_experts")
    blocks = [*_gated(h, c.number("intermediate_size"), dense), *_gated(h, shared, layers - dense)]
    routed = (layers - dense) * n * (3 * h * inner + h)
    norms = h * (2 * layers + 1) + layers * (latent + (rank or 0))
    met = inner * c.number("num_experts_per_tok") + shared
    cached = heads * (rope + plain + v)
    return _Body(layers, heads * v, cached, met, True, (*attention, *blocks), routed + norms)


# The older families: biases, layer norms with a bias, one matrix into the feed-forward block.


def _gpt2(c: _Sizes) -> _Body:
    h, layers = c.number("n_embd"), c.number("n_layer")
    inner = c.number("n_inner", 4 * h)
    if c.says("add_cross_attention"):
        raise Uncounted("add_cross_attention is not counted")
    linear = (
        Linear("c_attn", h, 3 * h, layers, True), Linear("c_proj", h, h, layers, True),
        Linear("c_fc", h, inner, layers, True), Linear("c_proj", inner, h, layers, True),
    )  # fmt: skip
    other = c.number("n_positions") * h + 2 * h * (2 * layers + 1)
    return _Body(layers, h, 2 * h, inner, False, linear, other)


def _gpt_neo(c: _Sizes) -> _Body:
    h, layers = c.number("hidden_size"), c.number("num_layers")
    inner = c.number("intermediate_size", 4 * h)
    linear = (
        *(Linear(name, h, h, layers) for name in ("k_proj", "v_proj", "q_proj")),
        Linear("out_proj", h, h, layers, True),
        Linear("c_fc", h, inner, layers, True), Linear("c_proj", inner, h, layers, True),
    )  # fmt: skip
    other = c.number("max_position_embeddings") * h + 2 * h * (2 * layers + 1)
    return _Body(layers, h, 2 * h, inner, False, linear, other)


def _gpt_neox(c: _Sizes) -> _Body:
    h, layers = c.number("hidden_size"), c.number("num_hidden_layers")
    inner, bias = c.number("intermediate_size"), c.says("attention_bias")
    return _Body(
        layers, h, 2 * h, inner, False,
        _to_4h(h, 3 * h, inner, layers, bias, True), 2 * h * (2 * layers + 1),
    )  # fmt: skip


def _to_4h(
    h: int, qkv: int, inner: int, layers: int, bias: bool, mlp_bias: bool
) -> tuple[Linear, ...]:
    return (
        Linear("query_key_value", h, qkv, layers, bias),
        Linear("dense", h, h, layers, bias),
        Linear("dense_h_to_4h", h, inner, layers, mlp_bias),
        Linear("dense_4h_to_h", inner, h, layers, mlp_bias),
    )


def _bloom(c: _Sizes) -> _Body:
    h, layers = c.number("hidden_size"), c.number("n_layer")
    linear = _to_4h(h, 3 * h, 4 * h, layers, True, True)
    return _Body(layers, h, 2 * h, 4 * h, False, linear, 2 * h * (2 * layers + 2))


def _falcon(c: _Sizes) -> _Body:
    h, layers = c.number("hidden_size"), c.number("num_hidden_layers")
    heads, bias = c.number("num_attention_heads"), c.says("bias")
    dim, inner = h // heads, c.number("ffn_hidden_size", 4 * h)
    new, parallel = c.says("new_decoder_architecture"), c.says("parallel_attn")
    pairs = c.number("num_kv_heads", heads) if new else 1 if c.says("multi_query") else heads
    two = c.number("num_ln_in_parallel_attn", 2 if new else 1) == 2
    norms = 1 if parallel and not two else 2
    linear = _to_4h(h, h + 2 * pairs * dim, inner, layers, bias, bias)
    return _Body(layers, h, 2 * pairs * dim, inner, False, linear, 2 * h * (norms * layers + 1))


def _mpt(c: _Sizes) -> _Body:
    h, layers = c.number("d_model"), c.number("n_layers")
    linear = (
        Linear("Wqkv", h, 3 * h, layers), Linear("out_proj", h, h, layers),
        Linear("up_proj", h, 4 * h, layers), Linear("down_proj", 4 * h, h, layers),
    )  # fmt: skip
    return _Body(layers, h, 2 * h, 4 * h, False, linear, h * (2 * layers + 1))


def _opt(c: _Sizes) -> _Body:
    h, layers, inner = c.number("hidden_size"), c.number("num_hidden_layers"), c.number("ffn_dim")
    bias, words = c.says("enable_bias"), c.number("word_embed_proj_dim", h)
    names = ("k_proj", "v_proj", "q_proj", "out_proj")
    linear = (
        *(Linear(name, h, h, layers, bias) for name in names),
        Linear("fc1", h, inner, layers, bias), Linear("fc2", inner, h, layers, bias),
        *((Linear("project_in", words, h, 1), Linear("project_out", h, words, 1))
          if words != h else ()),
    )  # fmt: skip
    last = c.says("do_layer_norm_before") and not c.says("_remove_final_layer_norm")
    norm = 2 * h if c.says("layer_norm_elementwise_affine") else 0
    positions = (c.number("max_position_embeddings") + 2) * h
    return _Body(layers, h, 2 * h, inner, False, linear, positions + norm * (2 * layers + last))


def _phi(c: _Sizes) -> _Body:
    h, layers, inner = (
        c.number(k) for k in ("hidden_size", "num_hidden_layers", "intermediate_size")
    )
    heads = c.number("num_attention_heads")
    pairs, dim = c.number("num_key_value_heads", heads), c.head_dim(heads)
    linear = (
        Linear("q_proj", h, heads * dim, layers, True),
        Linear("k_proj", h, pairs * dim, layers, True),
        Linear("v_proj", h, pairs * dim, layers, True),
        Linear("dense", heads * dim, h, layers, True),
        Linear("fc1", h, inner, layers, True), Linear("fc2", inner, h, layers, True),
    )  # fmt: skip
    of_heads = 4 * (h // heads) if c.says("qk_layernorm") else 0
    other = 2 * h * (layers + 1) + layers * of_heads + c.vocab  # the output layer has a bias
    return _Body(layers, heads * dim, 2 * pairs * dim, inner, False, linear, other)


_FAMILIES: Mapping[str, Callable[[_Sizes], _Body]] = {
    "bloom": _bloom,
    "cohere": _cohere,
    "deepseek_v3": _deepseek,
    "falcon": _falcon,
    "gemma": _llama,
    "gemma2": lambda c: _llama(c, _Norms(4)),
    "gemma3_text": lambda c: _llama(c, _Norms(4, heads="one")),
    "glm4": lambda c: _merged(c, _llama(c, _Norms(4), out_bias=False), attention=False),
    "gpt2": _gpt2,
    "gpt_neo": _gpt_neo,
    "gpt_neox": _gpt_neox,
    "granite": _llama,
    "llama": _llama,
    "mistral": lambda c: _llama(c, qkv_bias=False, out_bias=False),
    "mixtral": lambda c: _llama(c, qkv_bias=False, out_bias=False, experts=_mixtral_experts),
    "mpt": _mpt,
    "olmo2": lambda c: _llama(c, _Norms(heads="each")),
    "opt": _opt,
    "phi": _phi,
    "phi3": lambda c: _merged(c, _llama(c, qkv_bias=False, out_bias=False), attention=True),
    "qwen2": lambda c: _llama(c, qkv_bias=True, out_bias=False),
    "qwen2_moe": lambda c: _llama(
        c, qkv_bias=c.says("qkv_bias"), out_bias=False, experts=_qwen_experts
    ),
    "qwen3": lambda c: _llama(c, _Norms(heads="one")),
    "qwen3_moe": lambda c: _llama(c, _Norms(heads="one"), experts=_qwen_experts),
    "smollm3": _llama,
    "stablelm": _stablelm,
}
