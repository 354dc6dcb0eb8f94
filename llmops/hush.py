"""Secret values kept out of texts, however they are spelt.

In: values by name, a text. Out: the text without them. A value is left out as it is, reversed, in
base64 (wherever it begins, both alphabets), in hex, percent-encoded and as JSON writes it; of one
of several lines, such as a key, each line is a secret. What this process was given is known to it:
variables that hold secrets in any tool's habit, and whatever `also` was told.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

SHORTEST = 8  # what is shorter is guessed, and would be found in ordinary text
HIDDEN = "***"
# Names of variables that hold a secret in any tool's habit.
NAMES = re.compile(r"(.*_)?(TOKEN|SECRETS?|PASSWORD|PASSWD|KEY|CREDENTIALS?)|LLMOPS_SECRET_.*")
_PATHS = ("LLMOPS_KEY",)  # so called, and a path
# Those whose name alone says so, so that nothing ordinary is taken for one of them.
_CERTAIN = (
    "GH_TOKEN", "GITHUB_TOKEN", "LLMOPS_APP_PRIVATE_KEY", "LLMOPS_GITHUB_TOKEN", "LLMOPS_GIT_TOKEN",
    "LLMOPS_SIGNING_KEY", "LLMOPS_WEBHOOK_SECRETS",
)  # fmt: skip
_TOLD: dict[str, str] = {}
_MADE: dict[tuple[tuple[str, str], ...], Hush] = {}


class Hush:
    """Texts without some secrets. Never shown: its repr has names only."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._forms = {
            form.lower(): name
            for name, value in values.items()
            for part in parts(value)
            for form in spellings(part)
        }
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)", re.I)

    def __repr__(self) -> str:
        return f"Hush({', '.join(sorted(set(self._forms.values())))})"

    def __call__(self, text: str) -> str:
        """The text without any of them. A text without any costs a look for each spelling."""
        return self._pattern.sub(HIDDEN, text) if self.held(text) else text

    def held(self, text: str) -> str:
        """The name of a secret that a text holds, "" where it holds none."""
        lower = text.lower()
        return next((name for form, name in self._forms.items() if form in lower), "")


def also(values: Mapping[str, str]) -> None:
    """From now on this process says none of these."""
    _TOLD.update(values)


def own(environ: Mapping[str, str] = os.environ) -> Hush:
    """All that this process must not say."""
    return _made({**{k: v for k, v in environ.items() if _is_secret(k, v)}, **_TOLD})


def certain(environ: Mapping[str, str] = os.environ) -> Hush:
    """What nobody doubts is a secret: for places where a mistake of ours would stop honest work."""
    return _made({**{k: environ[k] for k in _CERTAIN if environ.get(k)}, **_TOLD})


def _made(known: Mapping[str, str]) -> Hush:
    key = tuple(sorted(known.items()))
    if key not in _MADE:
        if len(_MADE) > 8:
            _MADE.clear()
        _MADE[key] = Hush(known)
    return _MADE[key]


def parts(value: str) -> Iterator[str]:
    """What of a value is a secret by itself: all of it, and each line that is long enough."""
    for part in dict.fromkeys((value, *value.splitlines())):
        text = part.strip()
        if len(text) >= SHORTEST and not (text.startswith("-----") and "\n" not in text):
            yield text


def spellings(value: str) -> Iterator[str]:
    """How a value may be written; letters in any case."""
    raw = value.encode("utf-8", "surrogateescape")
    yield from (value, value[::-1], raw.hex(), raw.hex()[::-1])
    yield quote(raw, safe="")
    yield "".join(f"%{byte:02x}" for byte in raw)
    for text in (value, value[::-1]):
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    for before in range(3):  # base64 of a longer text that holds the value
        text = base64.b64encode(b"\0" * before + raw).decode()
        stable = text[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield from (stable, stable.replace("+", "-").replace("/", "_"))


def _is_secret(name: str, value: str) -> bool:
    """Whether a variable holds a secret: by its name, and no path of a file that holds one."""
    if not NAMES.fullmatch(name.upper()) or name in _PATHS or len(value.strip()) < SHORTEST:
        return False
    return not (os.path.isabs(value) and os.path.exists(value))
