"""What stands on the branch of the log: paths <-> numbers of entries, digests of blobs. Dry.

`checkpoint`, `entries/00000/00000042.json` cut by thousands, `blobs/sha256/ab/abcd…`. A branch
that has any other path is no log: nothing lies there that nobody signed.
"""

from __future__ import annotations

import re

_ENTRY = re.compile(r"entries/([0-9]{5})/((?:\1)[0-9]{3})\.json")
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{2})/((?:\1)[0-9a-f]{62})")


def entry_path(number: int) -> str:
    """Where entry `number` stands."""
    return f"entries/{number // 1000:05}/{number:08}.json"


def entry_at(path: str) -> int | None:
    """The number of the entry at a path, None where none stands."""
    found = _ENTRY.fullmatch(path)
    return int(found[2]) if found else None


def blob_path(digest: str) -> str:
    """Where the blob that `sha256:<hex>` names stands."""
    bare = digest.removeprefix("sha256:")
    return f"blobs/sha256/{bare[:2]}/{bare}"


def blob_at(path: str) -> str | None:
    """The digest (`sha256:<hex>`) that a path is the blob of, None where it is of none."""
    found = _BLOB.fullmatch(path)
    return f"sha256:{found[2]}" if found else None
