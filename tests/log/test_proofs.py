"""Proofs as texts: what is written is read back, holds, and no bit of it is free."""

from __future__ import annotations

import pytest

from llmops import merkle
from llmops.log import proofs
from llmops.log.checkpoint import by_one_of, decode, sign
from tests.log.conftest import PEN, leaves

OWN = leaves(11)
HEAD = b"c2sp.org/tlog-proof@v1\n"
NOTE = sign("llmops.dev/bot", 11, merkle.root(OWN), PEN)


@pytest.mark.parametrize("index", range(11))
def test_a_proof_is_read_back_and_holds_for_its_leaf_alone(index: int) -> None:
    made = proofs.inclusion(OWN, index, NOTE)
    found = proofs.decoded(made.encode())
    assert found == made
    assert [found.holds(one) for one in OWN] == [at == index for at in range(11)]


def test_a_proof_is_written_as_c2sp_has_it() -> None:
    lines = proofs.inclusion(OWN, 10, NOTE).encode().decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 10"]
    assert lines[lines.index("") + 1] == "llmops.dev/bot"


def test_a_log_of_one_entry_has_a_proof_without_a_path() -> None:
    note = sign("llmops.dev/bot", 1, OWN[0], PEN)
    made = proofs.inclusion(OWN[:1], 0, note)
    assert made.encode().startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nllmops.dev/bot\n1\n")
    assert proofs.decoded(made.encode()).holds(OWN[0])


def test_no_bit_of_a_proof_is_free() -> None:
    """The path is bound by the root, and what the note says by whoever signed it."""
    data = proofs.inclusion(OWN, 4, NOTE).encode()
    assert shown(data)
    for bit in range(len(data) * 8):
        turned = bytearray(data)
        turned[bit // 8] ^= 1 << bit % 8
        assert not shown(bytes(turned)), bit


def shown(data: bytes) -> bool:
    """Whether a text shows that the leaf is in the log that the key signs."""
    try:
        found = proofs.decoded(data)
        return by_one_of(found.note, [PEN.public]).size > 4 and found.holds(OWN[4])
    except ValueError:
        return False


@pytest.mark.parametrize(
    "data",
    [b"", NOTE, HEAD + b"\n" + NOTE, HEAD.replace(b"v1", b"v2") + b"index 0\n\n" + NOTE,
     HEAD + b"index 00\n\n" + NOTE, HEAD + b"index 0\nAA=\n\n" + NOTE,
     HEAD + b"index 0\nAAAA\n\n" + NOTE, HEAD + b"index 0\n\nx",
     HEAD + "index 0\né\n\n".encode() + NOTE, HEAD + b"extra AAAA\nindex 0\n\n" + NOTE],
)  # fmt: skip
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"it |what should|base64|padding"):
        proofs.decoded(data)


def test_growth_is_shown_and_a_rewrite_is_not() -> None:
    after = decode(NOTE)
    for before in range(1, 12):
        first = decode(sign("llmops.dev/bot", before, merkle.root(OWN[:before]), PEN))
        made = proofs.consistency(OWN, first, after)
        assert made.holds()
        assert made.to_json()["path"] == [step.hex() for step in made.path]
        other = decode(sign("llmops.dev/bot", before, merkle.root(leaves(before, seed=8)), PEN))
        assert not proofs.consistency(OWN, other, after).holds()
