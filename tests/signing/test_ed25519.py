from __future__ import annotations

import subprocess
from pathlib import Path

from llmops.signing.ed25519 import is_key, key_id, spki, verified
from tests.keyring import person

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points, by the textbook."""
    (x, y), (u, v) = a, b
    w = D * x * u * y * v % P
    return (x * v + y * u) * pow(1 + w, -1, P) % P, (y * v + x * u) * pow(1 - w, -1, P) % P


def _point(y: int) -> tuple[int, int] | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def test_every_point_whose_order_divides_eight_is_no_key_and_there_are_five_y() -> None:
    found = set()
    for y in range(2, 60):  # eight times anything has an order that is prime: take that part off
        point = _point(y)
        if point is None:
            continue
        for _ in range(3):
            point = _add(point, point)
        order = 2**252 + 27742317777372353535851937790883648493
        start, part = _point(y), (0, 1)
        assert start is not None
        for bit in bin(order)[2:]:
            part = _add(part, part)
            part = _add(part, start) if bit == "1" else part
        found.add(part[1])
    assert len(found) == 5
    assert not any(is_key(y.to_bytes(32, "little")) for y in found)
    assert not any(is_key((y | 1 << 255).to_bytes(32, "little")) for y in found)


def test_a_real_key_is_one_and_what_is_beyond_the_field_or_off_the_curve_is_none() -> None:
    assert is_key(person("ann").public)
    assert not is_key(b"\xff" * 32)
    assert not is_key(person("ann").public[:31])
    y = next(y for y in range(2, 99) if _point(y) is None)
    assert not is_key(y.to_bytes(32, "little"))


def test_only_the_same_message_under_the_same_key_is_verified() -> None:
    ann, bob = person("ann"), person("bob")
    made = ann.sign(b"words")
    assert verified(ann.public, b"words", made)
    assert not verified(ann.public, b"Words", made)
    assert not verified(bob.public, b"words", made)
    assert not verified(ann.public, b"words", made[:63])
    assert not verified(b"short", b"words", made)


def test_the_id_is_what_openssl_and_sha256_say(tmp_path: Path) -> None:
    file = tmp_path / "ann.der"
    file.write_bytes(spki(person("ann").public))
    said = subprocess.run(
        ["openssl", "pkey", "-pubin", "-inform", "DER", "-in", file, "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    assert said.stdout == file.read_bytes()
    summed = subprocess.run(["sha256sum"], input=said.stdout, capture_output=True, check=True)
    assert summed.stdout.split()[0].decode() == key_id(person("ann").public)
