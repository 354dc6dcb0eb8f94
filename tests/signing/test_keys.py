from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519

from llmops.errors import LlmopsError, UsageError
from llmops.signing.ed25519 import verified
from llmops.signing.keys import PemSigner, from_pem, keep, make, read, signer, usual_place
from tests.keyring import pem, person

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")


def put(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return path


def refused(path: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(path)
    assert caught.value.hint
    assert str(path) in caught.value.message
    return caught.value


def held(key: Any) -> bytes:
    made: bytes = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    return made


# --- where a key is found


def test_a_file_that_is_named_comes_before_all_else(tmp_path: Path) -> None:
    named = put(tmp_path / "ann.pem", pem(ANN))
    other = put(tmp_path / "bob.pem", pem(BOB))
    put(tmp_path / "config/llmops/key.pem", pem(EVE))
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert found(None, environ) == EVE.key
    environ["LLMOPS_SIGNING_KEY"] = pem(BOB).decode()
    assert found(None, environ) == BOB.key
    environ["LLMOPS_KEY"] = str(named)
    assert found(None, environ) == ANN.key
    assert found(other, environ) == BOB.key


def found(path: Path | None, environ: dict[str, str]) -> str:
    made = signer(path, environ)
    assert made is not None
    return made.key


def test_no_key_is_none_and_no_mistake(tmp_path: Path) -> None:
    assert signer(None, {"XDG_CONFIG_HOME": str(tmp_path)}) is None
    assert signer(None, {"XDG_CONFIG_HOME": str(tmp_path), "LLMOPS_SIGNING_KEY": ""}) is None


def test_without_a_setting_it_lies_in_the_users_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert usual_place({}) == tmp_path / ".config/llmops/key.pem"
    assert usual_place({"XDG_CONFIG_HOME": "relative"}) == tmp_path / ".config/llmops/key.pem"


def test_a_key_that_is_named_and_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert refused(tmp_path / "ann.pem").message.endswith("is not there")
    with pytest.raises(UsageError, match="is not there"):
        signer(None, {"LLMOPS_KEY": str(tmp_path / "ann.pem")})


def test_a_secret_store_may_change_the_line_ends_of_a_key() -> None:
    for text in (pem(ANN).strip(), pem(ANN).replace(b"\n", b"\r\n"), b"\n\n" + pem(ANN)):
        assert from_pem(text, "x").key == ANN.key


# --- what is refused


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602, 0o700, 0o777])
def test_a_key_that_others_could_use_is_refused(tmp_path: Path, mode: int) -> None:
    error = refused(put(tmp_path / "key.pem", pem(ANN), mode))
    assert f"has mode {mode:04o}, so others may use it" in error.message
    assert error.hint.startswith("chmod 600 ")


def test_a_key_that_only_its_owner_may_read_is_used(tmp_path: Path) -> None:
    assert read(put(tmp_path / "key.pem", pem(ANN), 0o400)).key == ANN.key


def test_a_link_is_refused_and_so_is_one_in_the_usual_place(tmp_path: Path) -> None:
    link = tmp_path / "config/llmops/key.pem"
    link.parent.mkdir(parents=True)
    link.symlink_to(put(tmp_path / "real.pem", pem(ANN)))
    assert refused(link).message.endswith("is a link")
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is a link"):
        signer(None, {"XDG_CONFIG_HOME": str(tmp_path / "config")})


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refused(tmp_path / "pipe").message.endswith("is no plain file")
    (tmp_path / "folder").mkdir(0o700)
    assert refused(tmp_path / "folder").message.endswith("is no plain file")


def test_an_empty_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    assert refused(put(tmp_path / "empty", b"")).message.endswith("is empty")
    assert refused(put(tmp_path / "blank", b"\n \n")).message.endswith("is empty")
    huge = put(tmp_path / "huge", pem(ANN) + b"\n" * (64 << 10))
    assert "more than 65,536 bytes" in refused(huge).message


