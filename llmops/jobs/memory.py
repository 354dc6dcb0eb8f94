"""How much memory a training or a generation takes, by its network and settings: pure arithmetic.

In: a `Network` and the blocks of a Recipe. Out: bytes of the rank that takes most, by what they
are for. On CPU that is resident memory (what `resources.memory` bounds, and what a worker reports
as its peak); on a GPU it is the device's memory, and the host's is not estimated.

Model states follow Rajbhandari et al., ZeRO (arXiv 1910.02054, section 3.1: weights, gradients,
optimizer states, and which of them each stage divides by the ranks). Activations follow the
counting of Korthikanti et al. (arXiv 2205.05198, section 4), done again for the layers of the
pinned Transformers, which keep other tensors than that paper's. What the worker itself does is
counted as it does it: it saves rank 0's weights, loads them again and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.jobs.network import Network, Uncounted

MIB = 2**20
# glibc keeps freed blocks below 32 MiB (its M_MMAP_THRESHOLD_MAX) in its heap. What a forward pass
# frees lies between what it keeps, and is used again only in part: so much of the activations in
# such blocks is resident beside them. Measured once for each way of training (a LoRA frees more
# between what it keeps); with MALLOC_MMAP_THRESHOLD_=1048576 it is 0, at the price of a page fault
# for every 4 KiB of every tensor. RESULTS.md has the runs.
HEAP_BLOCK = 32 * MIB
HOLES = {"full": 0.6, "lora": 0.9}
# Resident MiB of a worker that trained a network of 30,000 parameters on one row (16 tokens), on
# CPU with the pinned tools: `python -m tests.benchmarks.memory --base` (RESULTS.md has the runs).
BASE_MB = {"plain": 514.0, "deepspeed": 521.0, "zero": 563.0, "generate": 460.0}
REDUCE_BUCKET = 500_000_000  # DeepSpeed's default, in elements
FULL_STATES = 4  # float32 words of a trained weight: itself, its gradient, Adam's mean and variance
# What a LoRA block may say whose parameters are counted; anything else is not guessed.
_LORA_COUNTED = frozenset({
    "r", "lora_alpha", "lora_dropout", "target_modules", "bias", "task_type", "use_rslora",
    "init_lora_weights", "inference_mode", "fan_in_fan_out",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one rank at its two highest moments; the larger one is the estimate."""

    base: float  # interpreter, libraries: there whatever is trained
    training: float  # states, buffers and activations at the highest moment of a step
    checking: float  # what rank 0 holds while saved weights are compared

    @property
    def mb(self) -> float:
        """The peak in MiB."""
        return (self.base + max(self.training, self.checking)) / MIB


def adapter_parameters(network: Network, lora: Mapping[str, Any]) -> int:
    """Parameters that a LoRA adds: r x (in + out) for each matrix it attaches to.

    Raises Uncounted for a block that attaches otherwise.
    """
    for key, value in lora.items():
        if key not in _LORA_COUNTED and value not in (None, False, [], {}):
            raise Uncounted(f"lora.{key} is not counted")
    if lora.get("bias", "none") != "none":
        raise Uncounted("lora.bias is not counted")
    r = int(lora.get("r", 8))
    return sum(r * (m.into + m.out) * m.count for m in attached(network, lora))


def attached(network: Network, lora: Mapping[str, Any]) -> list[Any]:
    """The matrices that a LoRA block names. Raises Uncounted for a pattern or an unknown name."""
    asked = lora.get("target_modules") or network.lora_targets
    if asked == "all-linear":
        return list(network.linear)
    if isinstance(asked, str):
        raise Uncounted("lora.target_modules is a pattern")
    names = {str(name).rpartition(".")[2] for name in asked}
    if not names:
        raise Uncounted("PEFT has no default target_modules for this model type")
    found = [matrix for matrix in network.linear if matrix.name in names]
    if missing := names - {matrix.name for matrix in found}:
        raise Uncounted(f"lora.target_modules: no matrix is called {sorted(missing)[0]}")
    return found


@dataclass(frozen=True, slots=True)
class Setting:
    """What of a Recipe decides how much memory its training takes, besides the network.

    `trained`: parameters that learn. `weight`, `number`: bytes of a stored weight and of a
    computed number. `words`: float32 words that the optimizer keeps for each trained parameter.
    """

    trained: int
    ranks: int
    stage: int | None  # ZeRO; None is without DeepSpeed
    batch: int
    length: int
    accumulates: bool
    checkpointing: bool
    dropout: bool  # of a LoRA, which then keeps its own copy of what it reads
    lora: Mapping[str, Any] | None
    weight: int
    number: int
    words: int
    from_folder: bool
    on_gpu: bool = False
    offloaded: bool = False  # optimizer states are in the host's memory, not in the GPU's
    bucket: int = REDUCE_BUCKET


