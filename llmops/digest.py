"""Digests: canonical JSON (RFC 8785) and sha256, spelt `sha256:<64 hex>` as OCI does."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rfc8785

PATTERN = re.compile(r"sha256:[0-9a-f]{64}")


_ENCODER = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)
# What the standard encoder writes otherwise than RFC 8785: 1.0 (for 1), exponents, whole numbers
# beyond 2^53, and characters beyond the basic plane (whose order as keys differs). A number stands
# at the start or after `":`, `,` or `[`; text that only looks so costs speed, nothing else.
_OTHERWISE = re.compile(
    r'(?:":|[,\[]|^)-?(?:\d+\.0(?!\d)|\d+(?:\.\d+)?[eE]|\d{16})'
    r"|[\U00010000-\U0010ffff\ud800-\udfff]"
)
_LONG = re.compile(r"\d{16}")
_EXPONENT = re.compile(r"\de[-+]\d")
_ASTRAL = re.compile("[\U00010000-\U0010ffff\ud800-\udfff]")


def _may_differ(text: str) -> bool:
    """Whether an encoded text may hold one of those: a coarse look, ten times as fast."""
    return (
        ".0," in text
        or ".0}" in text
        or ".0]" in text
        or text.endswith(".0")
        or (("e-" in text or "e+" in text) and _EXPONENT.search(text) is not None)
        or _LONG.search(text) is not None
        or (not text.isascii() and _ASTRAL.search(text) is not None)
    )


def of_question(text: str) -> bytes:
    """16 bytes that two texts share where they ask the same, whatever the case and the blanks."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()[:16]


def canonical(value: Any) -> bytes:
    """The one JSON text of a value (RFC 8785). Raises ValueError for NaN, infinity, huge ints.

    The standard library's encoder, in C, writes the same text for nearly every value; where it
    might not, the slower reference writes it (a test holds the two against each other).
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, RecursionError):
        return rfc8785.dumps(value)
    if _may_differ(text):
        text = _ENCODER.encode(_whole(value))
        if _may_differ(text) and _OTHERWISE.search(text):
            return rfc8785.dumps(value)
    return text.encode("utf-8")


def _whole(value: Any) -> Any:
    """The value with 1.0 as 1, which is how RFC 8785 writes it."""
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if kind is dict:
        return {key: _whole(inner) for key, inner in value.items()}
    if kind is list or kind is tuple:
        return [_whole(inner) for inner in value]
    return value


def of_bytes(data: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def of_value(value: Any) -> str:
    """`sha256:<hex>` of a JSON value's canonical text: equal meaning, equal digest, everywhere."""
    return of_bytes(canonical(value))


def of_file(path: Path) -> str:
    """`sha256:<hex>` of a file's bytes, read in pieces. Raises OSError."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(path: Path) -> str:
    """Digest of a folder: that of the canonical `{relative path: sha256 hex}` of its files."""
    files: Mapping[str, str] = {
        p.relative_to(path).as_posix(): of_file(p).removeprefix("sha256:")
        for p in sorted(path.rglob("*"))
        if p.is_file()
    }
    return of_value(files)


def short(digest: str) -> str:
    """The first eight hex digits with their prefix, for people."""
    return digest[:15] if digest.startswith("sha256:") else digest[:8]
