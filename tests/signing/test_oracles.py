"""Other people's readers of what we sign: securesystemslib, in-toto-attestation, OpenSSL."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope as Theirs
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from llmops.cli.trusted import public_pem
from llmops.hush import Hush
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, ROOT, Envelope
from llmops.signing.keys import PemSigner
from llmops.signing.root import decode
from tests.audit.world import PEN, story
from tests.keyring import pem, person, root_of, signed, statement

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")


def known(*signers: PemSigner) -> list[Any]:
    """Keys as securesystemslib has them, under our ids."""
    return [
        SSlibKey(one.key, "ed25519", "ed25519", {"public": one.public.hex()}) for one in signers
    ]


def theirs(data: bytes) -> Theirs:
    return Theirs.from_dict(json.loads(data))


def test_securesystemslib_verifies_what_we_sign_and_counts_as_we_do() -> None:
    root = root_of(ANN, BOB, EVE, threshold=2)
    read = theirs(signed(root, ANN, EVE))
    assert set(read.verify(known(ANN, BOB, EVE), 2)) == {ANN.key, EVE.key}
    with pytest.raises(VerificationError):
        read.verify(known(ANN, BOB), 2)
    with pytest.raises(VerificationError):
        theirs(signed(root, BOB)).verify(known(ANN, BOB, EVE), 2)


def test_securesystemslib_and_we_mean_the_same_bytes() -> None:
    for kind, payload in ((IN_TOTO, b"{}"), (ROOT, b""), ("类型", "内容".encode())):
        ours = dsse.encode(dsse.sign(kind, payload, [ANN]))
        assert theirs(ours).pae() == dsse.pae(kind, payload)


def test_we_read_what_securesystemslib_signs() -> None:
    key = SSlibKey(ANN.key, "ed25519", "ed25519", {"public": ANN.public.hex()})
    made = Theirs(b'{"_type":"x"}', IN_TOTO, {})
    made.sign(CryptoSigner(ANN._private, key))
    envelope = dsse.decode(dsse_text(made.to_dict()))
    assert root_of(ANN).allows("gate", envelope, "2026-11-22T08:00:00Z") == ""


def dsse_text(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_both_refuse_what_was_edited() -> None:
    envelope = statement(ANN)
    edited = Envelope(envelope.payload_type, envelope.payload + b" ", envelope.signatures)
    assert root_of(ANN).allows("gate", edited, "2026-11-22T08:00:00Z")
    with pytest.raises(VerificationError):
        theirs(dsse.encode(edited)).verify(known(ANN), 1)


def test_every_entry_of_a_log_is_read_and_verified_by_others(tmp_path: Path) -> None:
    """Roots, runs, provenance, ledger, verdicts: DSSE by one library, Statements by another."""
    seen = set()
    (public := tmp_path / "gate.pub").write_text(public_pem(PEN.public))
    for raw in story(tmp_path / "w").log.entries():
        read = theirs(raw)
        assert read.verify(known(PEN), 1)
        kind = read.payload_type
        if kind == ROOT:
            assert decode(raw).version == 1
        else:
            told = json_format.Parse(read.payload, statement_pb2.Statement())
            Statement.copy_from_pb(told).validate()
            kind = told.predicate_type
        if kind not in seen:
            assert openssl(tmp_path, public, read) == "Signature Verified Successfully"
        seen.add(kind)
    assert len(seen) >= 6


def openssl(folder: Path, public: Path, read: Theirs) -> str:
    (folder / "signed").write_bytes(read.pae())
    (sig,) = read.signatures.values()
    (folder / "signature").write_bytes(bytes.fromhex(sig.signature))
    done = subprocess.run(
        [
            "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public,
            "-in", folder / "signed", "-sigfile", folder / "signature",
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_private_key_is_in_nothing_that_was_made_with_it(tmp_path: Path) -> None:
    """Git's objects, evidence, blobs, the ledger, the log: in no spelling."""
    world = story(tmp_path / "w")
    own = Hush(
        {"the gate's key": pem(PEN).decode(), "its seed": PEN._private.private_bytes_raw().hex()}
    )
    world.repo.git("gc", "--quiet", "--prune=now")
    listed = world.repo.git("cat-file", "--batch-all-objects", "--batch-check")
    oids = "\n".join(line.split()[0] for line in listed.splitlines())
    done = subprocess.run(
        ["git", "cat-file", "--batch"], input=oids.encode(), cwd=world.repo.path,
        capture_output=True, check=True,
    )  # fmt: skip
    assert b"llmops.root" in done.stdout
    assert own.held(done.stdout.decode("utf-8", "replace")) == ""
    files = [path for path in world.root.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(files) > 20
    for path in files:
        assert own.held(path.read_bytes().decode("utf-8", "replace")) == "", path
