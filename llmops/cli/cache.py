"""Where commands keep what they can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`LLMOPS_CACHE`, default `~/.cache/llmops`."""
    given = os.environ.get("LLMOPS_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "llmops"
