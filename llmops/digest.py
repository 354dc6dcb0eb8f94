"""Digests: canonical JSON (RFC 8785) and sha256, spelt `sha256:<64 hex>` as OCI does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rfc8785

PATTERN = re.compile(r"sha256:[0-9a-f]{64}")


def canonical(value: Any) -> bytes:
    """The one JSON text of a value (RFC 8785). Raises ValueError for NaN, infinity, huge ints."""
    return rfc8785.dumps(value)


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
