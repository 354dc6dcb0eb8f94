"""Amounts as specs write them -> numbers. Dry."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?")
_BYTES = {
    "": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
}  # fmt: skip


def bytes_of(quantity: str | None) -> float | None:
    """A Kubernetes quantity in bytes: `80Gi`."""
    found = _QUANTITY.fullmatch(quantity or "")
    return float(found[1]) * _BYTES[found[2] or ""] if found else None
