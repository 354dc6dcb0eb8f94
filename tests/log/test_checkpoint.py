"""Checkpoints: the notes of C2SP, byte for byte, and every byte that is not as it should be."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.log.base import Checkpoint, Signed
from llmops.log.checkpoint import (
    COSIGNATURE,
    Key,
    body,
    by_one_of,
    decode,
    encode,
    opened,
    sign,
)
from llmops.signing.ed25519 import verified
from tests.keyring import person

ORIGIN = "llmops.dev/example.org/acme/bot"
PEN, OTHER, WITNESS = person("log"), person("other"), person("witness")
TOP = hashlib.sha256(b"root").digest()
NOTE = sign(ORIGIN, 42, TOP, PEN)
# The example of https://c2sp.org/tlog-cosignature, with one line of its log and one of a witness.
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()
# Keys that Go's own note package and checksum database are verified by.
KEYS = (
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
)
QUOTE = b"""\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
QUOTED = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def cosigned(note: bytes, name: str = "witness.example.org", at: int = 1_700_000_000) -> bytes:
    """The note with one more line, by a witness."""
    found = decode(note)
    said = b"cosignature/v1\ntime %d\n%b" % (at, body(found))
    value = at.to_bytes(8) + WITNESS.sign(said)
    line = Signed(name, Key(name, WITNESS.public, COSIGNATURE).hint, value)
    return encode(replace(found, signed=(*found.signed, line)))


@pytest.mark.parametrize("text", KEYS)
def test_keys_of_others_are_read_and_written_as_they_are(text: str) -> None:
    key = Key.parse(text)
    assert key.text == text
    assert key.hint.hex() == text.split("+")[1]


def test_a_signature_that_others_made_holds() -> None:
    raw = base64.b64decode(QUOTED)
    key = Key.parse(KEYS[0])
    assert raw[:4] == key.hint
    assert verified(key.public, QUOTE, raw[4:])


def test_the_example_of_the_format_is_read_and_written_as_it_is() -> None:
    found = decode(EXAMPLE)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert [line.name for line in found.signed] == [found.origin, "witness.example.com/w1"]
    assert encode(found) == EXAMPLE
    assert int.from_bytes(found.signed[1].value[:8]) == 1679315147


def test_a_checkpoint_is_three_lines_and_whoever_signed_them() -> None:
    text = NOTE.decode()
    assert text.startswith(f"{ORIGIN}\n42\n{base64.b64encode(TOP).decode()}\n\n— {ORIGIN} ")
    key = Key(ORIGIN, PEN.public)
    want = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + PEN.public).digest()[:4]
    assert key.hint == want
    assert opened(NOTE, [key]).by == (key,)
    assert by_one_of(NOTE, [OTHER.public, PEN.public]) == decode(NOTE)


def test_lines_of_nobody_known_are_kept_and_told() -> None:
    found = opened(cosigned(NOTE), [Key(ORIGIN, PEN.public)])
    assert [line.name for line in found.unknown] == ["witness.example.org"]
    witness = Key("witness.example.org", WITNESS.public, COSIGNATURE)
    both = opened(cosigned(NOTE), [Key(ORIGIN, PEN.public), witness])
    assert (len(both.by), both.unknown) == (2, ())
    assert opened(NOTE, [Key(ORIGIN, OTHER.public)]).by == ()


def test_the_log_s_key_under_another_name_is_not_the_log() -> None:
    found = decode(NOTE)
    name = "example.org/another"
    line = Signed(name, Key(name, PEN.public).hint, PEN.sign(body(found)))
    with pytest.raises(ValueError, match="no key that may sign for the log signed it"):
        by_one_of(encode(replace(found, signed=(line,))), [PEN.public])


def test_a_line_of_a_known_key_that_does_not_hold_spoils_the_note() -> None:
    found = decode(cosigned(NOTE))
    for at, line in enumerate(found.signed):
        for value in (line.value[:-1], line.value + b"\0", bytes([line.value[0] ^ 1]) + (
            line.value[1:]
        )):  # fmt: skip
            lines = list(found.signed)
            lines[at] = replace(line, value=value)
            keys = [
                Key(ORIGIN, PEN.public),
                Key("witness.example.org", WITNESS.public, COSIGNATURE),
            ]
            with pytest.raises(ValueError, match=r"the signature of .* does not hold"):
                opened(encode(replace(found, signed=tuple(lines))), keys)


def test_a_witness_s_line_does_not_stand_for_the_log_s() -> None:
    """The kind is in the hint: the same key as log and as witness are two."""
    found = decode(NOTE)
    as_witness = Key(ORIGIN, PEN.public, COSIGNATURE)
    assert as_witness.hint != Key(ORIGIN, PEN.public).hint
    line = Signed(ORIGIN, as_witness.hint, found.signed[0].value)
    with pytest.raises(ValueError, match="no key that may sign"):
        by_one_of(encode(replace(found, signed=(line,))), [PEN.public])


