"""What somebody without a key can do to a bundle: one row better, every digest above it new.

In: the bytes of a bundle. Out: another one of which every digest and the list of its files are
right again, and no signature is: what packs of evidence that nobody signs are accepted with.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmops import merkle
from llmops.audit import container, index
from llmops.digest import of_bytes
from llmops.log import checkpoint
from llmops.log.base import Checkpoint
from llmops.signing import dsse
from llmops.signing.base import Envelope

_WRONG, _RIGHT = b'"value":0}', b'"value":1}'


def forged(bundle: bytes) -> bytes:
    """The bundle with one wrong answer made right. Raises ValueError where none is wrong."""
    files = dict(container.read(bundle))
    row = next((n for n in files if index.blob_at(n) and _WRONG in files[n]), None)
    if row is None:
        raise ValueError("no answer in it is wrong")
    better = files.pop(row).replace(_WRONG, _RIGHT, 1)
    before, after = str(index.blob_at(row)), of_bytes(better)
    files[index.blob(after)] = better
    named = {n: data for n, data in files.items() if index.entry_at(n) is not None}
    files |= {n: _renamed(data, before, after) for n, data in named.items()}
    files[index.CHECKPOINT] = _root_anew(files)
    files[index.NAME] = index.made(files)
    return container.encode(files)


def _renamed(entry: bytes, before: str, after: str) -> bytes:
    """An entry that names the new row instead; the signature stays, it is all that there is."""
    old = dsse.decode(entry)
    if before.encode() not in old.payload:
        return entry
    payload = old.payload.replace(before.encode(), after.encode())
    return dsse.encode(Envelope(old.payload_type, payload, old.signatures))


def _root_anew(files: Mapping[str, bytes]) -> bytes:
    """The checkpoint over the entries as they are now, under the old signature."""
    old = checkpoint.decode(files[index.CHECKPOINT])
    entries = (files[index.entry(number)] for number in range(old.size))
    root = merkle.root(map(merkle.leaf, entries))
    return checkpoint.encode(Checkpoint(old.origin, old.size, root, old.signed))
