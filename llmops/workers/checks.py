"""What must be true of trained weights before there is a result.

In: the base, the weights that training left, and what was saved of them. Out: "" or the reason
why this is a quality failure (not finite, nothing learned, merging changes the answers). Saved
bytes that do not load back as they were are our own fault: WorkerError.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from llmops.workers import models
from llmops.workers.contract import WorkerError

State = Mapping[str, torch.Tensor]


def not_finite(state: State) -> str:
    """Names the weights that hold a NaN or an infinity, or ""."""
    bad = sorted(name for name, tensor in state.items() if not torch.isfinite(tensor).all())
    return f'{len(bad)} trained tensors are not finite, first "{bad[0]}"' if bad else ""


def full_model(base: Any, state: State, folder: Path) -> str:
    """Checks a fully trained model: it loads back as trained, and differs from its base."""
    saved = models.from_folder(folder).model.state_dict()
    for name, tensor in state.items():
        if name not in saved or not _same(saved[name], tensor):
            raise WorkerError(f'the saved model does not load back as trained: "{name}"')
    before = base.state_dict()
    if all(_same(before[name], tensor) for name, tensor in saved.items()):
        return "training changed no weight: the model equals its base"
    return ""


def adapter(base: models.Base, state: State, folder: Path, probe: list[list[int]]) -> str:
    """Checks a trained adapter: it loads back, changes its base, and can be merged into it.

    The base's own weights must have stayed as they were, or the adapter alone would not be what
    was trained. Merged and not merged must agree on the probe within 1 % of the largest logit.
    """
    before = base.model.state_dict()
    if moved := _moved(before, state):
        return f'training changed the base itself ("{moved}"): the adapter alone is not the model'
    saved = load_file(folder / "adapter_model.safetensors")
    apart = models.with_adapter(base.model, folder).eval()
    _loads_back(apart.state_dict(), state, saved)
    with_it = _logits(apart, probe, base.tokenizer.pad_token_id)
    with apart.disable_adapter():
        without = _logits(apart, probe, base.tokenizer.pad_token_id)
    if torch.equal(with_it, without):
        return "training changed nothing: the adapter's answers equal those of its base"
    together = _logits(models.merged(apart), probe, base.tokenizer.pad_token_id)
    return disagreement(with_it, together)


def disagreement(apart: torch.Tensor, together: torch.Tensor) -> str:
    """Why merged logits are not those of the adapter, or "" if they agree."""
    largest = float(apart.abs().max())
    gap = float((apart - together).abs().max())
    if gap <= TOLERANCE * max(1.0, largest):
        return ""
    return f"the merged adapter does not equal the adapter: logits differ by {gap:.3g}"


TOLERANCE = 0.01


def _moved(before: State, state: State) -> str:
    for name, tensor in before.items():
        module, _, leaf = name.rpartition(".")
        for known in (f"base_model.model.{name}", f"base_model.model.{module}.base_layer.{leaf}"):
            if known in state and not _same(state[known], tensor):
                return name
    return ""


def _loads_back(loaded: State, state: State, saved: State) -> None:
    if not saved:
        raise WorkerError("the saved adapter is empty")
    trained = [name for name in state if name in loaded and _is_adapter(name)]
    for name in trained:
        if not _same(loaded[name], state[name]):
            raise WorkerError(f'the saved adapter does not load back as trained: "{name}"')
    if len(trained) < len(saved):
        raise WorkerError(f"the adapter saved {len(saved)} tensors, {len(trained)} were trained")


def _is_adapter(name: str) -> bool:
    return "lora_" in name or ".modules_to_save." in name


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.cpu(), other.cpu().to(one.dtype))


@torch.inference_mode()
def _logits(model: Any, probe: list[list[int]], pad: int) -> torch.Tensor:
    ids, mask = models.pad_left(probe, pad)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    out = model(input_ids=ids, attention_mask=mask, position_ids=positions)
    return out.logits[mask.bool()].float()