def setting(network: Network, recipe: Mapping[str, Any], ranks: int, **more: Any) -> Setting:
    """From a Recipe's blocks (`template`, `lora`, `training`, `deepspeed`).

    Raises Uncounted for an optimizer whose states are not known, or rows of unknown length.
    """
    training, lora = recipe.get("training") or {}, recipe.get("lora")
    deepspeed = recipe.get("deepspeed")
    zero = (deepspeed or {}).get("zero_optimization") or {}
    length = (recipe.get("template") or {}).get("max_length")
    if length is None:
        raise Uncounted("rows are as long as they are: template.max_length bounds them")
    half = any(
        training.get(name) or ((deepspeed or {}).get(name) or {}).get("enabled") is True
        for name in ("bf16", "fp16")
    )
    bucket = zero.get("reduce_bucket_size", REDUCE_BUCKET)
    return Setting(
        trained=network.parameters if lora is None else adapter_parameters(network, lora),
        ranks=ranks,
        stage=None if deepspeed is None else int(zero.get("stage", 0)),
        batch=int(training.get("per_device_train_batch_size", 8)),
        length=int(length),
        accumulates=_more_than_one(training.get("gradient_accumulation_steps", 1)),
        checkpointing=bool(training.get("gradient_checkpointing", False)),
        dropout=bool(lora and lora.get("lora_dropout")),
        lora=lora,
        weight=2 if half and deepspeed is not None else 4,
        number=2 if half else 4,
        words=_optimizer_words(training, deepspeed),
        offloaded=((zero.get("offload_optimizer") or {}).get("device", "none")) != "none",
        bucket=int(bucket) if isinstance(bucket, int | float) else REDUCE_BUCKET,
        **more,
    )


def _more_than_one(value: Any) -> bool:
    return isinstance(value, int | float) and value > 1


def _optimizer_words(training: Mapping[str, Any], deepspeed: Mapping[str, Any] | None) -> int:
    """Float32 words an optimizer keeps for each parameter: two for Adam (mean and variance)."""
    given = ((deepspeed or {}).get("optimizer") or {}).get("type")
    name = str(given or training.get("optim", "adamw_torch")).lower()
    if "8bit" in name or "4bit" in name or "paged" in name or name not in _KNOWN_OPTIMIZERS:
        raise Uncounted(f"the states of optimizer {name} are not counted")
    return _KNOWN_OPTIMIZERS[name]


_KNOWN_OPTIMIZERS: Mapping[str, int] = {
    "adamw": 2, "adam": 2, "adamw_torch": 2, "adamw_torch_fused": 2, "sgd": 0, "adagrad": 1,
    "rmsprop": 1, "lion": 1,
}  # fmt: skip


def training(network: Network, how: Setting) -> Memory:
    """The memory of the rank that takes most of a training: rank 0."""
    base = "plain" if how.stage is None else "deepspeed" if how.stage == 0 else "zero"
    if how.on_gpu:
        return Memory(0.0, _training(network, how), 0.0)
    return Memory(BASE_MB[base] * MIB, _training(network, how), _checking(network, how))


def _shared(how: Setting, stage: int) -> int:
    """By how many ranks a state is divided that ZeRO partitions from `stage` on."""
    return how.ranks if (how.stage or 0) >= stage else 1


def states(network: Network, how: Setting) -> float:
    """Bytes that stay from step to step: weights, their float32 copy, what the optimizer keeps.

    ZeRO keeps a float32 copy of the trained weights even where they are float32 already. At
    stage 3 a rank keeps its share; what it gathered stays while less than
    `stage3_max_live_parameters` (a billion) are in use, so small networks are there whole.
    """
    stage = how.stage or 0
    weights = float(network.parameters + (how.trained if how.lora is not None else 0))
    held = weights * how.weight
    if stage == 3:
        held = (weights / how.ranks + min(weights, MAX_LIVE)) * how.weight
    copied = 4 * how.trained / how.ranks if stage or how.weight == 2 else 0
    kept = 4 * how.words * how.trained / _shared(how, 1)
    if how.on_gpu and how.offloaded:
        copied = kept = 0
    return held + copied + kept


MAX_LIVE = 1_000_000_000


