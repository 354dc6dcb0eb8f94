"""A batch of prompts in a model's KV cache: one forward pass over the prompts, one per token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from llmops.workers.models import pad_left


class Decoder:
    """Prompts being continued together. `logits` are those of the next token, `[rows, vocab]`."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], pad: int) -> None:
        self._model = model
        ids, mask = pad_left(prompts, pad)
        self._mask = mask.to(model.device)
        self._cache: Any = None
        self.logits = torch.empty(0)
        self._forward(ids.to(model.device), (self._mask.cumsum(1) - 1).clamp(min=0))

    def feed(self, tokens: torch.Tensor) -> None:
        """Appends one token to every row."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        self._forward(tokens[:, None], self._mask.sum(1, keepdim=True) - 1)

    def peek(self, tokens: Sequence[int]) -> torch.Tensor:
        """The logits after these tokens too, of every row; nothing of them is kept."""
        rows, seen = self._mask.shape
        ids = torch.tensor(tokens, device=self._mask.device).expand(rows, -1)
        mask = torch.cat([self._mask, self._mask.new_ones(ids.shape)], dim=1)
        logits = self._run(ids, mask, mask.cumsum(1)[:, seen:] - 1)
        self._cache.crop(-len(tokens))
        return logits

    def keep(self, rows: torch.Tensor) -> None:
        """Goes on with these rows only (indices); the others are finished."""
        self._mask, self.logits = self._mask[rows], self.logits[rows]
        self._cache.batch_select_indices(rows)

    def _forward(self, ids: torch.Tensor, positions: torch.Tensor) -> None:
        self.logits = self._run(ids, self._mask, positions)

    def _run(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        out = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = out.past_key_values
        logits: torch.Tensor = out.logits[:, -1].float()
        return logits


def by_length(lengths: Sequence[int], batch_size: int) -> Iterable[list[int]]:
    """Indices in batches of about equal length (longest first); ties keep their order."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return (order[start : start + batch_size] for start in range(0, len(order), batch_size))
