"""What stands in a bundle under which name, and `bundle.json`, which lists it. Dry.

    bundle.json                   what this is, the log's checkpoint in words, a digest of each file
    log/checkpoint, log/entries/00000/00000042.json, log/blobs/sha256/ab/abcd…   as on the branch
    objects/ab/cdef…              git objects of judged trees, as git hashes them
    withheld.json                 files of Datasets: git id -> sha256 and size
    openings.json                 lines that were shown after the fact, and the seed that chose them
    report/report.html, …         the pages of the newest verdict

None of it is free: the log is signed, objects hang on ids that verdicts name, what is withheld
stands in verdicts, lines hang on roots, pages are rendered again, and `bundle.json` follows from
the rest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmops.audit.base import Flaw
from llmops.digest import canonical
from llmops.log import layout
from llmops.log.checkpoint import decode
from llmops.source.objects import Withheld

FORMAT_VERSION = 1
NAME = "bundle.json"
CHECKPOINT = "log/checkpoint"
WITHHELD = "withheld.json"
OPENINGS = "openings.json"
PAGES = "report/"
_LOG = "log/"
_FIXED = frozenset({NAME, CHECKPOINT, WITHHELD, OPENINGS})
_OBJECT = re.compile(r"objects/([0-9a-f]{2})/([0-9a-f]{38}|[0-9a-f]{62})")
_PAGE = re.compile(r"report/report(\.[a-z]{2})?\.(html|json)")
_HEX = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def entry(number: int) -> str:
    """Where entry `number` of the log stands."""
    return _LOG + layout.entry_path(number)


def blob(digest: str) -> str:
    """Where the blob that `sha256:<hex>` names stands."""
    return _LOG + layout.blob_path(digest)


def object_path(oid: str) -> str:
    """Where a git object stands."""
    return f"objects/{oid[:2]}/{oid[2:]}"


def object_at(name: str) -> str | None:
    """The id of the git object that a file is, None where it is none."""
    found = _OBJECT.fullmatch(name)
    return found[1] + found[2] if found else None


def blob_at(name: str) -> str | None:
    """The digest of the blob that a file is, None where it is none."""
    return layout.blob_at(name.removeprefix(_LOG)) if name.startswith(_LOG) else None


def entry_at(name: str) -> int | None:
    """The number of the entry that a file is, None where it is none."""
    return layout.entry_at(name.removeprefix(_LOG)) if name.startswith(_LOG) else None


def is_ours(name: str) -> bool:
    """Whether a bundle has a file of that name."""
    known = name in _FIXED or _PAGE.fullmatch(name) is not None
    return known or any(at(name) is not None for at in (object_at, blob_at, entry_at))


def made(files: Mapping[str, bytes]) -> bytes:
    """The `bundle.json` of all other files. Raises ValueError where their checkpoint is none."""
    said = decode(files.get(CHECKPOINT, b""))
    named = (name for name in files if name != NAME)
    return canonical(
        {
            "format_version": FORMAT_VERSION,
            "origin": said.origin,
            "size": said.size,
            "root": base64.b64encode(said.root).decode(),
            "files": {name: hashlib.sha256(files[name]).hexdigest() for name in named},
        }
    )


def newer(data: bytes) -> str | None:
    """The version of a `bundle.json` that is newer than what we read; None for any other text."""
    try:
        said = json.loads(data)
        version = said["format_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return str(version) if type(version) is int and version > FORMAT_VERSION else None


def problems(files: Mapping[str, bytes]) -> Iterator[Flaw]:
    """What of the list does not follow from the files, and entries behind a gap."""
    numbers = sorted(n for name in files if (n := entry_at(name)) is not None)
    for place, number in enumerate(numbers):
        if place != number:
            yield Flaw("incomplete", f"entry {place} is missing", entry=place, file=entry(place))
            break
    if NAME not in files:
        yield Flaw("incomplete", "it has no list of its files", file=NAME)
        return
    try:
        wanted = made(files)
    except ValueError:
        return  # a checkpoint that is none is told by those who read it
    if files[NAME] != wanted:
        yield Flaw("tampered", _differs(files[NAME], wanted), file=NAME)


def _differs(data: bytes, wanted: bytes) -> str:
    """What a list says otherwise than its files, in words."""
    try:
        said, is_ = json.loads(data), json.loads(wanted)
        listed, there = said["files"], is_["files"]
        names = sorted(n for n in listed.keys() | there.keys() if listed.get(n) != there.get(n))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "it is not the list of these files"
    if not names:
        return "it is not written as the list of these files is"
    first = names[0][:200]
    if first not in there:
        return f"it lists {first}, which is not here"
    return f"{first} is {'not listed' if first not in listed else 'another file than it lists'}"


def encode_withheld(found: Mapping[str, Withheld]) -> bytes:
    """The bytes of `withheld.json`."""
    return canonical(
        {
            oid: {"sha256": one.digest.removeprefix("sha256:"), "size": one.size}
            for oid, one in found.items()
        }
    )


def withheld(data: bytes) -> Mapping[str, Withheld]:
    """What the bytes of `withheld.json` say. Raises ValueError for what is not written so."""
    try:
        said = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if type(said) is not dict:
        raise ValueError("it is no object")
    found = dict(_each(said.items()))
    if encode_withheld(found) != data:
        raise ValueError("it is not written as canonical JSON")
    return found


def _each(items: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Withheld]]:
    for oid, one in items:
        if not _OID.fullmatch(oid) or type(one) is not dict or one.keys() != {"sha256", "size"}:
            raise ValueError("a withheld file has not exactly a git id, sha256 and size")
        digest, size = one["sha256"], one["size"]
        if type(digest) is not str or not _HEX.fullmatch(digest):
            raise ValueError("a withheld file has no digest")
        if type(size) is not int or not 0 <= size < 2**53:
            raise ValueError("a withheld file has no size")
        yield oid, Withheld(f"sha256:{digest}", size)