def _training(network: Network, how: Setting) -> float:
    """The highest moment of a step.

    Gradients come as activations go, from the last layer to the first. So it is the larger of
    two ends: all activations with the first (output layer's) gradients, or all gradients.
    """
    gradient = how.trained * how.weight
    first, last = activations(network, how) + holes(network, how), _gradients(how)
    if how.accumulates:
        first += gradient
    if how.stage and not how.on_gpu:
        first += min(how.bucket, how.trained) * how.weight  # the last step's bucket is still there
    return states(network, how) + max(first, last)


def _gradients(how: Setting) -> float:
    """All gradients at the end of a backward pass, with what the ranks reduce them in."""
    own = float(how.trained * how.weight)
    if how.stage is None:
        return own * (2 if how.ranks > 1 else 1)  # DistributedDataParallel copies into buckets
    if how.stage == 0:
        return own * (2 if how.ranks > 1 else 1)  # flattened to be reduced
    bucket = float(how.bucket if how.on_gpu else min(how.bucket, how.trained)) * how.weight
    share = 4 * how.trained / how.ranks
    return bucket + share + (own if how.stage == 1 else own / how.ranks)


def activations(network: Network, how: Setting) -> float:
    """Bytes kept for the backward pass, and those of the loss, at the end of the forward pass.

    The loss holds the logits' logarithms and two gradients of their size, in float32.
    """
    return _of_layers(network, how) + _of_loss(network, how)


def _of_layers(network: Network, how: Setting) -> float:
    layer = _per_layer(network, how)
    layers = network.layers * layer
    if how.checkpointing:  # the input of each layer, and one layer computed again
        layers = network.layers * network.hidden + layer
    return float(how.batch * how.length * layers * how.number)


def _of_loss(network: Network, how: Setting) -> float:
    return float(how.batch * how.length * network.vocab * 4 * 3)


def holes(network: Network, how: Setting) -> float:
    """Bytes of the host's heap that lie free between activations, and are resident all the same.

    They grow with the batch until its blocks are too large for the heap, and no further.
    """
    if how.on_gpu:
        return 0.0
    tokens, share = how.batch * how.length, HOLES["full" if how.lora is None else "lora"]
    widest = tokens * max(network.hidden, network.inner) * how.number
    scores = tokens * network.vocab * 4
    layers = _of_layers(network, how) * min(1.0, HEAP_BLOCK / widest)
    return share * (layers + _of_loss(network, how) * min(1.0, HEAP_BLOCK / scores))


def _per_layer(network: Network, how: Setting) -> float:
    """Numbers that one layer keeps for one token.

    Two norms keep what they read and what they made (and hand on, where a weight learns from
    it); attention keeps queries, keys, values and its output, once more as one row for the next
    matrix; a gated block keeps both halves, the activated one and their product.
    """
    norms = 4 * network.hidden + (2 * network.hidden if how.lora is None else 0)
    attention = 2 * network.attention + network.cached + network.attention
    block = (4 if network.gated else 2) * network.inner
    return norms + attention + block + _of_lora(network, how)


def _of_lora(network: Network, how: Setting) -> float:
    """What each matrix with a LoRA keeps: its input after dropout, a mask, and r numbers."""
    if how.lora is None:
        return 0.0
    r = int(how.lora.get("r", 8))
    found = attached(network, how.lora)
    per_layer = sum(m.into * m.count for m in found) / network.layers
    ranks = sum(r * m.count for m in found) / network.layers
    kept = per_layer * (1 + 1 / how.number) if how.dropout else 0.0
    return float(ranks + kept)


def _checking(network: Network, how: Setting) -> float:
    """Rank 0 after the last step: states, a copy of the weights to save, and bases to compare.

    The base is made again beside the trained model; a full model is also loaded back, through a
    mapped file whose pages count while it is read.
    """
    weights = float(network.parameters * 4)
    copy = weights if how.stage is not None else 0.0
    base = weights * (2 if how.from_folder else 1)
    back = 2 * weights if how.lora is None else 0.0
    left = 0.0
    if how.stage:
        left = min(how.bucket, how.trained) * how.weight
    elif how.stage is None and how.ranks > 1:
        left = how.trained * 4
    return states(network, how) + left + copy + base + back


def generation(network: Network, batch: int, tokens: int, on_gpu: bool = False) -> Memory:
    """At least this much, to answer: weights, keys and values of `tokens` tokens, scores."""
    cached = batch * tokens * network.layers * network.cached * 4
    scores = batch * network.vocab * 4 * 2
    base = 0.0 if on_gpu else BASE_MB["generate"] * MIB
    return Memory(base, float(network.parameters * 4 + cached + scores), 0.0)
