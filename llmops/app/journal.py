"""What the service says while it works: lines on a stream in which no secret survives.

In: words of ours, and messages that may repeat what a server was sent. Out: one line each, UTC time
first, controls shown as escapes; each known secret is left out in whatever encoding it comes, and
so is what looks like a token or a key, since tokens of an hour come and go. No traceback: a mistake
of ours is named with its place.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable

from llmops.diagnostics import printable
from llmops.forge.base import Clock
from llmops.workers.scrub import SHORTEST, Secrets

# GitHub's tokens by their prefixes, JSON web tokens, and what stands between PEM's lines.
_LOOKS = re.compile(
    r"gh[a-z]_[A-Za-z0-9]{8,}|github_pat_\w{8,}|eyJ[\w-]{8,}\.[\w-]*(?:\.[\w-]*)?"
    r"|-----BEGIN[^\n]*?(?:-----END[^-]*-----|$)|(?i:\b(?:bearer|token) +)[\w.~+/=-]{16,}"
)
LONGEST = 1_000


class Journal:
    """Lines to a writer. Safe to use from several threads."""

    def __init__(
        self, write: Callable[[str], None], clock: Clock, secrets: Iterable[str] = ()
    ) -> None:
        self._write, self._clock, self._lock = write, clock, threading.Lock()
        self._known: dict[str, str] = {}
        self._secrets = Secrets({})
        self.hide(*secrets)

    def __repr__(self) -> str:
        return f"Journal({len(self._known)} secrets)"

    def hide(self, *secrets: str) -> None:
        """From now on none of these is said; a key's lines are secrets each."""
        parts = [part.strip() for secret in secrets for part in (secret, *secret.splitlines())]
        for part in parts:
            if len(part) >= SHORTEST and not part.startswith("-----"):
                self._known.setdefault(part, f"secret {len(self._known)}")
        self._secrets = Secrets({name: value for value, name in self._known.items()})

    def clean(self, text: str) -> str:
        """One line of a text, without any secret."""
        hidden = _LOOKS.sub("***", self._secrets.scrub(text))
        return printable(hidden, LONGEST)

    def say(self, what: str, *words: object) -> None:
        """One line: when, what, the rest."""
        now = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        line = self.clean(" ".join([what, *map(str, words)]))
        with self._lock:
            self._write(f"{now} {line}")


class Handler(logging.Handler):
    """What libraries log, through the journal: their message, and of an error its name."""

    def __init__(self, journal: Journal, level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        more = f" ({type(error).__name__})" if error else ""
        self._journal.say(record.name, f"{record.getMessage()}{more}".splitlines()[0])


def summary(error: BaseException) -> str:
    """`KeyError in wire.py:12`: where a mistake of ours is, without any value."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None:
        return type(error).__name__
    name = step.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{type(error).__name__} in {name}:{step.tb_lineno}"
