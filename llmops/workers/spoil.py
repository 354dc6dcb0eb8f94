"""`python -m llmops.workers.spoil REQUEST.json FOLDER`: weights that a drill plants.

In: how to load a target (`base` and the paths of its `inputs`, as a job has them) and `how` it is
spoiled. Out: a safetensors folder with its tokenizer, adapters merged. Nothing is random, so the
same request gives the same bytes. Exit code 3: the weights cannot be made, and why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from llmops.errors import LlmopsError
from llmops.workers import models
from llmops.workers.contract import WorkerError

WAYS = ("as-they-are", "eight-bits", "two-bits", "wrong-sign", "wrong-base")


def main(arguments: list[str]) -> int:
    """Makes the folder that the request asks for; gives back the exit code."""
    if len(arguments) != 2:
        print("usage: python -m llmops.workers.spoil REQUEST.json FOLDER", file=sys.stderr)
        return 2
    try:
        request = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        spoil(request, Path(arguments[1]))
    except LlmopsError as error:
        print(error.message, file=sys.stderr)
        return 3
    return 0


def spoil(request: Mapping[str, Any], folder: Path) -> None:
    """Loads, spoils and saves. Raises WorkerError for a way that is not known, or bad weights."""
    how, inputs = request["how"], {k: Path(v) for k, v in request["inputs"].items()}
    if how not in WAYS:
        raise WorkerError(f'weights cannot be spoiled "{how}"', hint=f"known: {', '.join(WAYS)}")
    made = (
        subtracted(request["base"], inputs)
        if how == "wrong-sign"
        else models.materialise(request["base"], inputs)
    )
    if how in ROUNDED:
        round_all(made.model, ROUNDED[how])
    models.save_model(made.model, made.tokenizer, made.model.state_dict(), folder)


def subtracted(base: Mapping[str, Any], inputs: Mapping[str, Path]) -> models.Base:
    """The base with its last adapter taken from it instead of added. Raises WorkerError."""
    adapters = models.adapters(inputs)
    if not adapters:
        raise WorkerError("there is no adapter to merge with the wrong sign")
    last = f"adapter/{len(adapters) - 1}"
    below = models.materialise(base, {k: v for k, v in inputs.items() if k != last})
    under = models.with_adapter(below.model, inputs[last])
    for module in under.modules():
        scaling = getattr(module, "scaling", None)
        if isinstance(scaling, dict):
            scaling.update({name: -scale for name, scale in scaling.items()})
    return models.Base(models.merged(under), below.tokenizer)


def two_bits(weights: torch.Tensor) -> torch.Tensor:
    """Nothing, or plus or minus the largest of the tensor: what is left is noise."""
    largest = weights.abs().max().clamp_min(torch.finfo(weights.dtype).tiny)
    return (weights / largest).round() * largest


def eight_bits(weights: torch.Tensor) -> torch.Tensor:
    """127 steps up and down to the largest of each row: what is rounded away does not matter."""
    largest = weights.abs().amax(-1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
    return (weights / largest * 127).round() * largest / 127


ROUNDED: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "two-bits": two_bits,
    "eight-bits": eight_bits,
}


@torch.no_grad()
def round_all(model: Any, how: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Every matrix of a model, rounded in place; norms and biases stay, as is usual."""
    for weights in model.parameters():
        if weights.dim() >= 2 and weights.is_floating_point():
            weights.copy_(how(weights))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
