"""The probability of each label under a target: how sure it is, beside what it answers.

In: a target that chooses among labels, and cases. Out: for each case the probabilities of all
labels, which sum to 1: along the trie of the labels' tokens, at each node those tokens share all
probability that may be written there. The answer is the one that `choice.choose` gives (the most
probable token at every node), which need not be the label of the highest probability. What a
guardrail blocks on its way in has no probabilities; guardrails on the way out change none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from llmops.workers.answer import Target
from llmops.workers.chat import Row
from llmops.workers.choice import Choices
from llmops.workers.decode import Decoder, by_length

_NOT_NUMBERS = "the model's scores are not finite numbers"


@dataclass(frozen=True, slots=True)
class Likely:
    """One case: the probability of each label (in the order of the choices) and the answer.

    `error` says why there is neither. `blocked`: a guardrail answered, and no label was chosen.
    """

    probabilities: tuple[float, ...] = ()
    answer: str = ""
    error: str = ""
    blocked: bool = False


@torch.inference_mode()
def likelihoods(target: Target, choices: Choices, cases: Sequence[Row]) -> list[Likely]:
    """What the target thinks of each label, for each case, in their order."""
    found = target.tokenized(target.drafts(cases))
    out = [Likely(error=d.error or "", blocked=bool(d.blocked)) for d, _ in found]
    asked = [i for i, one in enumerate(out) if not one.error and not one.blocked]
    for batch in by_length([len(found[i][1]) for i in asked], target.settings.batch_size):
        rows = [asked[i] for i in batch]
        pad = target.base.tokenizer.pad_token_id
        decoder = Decoder(target.base.model, [found[i][1] for i in rows], pad)
        for i, likely in zip(rows, of_batch(decoder, choices, len(rows)), strict=True):
            out[i] = likely
    return out


def of_batch(decoder: Decoder, choices: Choices, rows: int) -> list[Likely]:
    """The likelihoods of one batch of prompts. Every open node of the trie is looked at once."""
    walk = _Walk(choices, rows, decoder.logits.device)
    todo: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    while todo:
        node, prefix = todo.pop()
        tokens = [t for t in choices.tokens[node].tolist() if t >= 0]
        several = len(tokens) > 1
        logits = (decoder.peek(prefix) if prefix else decoder.logits) if several else None
        for token, child in walk.step(node, tokens, logits):
            if int(choices.only[child]) < 0:
                todo.append((child, (*prefix, token)))
    return walk.found()


class _Walk:
    """How probable each node is, and which rows would greedily come to it."""

    def __init__(self, choices: Choices, rows: int, device: torch.device) -> None:
        self._choices = choices
        self._reach = {0: torch.zeros(rows, dtype=torch.double, device=device)}
        self._greedy = {0: torch.ones(rows, dtype=torch.bool, device=device)}
        self._broken = torch.zeros(rows, dtype=torch.bool, device=device)

    def step(
        self, node: int, tokens: Sequence[int], logits: torch.Tensor | None
    ) -> list[tuple[int, int]]:
        """Goes on from a node to its children; gives back the token and the node of each."""
        children = self._choices.children[node].tolist()[: len(tokens)]
        reach, greedy = self._reach.pop(node), self._greedy.pop(node)
        if logits is None:
            self._reach[children[0]], self._greedy[children[0]] = reach, greedy
            return [(tokens[0], children[0])]
        allowed = logits[:, list(tokens)].double()
        self._broken |= ~torch.isfinite(allowed).all(1)
        shares, best = allowed.log_softmax(1), allowed.argmax(1)
        for column, child in enumerate(children):
            self._reach[child] = reach + shares[:, column]
            self._greedy[child] = greedy & (best == column)
        return list(zip(tokens, children, strict=True))

    def found(self) -> list[Likely]:
        """The probabilities of all labels and the greedy answer, of each row."""
        labels = self._choices.labels
        node_of: Mapping[int, int] = {int(self._choices.only[n]): n for n in self._reach}
        nodes = [node_of[i] for i in range(len(labels))]
        shares = torch.stack([self._reach[n] for n in nodes], 1).softmax(1).tolist()
        chosen = torch.stack([self._greedy[n] for n in nodes], 1).int().argmax(1).tolist()
        return [
            Likely(error=_NOT_NUMBERS) if broken else Likely(tuple(share), labels[answer])
            for share, answer, broken in zip(shares, chosen, self._broken.tolist(), strict=True)
        ]
