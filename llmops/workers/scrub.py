"""A worker's secrets: taken out of its environment, and out of every text that it writes.

In: the names that a job asks for; the executor passes each value as `LLMOPS_SECRET_<NAME>`, so that
no library finds a key under the name that it looks for. Out: the values, and `scrub`, which leaves
out of a text each value as it is, reversed, in base64 (wherever it begins, both alphabets), in hex,
percent-encoded and as JSON writes it. A server may well repeat the key that it was sent.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO
from urllib.parse import quote

from llmops.jobs.base import SECRET_PREFIX
from llmops.workers.contract import WorkerError

SHORTEST = 8  # what is shorter is guessed, and would be found in ordinary text
HIDDEN = "***"


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
    """From now on no secret is printed by this process, not even in a traceback."""
    sys.stdout = Scrubbed(sys.stdout, secrets)
    sys.stderr = Scrubbed(sys.stderr, secrets)


def spellings(value: str) -> Iterator[str]:
    """How a value may be written; letters in any case."""
    raw = value.encode()
    yield from (value, value[::-1], raw.hex(), raw.hex()[::-1])
    yield quote(value, safe="")
    yield "".join(f"%{byte:02x}" for byte in raw)
    yield json.dumps(value)[1:-1]
    for before in range(3):  # base64 of a longer text that holds the value
        text = base64.b64encode(b"\0" * before + raw).decode()
        stable = text[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield from (stable, stable.replace("+", "-").replace("/", "_"))


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
