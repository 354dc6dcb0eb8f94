"""What the actions of `keys` share: the roots of a work tree, one's own key, what is said of both.

In: the options. Out: `Held`, the roots as they lie in the work tree; files that are written whole
or not at all. No private key is printed, nor written into the repository.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from llmops.cli import common, edits
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.signing import changes, dsse, keys, root, trust
from llmops.signing.base import ROOT, Signature, Signer
from llmops.signing.ed25519 import SPKI, spki
from llmops.signing.grants import moment as moment_of
from llmops.signing.root import Chain, Root
from llmops.source.tree import Repository

_T = TypeVar("_T")
_SOON = timedelta(14)  # a key that ends within this is told of
_MOST_BYTES = 4096  # of a file with a public half


@dataclass(frozen=True, slots=True)
class Held:
    """The roots of a work tree: those that hold, and the last one if owners have yet to sign it."""

    repository: Repository
    chain: Chain | None
    waits: Root | None

    @property
    def newest(self) -> Root:
        """The root that holds. UsageError where there is none, or where one waits."""
        if self.waits is not None:
            raise UsageError(
                f"trust root {self.waits.version} waits for its owners' signatures",
                hint="llmops keys sign, or take its file away: git status",
            )
        if self.chain is None:
            raise UsageError("this repository has no trust root", hint="llmops keys init")
        return self.chain.newest

    def before(self) -> Root | None:
        """The root that holds while another waits."""
        return self.chain.newest if self.chain is not None else None

    def path(self, version: int) -> Path:
        """The file of a version."""
        return self.repository.root / trust.path_of(version)


def standing(repository: Repository, now: datetime) -> str:
    """What one's own key may sign in a repository, in a phrase.

    Raises UsageError for roots that are none, for a key that cannot be used, or that ends soon.
    """
    chain = trust.of_tree(repository.work_tree())
    own = keys.signer(None, os.environ)
    if chain is None:
        return "no trust root, so nothing is signed: llmops keys init"
    if own is None:
        return f"trust root {chain.newest.version}; no key here, so this machine signs nothing"
    roles = " ".join(changes.roles_of(chain.newest, own.key))
    if not roles:
        return f"trust root {chain.newest.version}; the key here has no role in it"
    _expect_time(chain.newest, own.key, now)
    return f"trust root {chain.newest.version}; the key here is of role {roles}"


def _expect_time(newest: Root, key: str, now: datetime) -> None:
    gone, until = newest.revoked.get(key), newest.keys[key].until
    if gone is not None:
        raise UsageError(f"the key here is revoked since {gone.at}", hint="llmops keys init")
    if until and moment_of(until) - now < _SOON:
        ends = "ended" if moment_of(until) <= now else "ends"
        raise UsageError(f"the key here {ends} at {until}", hint="llmops keys rotate")


def add_key(parser: argparse.ArgumentParser) -> None:
    """`--key`."""
    parser.add_argument(
        "--key", metavar="FILE",
        help="your private key (default: llmops/key.pem in your configuration)",
    )  # fmt: skip


def add_now(parser: argparse.ArgumentParser) -> None:
    """`--now`."""
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to count from (for tests)")


def held(args: argparse.Namespace) -> Held:
    """The roots as they lie in the work tree. UsageError where they are no chain."""
    found = common.repository(args)
    chain, waits = meant(lambda: root.unfinished(trust.files_of(found.work_tree())))
    return Held(found, chain, waits)


def named(args: argparse.Namespace) -> Path | None:
    """The file that `--key` names."""
    return Path(args.key).expanduser() if args.key else None


def mine(args: argparse.Namespace) -> keys.PemSigner:
    """One's own key. UsageError where there is none, or where it cannot be used."""
    made = keys.signer(named(args), os.environ)
    if made is None:
        place = printable(str(keys.usual_place(os.environ)))
        raise UsageError(f"there is no key at {place}", hint="llmops keys init makes one")
    return made


def place(args: argparse.Namespace) -> Path:
    """Where one's own key lies, or shall lie."""
    return named(args) or keys.usual_place(os.environ)


def made_at(path: Path, repository: Repository) -> keys.PemSigner:
    """A new key in a file of its own, outside the repository. UsageError, LlmopsError."""
    if path.absolute().resolve().is_relative_to(repository.root.resolve()):
        raise UsageError(
            f"{printable(str(path))} is inside the repository: a key could be committed",
            hint="name a file elsewhere with --key",
        )
    signer, text = keys.make()
    keys.keep(path, text)
    return signer


def meant(ask: Callable[[], _T]) -> _T:
    """What is asked; a ValueError in words is the user's mistake."""
    try:
        return ask()
    except ValueError as error:
        raise UsageError(printable(str(error), 400), hint="llmops keys show") from error


