"""Literal secrets: values that look like keys, tokens or private keys, and keys that hold one.

A secret is written `{secret: NAME}`. What is found is named by its place and form, never echoed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# Each form is anchored on a prefix that its issuer promises, so that ordinary text never matches.
# What comes before the decisive sign is bounded, or a text full of prefixes would take for ever.
_FORMS = re.compile(
    r"(?P<openai>\bsk-(?=[A-Za-z_-]{0,256}+\d)[A-Za-z0-9_-]{20,})"
    r"|(?P<github>\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,})"
    r"|(?P<gitlab>\bglpat-[A-Za-z0-9_-]{20,})"
    r"|(?P<huggingface>\bhf_[A-Za-z0-9]{20,})"
    r"|(?P<aws>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)"
    r"|(?P<slack>\bxox[abeoprs]-[A-Za-z0-9-]{10,})"
    r"|(?P<google>\bAIza[A-Za-z0-9_-]{35})"
    r"|(?P<jwt>\beyJ[A-Za-z0-9_-]{8,1024}+\.eyJ[A-Za-z0-9_-]{8,}\.)"
    r"|(?P<key>-----BEGIN [A-Z ]*PRIVATE KEY)"
    r"|(?P<address>\b[a-z][a-z0-9+.-]{0,31}+://[^\s/:@]*:[^\s/:@]+@)"
)
COLUMNS = ("spec", "columns")  # a dataset may well have a column "token"
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


def redacted(text: str) -> str:
    """The text with everything that looks like a literal secret left out."""
    return _FORMS.sub("…", text)


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
                    yield (*at, key), "a secret in place of a key"
                elif at != COLUMNS and _held(key, inner):
                    yield (*at, key), f'the value of "{key}"'
                else:
                    stack.append(((*at, key), inner))
        elif isinstance(item, list):
            stack += [((*at, i), inner) for i, inner in enumerate(item)]
        elif isinstance(item, str) and (match := _FORMS.search(item)):
            yield at, _NAMES[match.lastgroup or "openai"]


def _held(key: Any, inner: Any) -> bool:
    """Whether a key that holds secrets has one as text, or as a number where people write one."""
    if not isinstance(key, str) or isinstance(inner, bool) or not names_secret(key):
        return False
    return (isinstance(inner, str) and bool(inner)) or (
        isinstance(inner, int) and key.lower().startswith("pass")
    )


# Substrings are looked for first: a whole tree is looked through on every plan.
_SIGNS = (
    "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "AKIA", "ASIA",
    "xox", "AIza", "eyJ", "PRIVATE KEY", "@",
)  # fmt: skip
_HOLDS = tuple(
    (word, re.compile(word + r"[\"']?\s*:"))
    for word in ("key", "token", "passwd", "password", "passphrase", "secret", "credential",
                 "credentials")
)  # fmt: skip


def suspicious(text: str) -> bool:
    """A quick look at a whole file: whether `find` could find anything in it."""
    if "\\" in text or (any(sign in text for sign in _SIGNS) and looks_secret(text)):
        return True
    lower = text.lower()
    return any(word in lower and form.search(lower) for word, form in _HOLDS)
