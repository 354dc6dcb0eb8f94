"""Literal secrets: values that look like keys, tokens or private keys, and keys that hold one.

A secret is written `{secret: NAME}`. What is found is named by its place and form, never echoed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# Each form is anchored on a prefix that its issuer promises, so that ordinary text never matches.
_FORMS = re.compile(
    r"(?P<openai>\bsk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,})"
    r"|(?P<github>\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,})"
    r"|(?P<gitlab>\bglpat-[A-Za-z0-9_-]{20,})"
    r"|(?P<huggingface>\bhf_[A-Za-z0-9]{20,})"
    r"|(?P<aws>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)"
    r"|(?P<slack>\bxox[abeoprs]-[A-Za-z0-9-]{10,})"
    r"|(?P<google>\bAIza[A-Za-z0-9_-]{35})"
    r"|(?P<jwt>\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.)"
    r"|(?P<key>-----BEGIN [A-Z ]*PRIVATE KEY)"
    r"|(?P<address>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/:@]+@)"
)
_NAMES = {
    "openai": "an API key",
    "github": "a GitHub token",
    "gitlab": "a GitLab token",
    "huggingface": "a Hugging Face token",
    "aws": "an AWS access key",
    "slack": "a Slack token",
    "google": "a Google API key",
    "jwt": "a signed token",
    "key": "a private key",
    "address": "a password in an address",
}
_KEYS = re.compile(
    r"(?i)^(.*[_-])?(api[_-]?key|apikey|access[_-]?key|secret[_-]?key|private[_-]?key"
    r"|(access|auth|bearer|hub|api|refresh|session)[_-]?token|token|password|passwd"
    r"|passphrase|client[_-]?secret|credentials?)$"
)
# Tokenizers call their control words tokens; these keys never hold a secret.
_TOKENIZER = re.compile(
    r"(?i)^(bos|eos|pad|unk|sep|cls|mask|image|audio|video|begin|end|start|stop)[_-]token$"
)


def looks_secret(text: str) -> bool:
    """Whether a text holds something that looks like a literal secret."""
    return _FORMS.search(text) is not None


def names_secret(key: str) -> bool:
    """Whether a key is one that holds secrets: `api_key`, `password`, ..."""
    return _KEYS.match(key) is not None and _TOKENIZER.match(key) is None


def find(
    value: Any, loc: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every literal secret below a value: its place and what it looks like."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [(loc, value)]
    while stack:
        at, item = stack.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if isinstance(key, str) and looks_secret(key):
                    yield (*at, key), "a secret as a key"
                elif _held(key, inner):
                    yield (*at, key), f'the value of "{key}"'
                else:
                    stack.append(((*at, key), inner))
        elif isinstance(item, list):
            stack += [((*at, i), inner) for i, inner in enumerate(item)]
        elif isinstance(item, str) and (match := _FORMS.search(item)):
            yield at, _NAMES[match.lastgroup or "openai"]


def _held(key: Any, inner: Any) -> bool:
    plain = isinstance(inner, str) and bool(inner)
    number = isinstance(inner, int | float) and not isinstance(inner, bool)
    return isinstance(key, str) and (plain or number) and names_secret(key)


def suspicious(text: str) -> bool:
    """A quick look at a whole file: whether `find` could find anything in it."""
    return _FORMS.search(text) is not None or _SMELL.search(text) is not None


_SMELL = re.compile(r"(?i)(?:key|token|passw(?:or)?d|passphrase|secret|credentials?)[\"']?\s*:")