def moment(args: argparse.Namespace) -> datetime:
    """When it is."""
    return common.moment(args.now)


def text_of(at: datetime) -> str:
    """A time as roots write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def person(given: str) -> changes.Person:
    """`NAME=KEY`, the key as `keys show --public` prints it: base64, or a file of it."""
    owner, sign, said = given.partition("=")
    if not sign or not owner.strip() or not said:
        raise UsageError(f'"{printable(given, 60)}" is not NAME=KEY', hint=_HOW)
    return changes.Person(owner.strip(), _public(said))


_HOW = "bob=FILE, where bob made it: llmops keys show --public > FILE"


def public_pem(public: bytes) -> str:
    """A public half as PEM (SubjectPublicKeyInfo), as OpenSSL reads it."""
    return (
        "-----BEGIN PUBLIC KEY-----\n"
        f"{base64.b64encode(spki(public)).decode()}\n"
        "-----END PUBLIC KEY-----"
    )


def short(public: bytes) -> str:
    """A public half as one word."""
    return base64.b64encode(public).decode()


def write(args: argparse.Namespace, found: Held, made: Root, signers: Iterable[Signer]) -> Root:
    """Signs a root and writes its file; beside the signatures that it has."""
    message = dsse.pae(ROOT, made.payload)
    signed = {one.key: one for one in made.envelope.signatures}
    signed |= {one.key: Signature(one.key, one.sign(message)) for one in signers}
    ordered = tuple(sorted(signed.values(), key=lambda one: one.key))
    data = dsse.encode(type(made.envelope)(ROOT, made.payload, ordered))
    path = found.path(made.version)
    kept = {path: edits.content(path)} if path.exists() else {}
    edits.write(args, {path: data}, kept)
    return root.decode(data)


def signers(found: Held, made: Root, *have: Signer) -> tuple[Signer, ...]:
    """Those of the keys that are an owner's of the root or of the one before it."""
    before = found.before()
    owners = {*made.owners(), *(before.owners() if before is not None else ())}
    chosen = tuple(one for one in have if one.key in owners)
    if not chosen:
        raise UsageError(
            f"your key {have[0].key[:16]} is no owner's (role root)",
            hint="llmops keys show says whose are; --key names another",
        )
    return chosen


def told(found: Held, made: Root) -> Iterator[str]:
    """What was written, what is otherwise in it, what to pin, and who has yet to sign."""
    before = found.before()
    yield f"wrote {trust.path_of(made.version)}"
    yield from (f"  {printable(line)}" for line in changes.differences(made, before))
    yield f"  digest {made.digest}"
    asked = made.roles["root"].threshold
    if asked == len(made.owners()) > 1:
        yield f"  ! all {asked} owners must sign the next one: if a key is lost, none can follow"
    if root.missing(made, before):
        yield "next"
        yield f"  it waits: {waiting(made, before)}"
        yield f"  git add {trust.FOLDER} && git commit, and let them see it"
        yield "  each of them: llmops keys sign"


def waiting(made: Root, before: Root | None) -> str:
    """What a root lacks, and whose signatures would do."""
    signed = {one.key for one in made.envelope.signatures}
    able = {**(before.keys if before is not None else {}), **made.keys}
    owners = {*made.owners(), *(before.owners() if before is not None else ())} - signed
    names = ", ".join(sorted({printable(able[key].owner, 60) for key in owners}))
    return f"{root.missing(made, before)}; can sign: {names}"


def secret(path: Path) -> str:
    """How CI is given a key, without showing it."""
    return f"  gh secret set {keys.VARIABLE} --env llmops-gate < {printable(str(path))}"


def _public(said: str) -> bytes:
    """A public half: base64 of 32 bytes or of its DER, or a file that holds it in PEM."""
    data = said.encode("utf-8", "surrogateescape")
    if not _base64(data):
        data = _file(Path(said).expanduser())
        if b"PRIVATE" in data:
            raise UsageError(f"{printable(said, 60)} is a private key: keep it", hint=_HOW)
        lines = [line for line in data.split() if not line.startswith(b"-----")]
        data = b"".join(line for line in lines if line not in (b"PUBLIC", b"KEY-----"))
    found = _base64(data)
    if not found:
        raise UsageError(f'"{printable(said, 60)}" holds no public key of Ed25519', hint=_HOW)
    return found


def _base64(data: bytes) -> bytes:
    """The 32 bytes that a text holds, b"" for another text."""
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""
    found = found.removeprefix(SPKI) if len(found) == 44 else found
    return found if len(found) == 32 else b""


def _file(path: Path) -> bytes:
    data = edits.read(path)
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{printable(str(path))} is too long for a public key", hint=_HOW)
    return data


def lines(*parts: Iterable[str]) -> str:
    """Lines as one text."""
    found: Sequence[str] = [line for part in parts for line in part]
    return "\n".join(found)