@pytest.mark.parametrize(
    "other",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        lambda: ec.generate_private_key(ec.SECP256R1()),
        ed448.Ed448PrivateKey.generate,
        x25519.X25519PrivateKey.generate,
    ],
    ids=["rsa", "p-256", "ed448", "x25519"],
)
def test_a_key_of_another_algorithm_is_refused(tmp_path: Path, other: Any) -> None:
    error = refused(put(tmp_path / "key.pem", held(other())))
    assert error.message.endswith("is a key of another algorithm, not Ed25519")


def test_an_encrypted_key_is_refused_without_asking(tmp_path: Path) -> None:
    locked = ANN._private.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"pass")
    )
    assert "is encrypted" in refused(put(tmp_path / "key.pem", locked)).message


def test_what_holds_no_private_key_is_refused_and_never_shown(tmp_path: Path) -> None:
    public = ANN._private.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    assert "holds no private key in PEM" in refused(put(tmp_path / "a", public)).message
    assert "holds no private key in PEM" in refused(put(tmp_path / "b", b"\0" * 99)).message
    body = pem(ANN).split(b"\n")[1]
    broken = put(tmp_path / "c", pem(ANN).replace(body, body[:-9] + b"x"))
    error = refused(broken)
    assert error.message.endswith("holds no private key that can be read")
    assert body[:12].decode() not in error.message + error.hint
    assert error.__cause__ is None
    openssh = ANN._private.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()
    )
    assert refused(put(tmp_path / "d", openssh))


def test_a_bad_variable_is_named_and_its_value_is_not() -> None:
    with pytest.raises(UsageError) as caught:
        signer(None, {"LLMOPS_SIGNING_KEY": "hunter2-hunter2"})
    assert caught.value.message == "the key LLMOPS_SIGNING_KEY holds no private key in PEM"
    assert "hunter2" not in caught.value.hint


# --- what a key does


def test_a_key_is_in_no_repr() -> None:
    assert repr(ANN) == f"PemSigner(key='{ANN.key}')"
    assert str(ANN) == repr(ANN)


def test_what_is_made_signs_and_is_read_again_from_a_file_of_its_owner(tmp_path: Path) -> None:
    made, text = make()
    path = tmp_path / "new" / "key.pem"
    keep(path, text)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    again = read(path)
    assert isinstance(again, PemSigner)
    assert again == made
    assert verified(made.public, b"words", again.sign(b"words"))


@pytest.mark.parametrize("mask", [0, 0o777])
def test_no_mask_makes_a_key_public_or_useless(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        keep(tmp_path / "key.pem", pem(ANN))
    finally:
        os.umask(before)
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_written_over_nor_through_a_link(tmp_path: Path) -> None:
    path = put(tmp_path / "key.pem", b"mine")
    with pytest.raises(UsageError, match="is there already"):
        keep(path, pem(ANN))
    assert path.read_bytes() == b"mine"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is there already"):
        keep(tmp_path / "link", pem(ANN))
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_the_worlds_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LlmopsError, match="cannot be written: File exists"):
        keep(tmp_path / "file" / "key.pem", pem(ANN))
    with pytest.raises(LlmopsError, match="cannot be read: Not a directory"):
        read(tmp_path / "file" / "key.pem")


# --- what others make of it


def test_openssl_makes_a_key_that_is_read_and_reads_one_that_was_made(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", theirs], check=True)
    theirs.chmod(0o600)
    by = read(theirs)
    ours = put(tmp_path / "ours.pem", make()[1])
    said = subprocess.run(
        ["openssl", "pkey", "-in", ours, "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    assert said.stdout[-32:] == read(ours).public
    (tmp_path / "words").write_bytes(b"words")
    (tmp_path / "sig").write_bytes(by.sign(b"words"))
    subprocess.run(
        [
            "openssl", "pkeyutl", "-verify", "-rawin", "-inkey", theirs,
            "-in", tmp_path / "words", "-sigfile", tmp_path / "sig",
        ],
        capture_output=True,
        check=True,
    )  # fmt: skip
