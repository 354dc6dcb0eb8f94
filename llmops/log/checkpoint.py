"""Checkpoints: how many entries there are and their root, as signed notes. Dry.

In: an origin, a size, a root, a signer. Out: the text that C2SP gives such a note
(https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint), so that witnesses and tools of
other logs read it. Reading takes that text only: three lines, one blank line, signature lines with
canonical base64. Lines of keys that nobody knows are kept and reported, as the format wants it;
a line of a known key that does not hold makes the whole note worthless.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmops.log.base import Checkpoint, Signed
from llmops.signing.base import Signer
from llmops.signing.ed25519 import is_key, verified

ED25519 = 1  # kind of a key whose signature is over the note's text
COSIGNATURE = 4  # of a witness: over a time and the text (https://c2sp.org/tlog-cosignature)
_DASH = "\N{EM DASH} "
_MOST_LINES = 100
_SIZES = {ED25519: 64, COSIGNATURE: 72}
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Key:
    """Whose signature lines count: a name, the raw public half, and how it signs."""

    name: str
    public: bytes  # 32 bytes
    kind: int = ED25519

    @property
    def hint(self) -> bytes:
        """The four bytes that a signature line names its key by."""
        said = b"%b\n%c%b" % (self.name.encode(), self.kind, self.public)
        return hashlib.sha256(said).digest()[:4]

    @property
    def text(self) -> str:
        """The key as C2SP writes it for verifiers: `name+hint+base64`."""
        raw = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.hint.hex()}+{raw}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """The key that such a text names. Raises ValueError."""
        name, _, rest = text.partition("+")
        _, _, coded = rest.partition("+")
        raw = _base64(coded)
        if not _is_name(name) or raw[:1] not in (b"\1", b"\4") or not is_key(raw[1:]):
            raise ValueError("it is no Ed25519 key of a note: name+hint+base64")
        key = cls(name, raw[1:], raw[0])
        if key.text != text:
            raise ValueError("the key's hint is not that of its name and bytes")
        return key


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint with whose lines hold, and the lines of nobody that is known."""

    checkpoint: Checkpoint
    by: tuple[Key, ...]
    unknown: tuple[Signed, ...]


def body(checkpoint: Checkpoint) -> bytes:
    """What is signed: origin, size and root, a line each."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n".encode()


def encode(checkpoint: Checkpoint) -> bytes:
    """The bytes of a checkpoint with its signature lines, in their order."""
    lines = (
        f"{_DASH}{one.name} {base64.b64encode(one.hint + one.value).decode()}\n"
        for one in checkpoint.signed
    )
    return body(checkpoint) + b"\n" + "".join(lines).encode()


def sign(origin: str, size: int, root: bytes, signer: Signer) -> bytes:
    """A checkpoint signed by the log's key, whose name is the log's origin."""
    bare = Checkpoint(origin, size, root)
    hint = Key(origin, signer.public).hint
    line = Signed(origin, hint, signer.sign(body(bare)))
    return encode(Checkpoint(origin, size, root, (line,)))


def decode(data: bytes) -> Checkpoint:
    """The checkpoint that bytes are. Raises ValueError naming what is not as `encode` writes it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    said, blank, signed = text.partition("\n\n")
    lines = said.split("\n")
    if not blank or len(lines) != 3:
        raise ValueError("it is not three lines, a blank one and signatures")
    origin, size, coded = lines
    if not _is_name(origin):
        raise ValueError("its origin is empty, or has blanks or a plus in it")
    if not _NUMBER.fullmatch(size):
        raise ValueError("its size is no decimal number")
    root = _base64(coded)
    if len(root) != 32:
        raise ValueError(f"its root has {len(root)} bytes, not 32")
    found = Checkpoint(origin, int(size), root, _lines(signed))
    if encode(found) != data:
        raise ValueError("it is not written as a signed note is, byte for byte")
    return found


def opened(data: bytes, keys: Iterable[Key]) -> Opened:
    """A checkpoint whose lines of known keys all hold; `by` says whose, "unknown" what is left.

    Raises ValueError: it is no checkpoint, or the line of a known key does not hold. Nobody known
    having signed is no error here: `by` is empty then.
    """
    found, known = decode(data), tuple(keys)
    by: list[Key] = []
    unknown: list[Signed] = []
    for line in found.signed:
        asked = [one for one in known if (one.name, one.hint) == (line.name, line.hint)]
        holding = next((one for one in asked if _holds(one, found, line)), None)
        if holding is not None:
            by.append(holding)
        elif asked:
            raise ValueError(f"the signature of {line.name} does not hold")
        else:
            unknown.append(line)
    return Opened(found, tuple(by), tuple(unknown))


def by_one_of(data: bytes, publics: Sequence[bytes]) -> Checkpoint:
    """A checkpoint that one of these keys signed in the log's own name. Raises ValueError."""
    origin = decode(data).origin
    found = opened(data, [Key(origin, public) for public in publics])
    if not found.by:
        raise ValueError("no key that may sign for the log signed it")
    return found.checkpoint


def _holds(key: Key, checkpoint: Checkpoint, line: Signed) -> bool:
    if len(line.value) != _SIZES[key.kind]:
        return False
    said = body(checkpoint)
    if key.kind == ED25519:
        return verified(key.public, said, line.value)
    at = int.from_bytes(line.value[:8])
    return verified(key.public, b"cosignature/v1\ntime %d\n%b" % (at, said), line.value[8:])


def _lines(text: str) -> tuple[Signed, ...]:
    lines = text.split("\n")[:-1]
    if not lines or not text.endswith("\n"):
        raise ValueError("nobody signed it, or it ends in the middle of a line")
    if len(lines) > _MOST_LINES:
        raise ValueError(f"it has more than {_MOST_LINES} signatures")
    found = tuple(map(_line, lines))
    if len({(one.name, one.hint) for one in found}) != len(found):
        raise ValueError("one key signed it twice")
    return found


def _line(text: str) -> Signed:
    name, blank, coded = text.removeprefix(_DASH).partition(" ")
    if not text.startswith(_DASH) or not blank or not _is_name(name):
        raise ValueError("a signature line is not a dash, a name and base64")
    raw = _base64(coded)
    if len(raw) < 5:
        raise ValueError("a signature line has no signature")
    return Signed(name, raw[:4], raw[4:])


def _is_name(text: str) -> bool:
    return bool(text) and "+" not in text and text.isprintable() and not any(map(str.isspace, text))


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what should be base64 is none") from None
