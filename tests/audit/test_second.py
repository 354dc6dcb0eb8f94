"""The parts of the second verifier against other people's code and numbers."""

from __future__ import annotations

import ast
import hashlib
import math
import random
import sys
from decimal import Decimal

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from scipy.stats import beta, binom

from llmops import merkle
from llmops.statistics import order, star
from tests.audit import second

two = second.load()
# RFC 8032, 7.1: TEST 1, TEST 2, TEST 3, TEST SHA(abc)
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
        "4dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c664"
        "31e0303dca179c138ac17ad9bef1177331a704",
    ),
]


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """What OpenSSL says, by way of `cryptography`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_it_is_one_short_file_that_needs_python_alone() -> None:
    source = second.FILE.read_text("utf-8")
    assert len(source.splitlines()) <= 400
    tree = ast.parse(source)
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_hold_and_no_bit_of_them_is_free(
    public: str, message: str, signature: str
) -> None:
    key, said, made = map(bytes.fromhex, (public, message, signature))
    assert two.signed(key, said, made)
    for bit in range(0, 512, 3):
        flipped = bytearray(made)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not two.signed(key, said, bytes(flipped))


def test_it_says_of_signatures_what_openssl_says() -> None:
    rng = random.Random(8032)
    for _ in range(6):
        key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        public = key.public_key().public_bytes_raw()
        for _ in range(25):
            message = rng.randbytes(rng.randrange(200))
            made = bytearray(key.sign(message))
            if rng.random() < 0.6:
                made[rng.randrange(64)] ^= 1 << rng.randrange(8)
            assert two.signed(public, message, bytes(made)) is holds(public, message, bytes(made))


def test_a_signature_has_one_form() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, made = key.public_key().public_bytes_raw(), key.sign(b"m")
    more = int.from_bytes(made[32:], "little") + two.L  # the same number modulo the order
    assert not two.signed(public, b"m", made[:32] + more.to_bytes(32, "little"))
    assert not two.signed(public, b"m", made + b"\0")
    assert not two.signed(public, b"m", made[:63])


@pytest.mark.parametrize(
    "key",
    [
        bytes([2]) + bytes(31),  # no x to this y
        two.P.to_bytes(32, "little"),  # y not below p
        (two.P + 1).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with a sign
        (1).to_bytes(32, "little"),  # the neutral point
        bytes(32),  # a point of order 4
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  # of 8
        bytes(31),
        bytes(33),
    ],
)
def test_what_is_no_point_or_of_small_order_is_no_key(key: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        two.table(key)


@pytest.mark.parametrize("size", [*range(20), 63, 64, 65, 100])
def test_roots_are_those_of_the_log(size: int) -> None:
    leaves = [merkle.leaf(b"%d" % i) for i in range(size)]
    assert two.merkle(leaves) == merkle.root(leaves)


def test_tails_are_scipys() -> None:
    rng = random.Random(1934)
    for _ in range(400):
        n = rng.randint(1, 3000)
        k, p = rng.randint(0, n + 1), round(rng.random(), 3)
        expected = binom.sf(k - 1, n, p)
        assert math.isclose(two.tail(k, n, Decimal(str(p))), expected, rel_tol=1e-9, abs_tol=1e-280)


def judged(k: int, n: int, side: str, t: str, alpha: str = "0.05") -> str:
    """A claim on a share, through rows that are right or wrong."""
    told = {
        **TERMS,
        "kind": "binary",
        "at_least": None,
        f"at_{'least' if side == 'min' else 'most'}": t,
    }
    said = two.claim(told, alpha, rows([1.0] * k + [0.0] * (n - k)))
    assert said[:2] == (n, pytest.approx(k / n))
    return str(said[2])


def test_a_share_is_judged_as_the_bounds_of_clopper_and_pearson_say() -> None:
    rng = random.Random(95)
    for _ in range(300):
        n, alpha = rng.randint(1, 300), rng.choice(["0.05", "0.025", "0.0125"])
        k, t = rng.randint(0, n), str(round(rng.random(), rng.choice([1, 2, 3])))
        low = beta.ppf(float(alpha), k, n - k + 1) if k else 0.0
        high = beta.isf(float(alpha), k + 1, n - k) if k < n else 1.0
        at_least = "passed" if low >= float(t) else "failed" if high < float(t) else "inconclusive"
        at_most = "passed" if high <= float(t) else "failed" if low > float(t) else "inconclusive"
        assert judged(k, n, "min", t, alpha) == at_least
        assert judged(k, n, "max", t, alpha) == at_most


@pytest.mark.parametrize(
    ("k", "n", "side", "t"),
    [
        (916, 1000, "min", "0.9"), (292, 300, "min", "0.95"), (3861, 4000, "min", "0.96"),
        (9985, 9985, "min", "0.9997"), (15811, 15812, "min", "0.9997"),
        (20982, 20984, "min", "0.9997"), (8, 300, "max", "0.05"), (59, 59, "min", "0.95"),
        (299, 299, "min", "0.99"),
    ],
)  # fmt: skip
def test_the_numbers_of_the_documents_are_the_first_that_pass(
    k: int, n: int, side: str, t: str
) -> None:
    alpha, bound = Decimal("0.05"), Decimal(t)
    if side == "max":
        k, bound = n - k, 1 - bound
    assert two.share(k, n, bound, alpha) == (True, False)
    assert not two.share(k - 1, n, bound, alpha)[0]
    assert k != n or not two.share(n - 1, n - 1, bound, alpha)[0]


@pytest.mark.parametrize(("side", "t"), [("min", "0"), ("max", "1")])
def test_what_holds_of_every_share_is_shown(side: str, t: str) -> None:
    for k in (0, 3, 5):
        assert judged(k, 5, side, t) == "passed"


def test_a_mean_is_judged_as_the_first_verifier_judges_it() -> None:
    rng = random.Random(2505)
    seen = set()
    for _ in range(300):
        n, a, width = rng.randint(1, 300), rng.choice([0.0, -1.0]), rng.choice([1.0, 2.0])
        b, level = a + width, rng.choice([0.05, 0.025])
        shape = rng.choice([0.5, 2.0, 20.0])
        xs = [a + width * rng.betavariate(shape, 1) for _ in range(n)]
        t = min(b, max(a, sum(xs) / n + rng.choice([-0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.3]) * width))
        above = star.rejects_at_most(xs, t, a, b, level)
        below = star.rejects_at_least(xs, t, a, b, level)
        assert two.star(xs, t, a, b, level) is above
        assert two.star([a + b - x for x in xs], a + b - t, a, b, level) is below
        seen.add((above, below))
    assert seen == {(True, False), (False, True), (False, False)}


def test_nothing_is_refuted_outside_of_what_can_be() -> None:
    for xs in ([0.0] * 50, [1.0] * 50, []):
        assert not two.star(xs, 0.0, 0.0, 1.0, 0.05)
    assert two.star([0.5], -0.1, 0.0, 1.0, 0.05)
    assert not two.star([], -0.1, 0.0, 1.0, 0.05)


def test_all_right_shows_what_the_documents_say() -> None:
    """200 times 1.0 gives 0.9847."""
    assert two.star([1.0] * 200, 0.9847, 0.0, 1.0, 0.05)
    assert not two.star([1.0] * 200, 0.9849, 0.0, 1.0, 0.05)


TERMS = {
    "check": "a", "metric": "builtin/token_f1", "kind": "score", "lower": "0", "upper": "1",
    "at_least": "0.5", "at_most": None, "gate": "Evaluation/q/a", "dataset": "bank",
    "split": "test", "errors_allowed": "0", "pass_at": None, "statistic": "", "column": "",
    "group": "",
}  # fmt: skip


def rows(values: list[object], **more: object) -> list[dict[str, object]]:
    return [
        {"case": f"sha256:{i:064x}", "cells": {"a": {"value": v, "valid": v is not None}}, **more}
        for i, v in enumerate(values)
    ]


def test_a_mean_is_tested_in_the_order_of_the_hashes() -> None:
    """The order is that of the digest of data set, part, gate and case, not that of the file."""
    rng = random.Random(3)
    values = [rng.random() for _ in range(60)]
    given = rows(list(values))
    cases = tuple(str(row["case"]) for row in given)
    ranked = [values[i] for i in order.ranking("bank", "test", "Evaluation/q/a", cases)]
    seen = set()
    for t in (i / 100 for i in range(20, 80, 2)):
        said = two.claim({**TERMS, "at_least": str(t)}, "0.05", given)
        above = star.rejects_at_most(ranked, t, 0.0, 1.0, 0.05)
        below = star.rejects_at_least(ranked, t, 0.0, 1.0, 0.05)
        assert said[2] == ("failed" if below else "passed" if above else "inconclusive")
        assert said[1] == math.fsum(values) / 60
        assert said[3] == ("passed" if said[1] >= t else "failed")
        assert two.claim({**TERMS, "at_least": str(t)}, "0.05", given[::-1]) == said
        seen.add(said[2])
    assert seen == {"passed", "failed", "inconclusive"}


def test_both_sides_of_a_range_must_be_shown() -> None:
    told = {**TERMS, "at_least": "0.3", "at_most": "0.7"}
    assert two.claim(told, "0.05", rows([0.5] * 200))[2:] == ("passed", "passed")
    assert (
        two.claim({**told, "at_most": "0.51"}, "0.05", rows([0.0, 1.0] * 100))[2] == "inconclusive"
    )
    assert two.claim({**told, "at_most": "0.4"}, "0.05", rows([0.5] * 200))[2:] == (
        "failed", "failed",
    )  # fmt: skip


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, True, "1", 1.5, -0.5])
def test_a_cell_without_a_value_decides_nothing_unless_it_is_allowed(bad: object) -> None:
    given = rows([1.0] * 100)
    given[7]["cells"] = {"a": {"value": bad, "valid": True}}
    allowed = {**TERMS, "errors_allowed": "0.01"}
    assert two.claim(TERMS, "0.05", given) == (100, None, "", "")
    assert two.claim(allowed, "0.05", given) == (100, 0.99, "passed", "passed")  # as the worst
    told = {**allowed, "at_least": None, "at_most": "0.5"}
    assert two.claim(told, "0.05", given) == (100, 1.0, "failed", "failed")


def test_a_value_that_is_not_valid_is_none() -> None:
    given = rows([1.0] * 100)
    given[7]["cells"] = {"a": {"value": 1.0, "valid": False}}
    assert two.claim(TERMS, "0.05", given) == (100, None, "", "")
    given[7]["cells"] = {}
    assert two.claim(TERMS, "0.05", given) == (100, None, "", "")


def test_no_case_and_a_case_twice_decide_nothing() -> None:
    assert two.claim(TERMS, "0.05", []) == (0, None, "", "")
    assert two.claim(TERMS, "0.05", [*rows([1.0] * 50), *rows([1.0])]) == (51, None, "", "")


def test_a_score_counts_as_right_from_its_cut_on() -> None:
    told = {**TERMS, "kind": "binary", "pass_at": "0.7", "at_least": "0.8"}
    said = two.claim(told, "0.05", rows([0.7] * 97 + [0.69] * 3))
    assert said == (100, 0.97, "passed", "passed")


def test_a_right_or_wrong_is_one_or_nought() -> None:
    told = {**TERMS, "kind": "binary", "metric": "builtin/accuracy"}
    assert two.claim(told, "0.05", rows([1.0] * 99 + [0.5]))[1] is None


def test_a_group_is_judged_by_its_own_rows() -> None:
    given = rows([1.0] * 100, columns={"language": "zh", "n": 7})
    given += [{**r, "case": f"x{r['case']}", "columns": {}} for r in rows([0.0] * 100)]
    told = {**TERMS, "column": "language"}
    assert two.claim({**told, "group": "zh"}, "0.05", given)[2] == "passed"
    assert two.claim({**told, "group": "(none)"}, "0.05", given)[2] == "failed"
    assert two.claim({**told, "group": "fr"}, "0.05", given) == (0, None, "", "")
    assert two.claim({**told, "column": "n", "group": "7"}, "0.05", given)[2] == "passed"


def test_a_transformation_that_changes_nothing_is_left_out() -> None:
    given = rows([1.0] * 100)
    given[0]["cells"] = {"a": {"value": 0.0, "valid": True, "applies": False}}
    given[1]["cells"] = {"a": {"value": 0.0, "valid": False, "applies": False}}
    told = {**TERMS, "kind": "binary", "metric": "giskard/typos", "errors_allowed": "1"}
    assert two.claim(told, "0.05", given)[0] == 99
    assert two.claim({**told, "metric": "builtin/matches"}, "0.05", given)[0] == 100


@pytest.mark.parametrize(
    ("values", "side", "word", "middle", "point"),
    [
        ([10.1] * 59, "at_most", "passed", 10.1, "passed"),
        ([10.1] * 58, "at_most", "inconclusive", 10.1, "passed"),
        ([10.1] * 40 + [99.0] * 19, "at_most", "failed", 99.0, "failed"),
        ([10.1] * 59, "at_least", "passed", 10.1, "passed"),
        ([99.0, *[1.0] * 59], "at_least", "failed", 1.0, "failed"),
    ],
)
def test_a_percentile_is_a_share(
    values: list[object], side: str, word: str, middle: float, point: str
) -> None:
    told = {**TERMS, "metric": "builtin/latency_ms", "kind": "unbounded", "upper": None,
            "statistic": "p95", "at_least": None, side: "10.1"}  # fmt: skip
    told["statistic"] = "p95" if side == "at_most" else "p05" if word == "passed" else "p50"
    assert two.claim(told, "0.05", rows(values)) == (len(values), middle, word, point)
    assert two.claim({**told, "statistic": ""}, "0.05", rows(values))[1] is None
