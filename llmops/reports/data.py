"""Values -> JSON text: outcomes as words, and nothing hidden in it.

A number that JSON does not have (NaN, infinity) is null: what it means is said in words beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from llmops.reports.escape import hidden
from llmops.rules.base import Outcome
from llmops.specs.base import Ref


def dumps(value: Any) -> str:
    """Indented JSON whose hidden characters are escapes, so that it is safe to look at."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return "".join(json.dumps(c)[1:-1] if hidden(c) and c != "\n" else c for c in text)


def plain(value: Any) -> Any:
    """The JSON value of a dataclass, a sequence, a mapping or a scalar."""
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Ref):
        return str(value)
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return value
