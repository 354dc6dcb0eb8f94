"""Private keys in PEM files (PKCS8, Ed25519): where one is found, read and made. Wet.

In: `--key FILE` (or LLMOPS_KEY), LLMOPS_SIGNING_KEY (the PEM itself, as CI hands a secret over), or
`llmops/key.pem` under XDG_CONFIG_HOME. Out: a `Signer`, or None where there is no key. What others
could read (mode other than 0600), and what is no such key, is refused. A key is in no repr, no
message and no log.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.diagnostics import printable
from llmops.errors import LlmopsError, UsageError
from llmops.signing.ed25519 import key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VARIABLE = "LLMOPS_SIGNING_KEY"  # the PEM itself
FILE_VARIABLE = "LLMOPS_KEY"  # a path
_MOST_BYTES = 64 << 10
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class PemSigner:
    """A private key that was read. Its repr has the id only."""

    key: str
    public: bytes = field(repr=False)
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature over exactly these bytes."""
        return self._private.sign(message)


def signer(path: Path | None, environ: Mapping[str, str]) -> PemSigner | None:
    """The key to sign with: of the file that is named, of the environment, of the user's folder.

    None where there is none. Raises UsageError for one that cannot be used, LlmopsError for a file
    that cannot be read.
    """
    named = path or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    if named is not None:
        return read(named.expanduser())
    if environ.get(VARIABLE):
        return from_pem(environ[VARIABLE].encode("utf-8", "surrogateescape"), VARIABLE)
    usual = usual_place(environ)
    return read(usual) if os.path.lexists(usual) else None


def usual_place(environ: Mapping[str, str]) -> Path:
    """Where a user's key lies when nothing else is said."""
    given = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(given) if os.path.isabs(given) else Path.home() / ".config"
    return folder / "llmops" / "key.pem"


def read(path: Path) -> PemSigner:
    """The key in a file. Raises UsageError for one that cannot be used, LlmopsError."""
    return from_pem(_bytes(path), printable(str(path)))


def from_pem(data: bytes, name: str) -> PemSigner:
    """The key that a PEM text holds; `name` says where it came from. Raises UsageError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if b"PRIVATE KEY-----" not in data:
        raise _unusable(name, "holds no private key in PEM")
    if b"ENCRYPTED" in data:
        raise _unusable(name, "is encrypted: nobody is there to ask for its password")
    try:
        found = load_pem_private_key(data.strip() + b"\n", password=None)
    except Exception:  # the library's own say could hold a part of the key
        raise _unusable(name, "holds no private key that can be read") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise _unusable(name, "is a key of another algorithm, not Ed25519")
    return of_private(found)


def make() -> tuple[PemSigner, bytes]:
    """A new key, and its PEM (PKCS8)."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return of_private(made), pem


def of_private(private: Ed25519PrivateKey) -> PemSigner:
    """The signer with a key at hand."""
    public = private.public_key().public_bytes_raw()
    return PemSigner(key_id(public), public, private)


def keep(path: Path, pem: bytes) -> None:
    """A new file that only its owner may read.

    Raises UsageError where something stands under the name, LlmopsError.
    """
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    except FileExistsError as error:
        if not path.parent.is_dir():
            raise _world("written", path, error) from error
        raise UsageError(
            f"{printable(str(path))} is there already: a key is never written over",
            hint="use it with --key, or name another file",
        ) from None
    except OSError as error:
        raise _world("written", path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _MODE)
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _world("written", path, error) from error


def _bytes(path: Path) -> bytes:
    """A key file's bytes, if nobody else can read or replace it through a link."""
    name = printable(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _unusable(name, "is not there", "llmops keys init makes a key") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _unusable(name, "is a link", "name the file itself") from None
        raise _world("read", path, error) from error
    try:
        _expect_private(os.fstat(descriptor), name)
        data = os.read(descriptor, _MOST_BYTES + 1)
    except OSError as error:
        raise _world("read", path, error) from error
    finally:
        os.close(descriptor)
    if len(data) > _MOST_BYTES:
        raise _unusable(name, f"has more than {_MOST_BYTES:,} bytes: that is no key")
    if not data.strip():
        raise _unusable(name, "is empty")
    return data


def _expect_private(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _unusable(name, "is no plain file")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o177:
        raise _unusable(name, f"has mode {mode:04o}, so others may use it", f"chmod 600 {name}")
    if found.st_uid not in (os.geteuid(), 0):
        raise _unusable(name, "belongs to another user", f"make it yours: chown, chmod 600 {name}")


def _unusable(name: str, why: str, hint: str = "") -> UsageError:
    hint = hint or "a key is PEM, PKCS8, Ed25519, without a password: llmops keys init makes one"
    return UsageError(f"the key {name} {why}", hint=hint)


def _world(verb: str, path: Path, error: OSError) -> LlmopsError:
    return LlmopsError(f"the key {printable(str(path))} cannot be {verb}: {error.strerror}")
