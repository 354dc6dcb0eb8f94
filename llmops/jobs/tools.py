"""The tools whose versions are part of a job's closure, pinned.

Equal to the constraints that `make install` uses (a test compares them). A worker refuses to
start on other versions, so evidence always comes from what its closure names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PINS: Mapping[str, str] = {
    "torch": "2.13.0",
    "transformers": "5.17.0",
    "tokenizers": "0.23.3",
    "safetensors": "0.8.0",
    "peft": "0.21.2",
    "accelerate": "1.15.0",
    "deepspeed": "0.19.8",
    "deepeval": "4.3.1",
    "giskard": "2.19.2",
    "numpy": "1.26.4",
    "pandas": "3.0.6",
    "scikit-learn": "1.9.1",
    "scipy": "1.11.4",
    "ahocorasick_rs": "1.0.3",
    "google-re2": "1.1.20251105",
}


def pins(names: Iterable[str]) -> dict[str, str]:
    """The pinned version of each named tool."""
    return {name: PINS[name] for name in sorted(names)}
