"""A choice among labels: greedy decoding along a trie of the labels' tokens.

In: the token ids of each label, the end of the turn included, and prompts in a `Decoder`. Out: for
each prompt the label that greedy decoding writes when only labels may be written. A row is
finished as soon as one label is left, so most rows need two or three forward passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from llmops.workers.contract import WorkerError
from llmops.workers.decode import Decoder

_OPEN, _BROKEN = -1, -2


@dataclass(frozen=True, slots=True)
class Choices:
    """Labels as a trie in tables. Node 0 is the root; row n of a table belongs to node n.

    `tokens` and `children`: the next tokens of a node in ascending order and the nodes they lead
    to, padded with -1. `only`: the one label that is left below a node, -1 where several are.
    `lengths`: how many tokens a label is.
    """

    labels: tuple[str, ...]
    lengths: Mapping[str, int]
    tokens: torch.Tensor
    children: torch.Tensor
    only: torch.Tensor

    @classmethod
    def of(cls, encoded: Mapping[str, Sequence[int]]) -> Choices:
        """From label -> token ids. Raises WorkerError when two labels cannot be told apart."""
        labels = tuple(encoded)
        if not labels:
            raise WorkerError("there is no label to choose from", hint="check the labels' column")
        nodes: list[dict[int, int]] = [{}]
        below: list[set[int]] = [set()]
        ends: dict[int, int] = {}
        for number, label in enumerate(labels):
            end = _walk(nodes, below, encoded[label], number)
            if end in ends:
                raise WorkerError(f'labels "{labels[ends[end]]}" and "{label}" are the same tokens')
            ends[end] = number
        if blocked := [labels[number] for node, number in ends.items() if nodes[node]]:
            raise WorkerError(f'label "{blocked[0]}" is the beginning of another')
        lengths = {label: len(ids) for label, ids in encoded.items()}
        return cls(labels, lengths, *_tables(nodes, below))

    def to(self, device: torch.device) -> Choices:
        """The same tables on another device."""
        moved = (t.to(device) for t in (self.tokens, self.children, self.only))
        return Choices(self.labels, self.lengths, *moved)


def _walk(
    nodes: list[dict[int, int]], below: list[set[int]], ids: Sequence[int], label: int
) -> int:
    node = 0
    below[0].add(label)
    for token in ids:
        if token not in nodes[node]:
            nodes[node][token] = len(nodes)
            nodes.append({})
            below.append(set())
        node = nodes[node][token]
        below[node].add(label)
    return node


def _tables(
    nodes: list[dict[int, int]], below: list[set[int]]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    width = max(map(len, nodes), default=0) or 1
    tokens = torch.full((len(nodes), width), -1)
    children = torch.full((len(nodes), width), -1)
    for number, node in enumerate(nodes):
        for column, token in enumerate(sorted(node)):
            tokens[number, column], children[number, column] = token, node[token]
    only = [next(iter(labels)) if len(labels) == 1 else -1 for labels in below]
    return tokens, children, torch.tensor(only)


def choose(decoder: Decoder, choices: Choices, rows: int) -> list[str | None]:
    """The label each prompt of the decoder's batch is answered with, in the batch's order.

    At every node the most probable of the allowed tokens is taken, of equals the lowest id. None
    where the model's scores are not numbers.
    """
    device = choices.only.device
    node = torch.zeros(rows, dtype=torch.long, device=device)
    chosen, active = choices.only[node], torch.arange(rows, device=device)
    going = (chosen < 0).nonzero()[:, 0]
    while len(going):
        tokens = choices.tokens[node]
        scores = decoder.logits.gather(1, tokens.clamp(min=0)).masked_fill(tokens < 0, -torch.inf)
        best = scores.argmax(1, keepdim=True)  # a NaN is the greatest
        found = choices.only[choices.children[node].gather(1, best)[:, 0]]
        chosen[active] = found.masked_fill(scores.isnan().any(1), _BROKEN)
        going = (chosen[active] == _OPEN).nonzero()[:, 0]
        node = choices.children[node].gather(1, best)[going, 0]
        fed = tokens.gather(1, best)[going, 0]
        if len(going) < len(active):
            decoder.keep(going)
            active = active[going]
        if len(going):
            decoder.feed(fed)
    return [choices.labels[n] if n >= 0 else None for n in chosen.tolist()]
