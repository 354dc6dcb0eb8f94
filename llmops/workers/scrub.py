"""A worker's secrets: taken out of its environment, and out of every text that it writes.

In: the names that a job asks for; the executor passes each value as `LLMOPS_SECRET_<NAME>`, so that
no library finds a key under the name that it looks for. Out: the values, and `scrub`, which leaves
out of a text each value in all its spellings (`llmops.hush`). A server may well repeat the key that
it was sent.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from llmops import hush
from llmops.hush import HIDDEN as HIDDEN
from llmops.hush import SHORTEST as SHORTEST
from llmops.hush import spellings as spellings
from llmops.jobs.base import SECRET_PREFIX
from llmops.workers.contract import WorkerError


class Secrets:
    """Values by name. Never shown: its repr has names only."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        forms = {form for value in values.values() for form in spellings(value)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        pattern = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(pattern or r"(?!)", re.IGNORECASE)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def values(self) -> Mapping[str, str]:
        """All of them."""
        return self._values

    def scrub(self, text: str) -> str:
        """The text without any secret, in whatever spelling."""
        return self._pattern.sub(HIDDEN, text)

    def clean(self, value: Any) -> Any:
        """A JSON value with every text scrubbed, keys too."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, Mapping):
            return {self.scrub(str(k)): self.clean(v) for k, v in value.items()}
        return [self.clean(v) for v in value] if isinstance(value, list | tuple) else value


def taken(names: Iterable[str]) -> Secrets:
    """The secrets of a job; they leave the environment. Raises WorkerError if one is not there."""
    values: dict[str, str] = {}
    for name in names:
        value = os.environ.pop(f"{SECRET_PREFIX}{name}", "").strip()
        if not value:
            hint = "the executor passes it from its own environment"
            raise WorkerError(f'the secret "{name}" is not set', hint=hint)
        if len(value) < SHORTEST:
            raise WorkerError(f'the secret "{name}" has fewer than {SHORTEST} characters')
        values[name] = value
    return Secrets(values)


def guard_streams(secrets: Secrets) -> None:
    """From now on no secret is printed by this process, not even in a traceback, nor written."""
    hush.also(secrets.values())
    sys.stdout = Scrubbed(sys.stdout, secrets)
    sys.stderr = Scrubbed(sys.stderr, secrets)


class Scrubbed:
    """A text stream through which no secret passes; it writes whole lines."""

    def __init__(self, stream: TextIO, secrets: Secrets) -> None:
        self._stream, self._secrets, self._rest = stream, secrets, ""

    def write(self, text: str) -> int:
        """Keeps what has no line end yet: a secret may come in two pieces."""
        *lines, self._rest = (self._rest + text).split("\n")
        self._stream.write("".join(f"{self._secrets.scrub(line)}\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Writes what is left."""
        self._stream.write(self._secrets.scrub(self._rest))
        self._rest = ""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