def test_no_bit_of_a_checkpoint_is_free() -> None:
    """Also of a witness's line, where its key is known."""
    data = cosigned(NOTE)
    keys = [Key(ORIGIN, PEN.public), Key("witness.example.org", WITNESS.public, COSIGNATURE)]
    assert not opened(data, keys).unknown
    caught = 0
    for bit in range(len(data) * 8):
        turned = bytearray(data)
        turned[bit // 8] ^= 1 << bit % 8
        try:
            found = opened(bytes(turned), keys)
        except ValueError:
            caught += 1
            continue
        assert found.unknown or len(found.by) < 2, bit
        caught += 1
    assert caught == len(data) * 8


ROOT64 = base64.b64encode(TOP).decode()
LINE = NOTE.decode().split("\n\n")[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not three lines"),
        (f"{ORIGIN}\n42\n{ROOT64}\n", "it is not three lines"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n", "nobody signed it"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n{LINE}".rstrip("\n"), "ends in the middle of a line"),
        (f"{ORIGIN}\n42\n\n{LINE}", "it is not three lines"),
        (f"{ORIGIN}\n42\n{ROOT64}\nextension\n\n{LINE}", "it is not three lines"),
        (f"\n42\n{ROOT64}\n\n{LINE}", "its origin is empty"),
        (f"a b\n42\n{ROOT64}\n\n{LINE}", "its origin is empty, or has blanks"),
        (f"a+b\n42\n{ROOT64}\n\n{LINE}", "or a plus in it"),
        (f"{ORIGIN}\r\n42\n{ROOT64}\n\n{LINE}", "its origin"),
        (f"{ORIGIN}\n042\n{ROOT64}\n\n{LINE}", "its size is no decimal number"),
        (f"{ORIGIN}\n-1\n{ROOT64}\n\n{LINE}", "its size is no decimal number"),
        (f"{ORIGIN}\n+1\n{ROOT64}\n\n{LINE}", "its size is no decimal number"),
        (f"{ORIGIN}\n\u0664\u0662\n{ROOT64}\n\n{LINE}", "its size is no decimal number"),
        (f"{ORIGIN}\n{10**17}\n{ROOT64}\n\n{LINE}", "its size is no decimal number"),
        (f"{ORIGIN}\n42\n{ROOT64[:-4]}\n\n{LINE}", "its root has 30 bytes"),
        (f"{ORIGIN}\n42\n{ROOT64[:-1]}\n\n{LINE}", "what should be base64 is none"),
        (f"{ORIGIN}\n42\n{ROOT64[:-2]}_=\n\n{LINE}", "what should be base64 is none"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n- {LINE[2:]}", "a signature line is not a dash"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n— {ORIGIN}\n", "a signature line is not a dash"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n— {ORIGIN} QUJDRA==\n", "a signature line has no signature"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n{LINE}{LINE}", "one key signed it twice"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n{LINE}\n", "a signature line is not a dash"),
        (f"{ORIGIN}\n42\n{ROOT64}\n\n{LINE}x\n", "a signature line is not a dash"),
        (f"\ufeff{ORIGIN}\n42\n{ROOT64}\n\n{LINE}", "its origin"),
    ],
)
def test_what_is_no_checkpoint_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode(text.encode())


def test_spare_bits_of_base64_are_not_free() -> None:
    """`B` and `C` before `=` give the same bytes: only one of them is written."""
    last = ROOT64[-2]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = alphabet[alphabet.index(last) ^ 1]
    text = NOTE.decode().replace(ROOT64, f"{ROOT64[:-2]}{twin}=")
    assert base64.b64decode(f"{ROOT64[:-2]}{twin}=") == TOP
    with pytest.raises(ValueError, match="byte for byte"):
        decode(text.encode())


def test_what_is_not_text_is_no_checkpoint() -> None:
    with pytest.raises(ValueError, match="it is not UTF-8"):
        decode(b"\xff" + NOTE)


def test_a_hundred_lines_are_read_and_no_more() -> None:
    found = decode(NOTE)
    more = tuple(Signed(f"w{at}.example.org", b"abcd", b"x") for at in range(99))
    assert len(decode(encode(replace(found, signed=(*found.signed, *more)))).signed) == 100
    with pytest.raises(ValueError, match="more than 100 signatures"):
        decode(encode(replace(found, signed=(*found.signed, *more, Signed("z", b"abcd", b"x")))))


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000+", KEYS[0].replace("c74f20a3", "c74f20a4"),
     KEYS[0].replace("+ARpc", "+BRpc"), "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
     Key("x", b"\0" * 32).text, Key("x", PEN.public, 2).text, KEYS[0] + "="],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Ed25519 key|hint|base64"):
        Key.parse(text)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1).filter(
    lambda text: "+" not in text and text.isprintable()
)


@settings(max_examples=100, deadline=None)
@given(NAMES, st.integers(0, 10**15), st.binary(min_size=32, max_size=32))
def test_reading_what_was_signed_gives_it_back(name: str, size: int, root: bytes) -> None:
    data = sign(name, size, root, PEN)
    assert by_one_of(data, [PEN.public]).root == root
    assert encode(decode(data)) == data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_make_it_stumble(data: bytes) -> None:
    try:
        found = decode(data)
    except ValueError:
        return
    assert encode(found) == data


def test_nobody_signs_by_an_empty_list_of_keys() -> None:
    with pytest.raises(ValueError, match="no key"):
        by_one_of(NOTE, [])
    assert Checkpoint("a", 0, b"").signed == ()
