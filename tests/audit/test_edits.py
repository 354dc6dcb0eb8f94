"""Nobody's edit of a bundle verifies, and each is named for what it is.

A seeded sample by default: every kind of edit. `slow`: 20,000 edits, and every single-bit flip.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import cache

import pytest

from llmops.audit import container
from llmops.audit.source import Bundle, Unreadable
from tests.audit import edits, second
from tests.audit.edits import EDITS, Edited, Ground, packed
from tests.audit.ground import LATER, ROOT, answer, ground

two = second.load()
# What needs pages, shown lines, or a past that an auditor remembers.
WHOLE = {
    "a figure of a page is another", "a page says another outcome",
    "a line that is shown is another", "the older checkpoint lies over the newer log",
    "the log is rolled back", "the log went on otherwise",
    "the log is written again by its own key",
}  # fmt: skip
# What the second verifier does not do: pages, lines that are shown, withheld files, which objects
# a tree needs, the ledger's chain, comparisons, and what an auditor remembers.
ASIDE = {
    "a figure of a page is another", "a page says another outcome",
    "a withheld digest is another", "a line that is shown is another", "a file is put in",
    "another object stands under a name", "the gate signs another figure",
    "the gate leaves an attempt out", "the log is rolled back", "the log went on otherwise",
    "the log is written again by its own key", "a bit of a file is flipped",
    "a byte of a file is another", "a file is gone", "a file is cut short",
    "two files change places", "a payload is written otherwise",
}  # fmt: skip


@cache
def lean() -> Ground:
    """The log up to its first verdict: read in half the time."""
    full = ground()
    return replace(full, files=full.earlier, earlier={}, other={})


def made(name: str, number: int) -> Edited | None:
    """One edit by its dice, mostly of the lean bundle; None where it changes nothing."""
    one = ground() if number % 8 == 0 or name in WHOLE else lean()
    try:
        found = EDITS[name](random.Random(f"{name} {number}"), one)
    except LookupError:
        return None
    return None if found.data == packed(one.files) and found.before is None else found


def reasons(found: Edited) -> list[str]:
    """What is said of an edit, the worst first; nothing where it verifies."""
    try:
        said = answer(found.data, found.before)
    except Unreadable:
        return ["unreadable"]
    assert said.verified is not bool(said.flaws)
    return [flaw.reason for flaw in said.flaws]


def second_says(data: bytes) -> str:
    """The second verifier's reason, "" where it agrees."""
    try:
        list(two.verify(data, ROOT.digest[7:], datetime.fromisoformat(LATER)))
    except two.Wrong as wrong:
        return str(wrong.args[0])
    except two.UNREAD:
        return "unreadable"
    except two.SHAPELESS:
        return "tampered"
    return ""


def test_what_nobody_edited_verifies_by_both() -> None:
    one = ground()
    for files in (one.files, one.earlier, one.other):
        said = answer(packed(files))
        assert said.verified, said.flaws[:3]
        assert second_says(packed(files)) == ""
    before = edits.remembered(one, one.earlier)
    assert answer(packed(one.files), before).verified


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_seen_and_named(name: str) -> None:
    found = next(one for i in range(50) if (one := made(name, i)) is not None)
    said = reasons(found)
    assert said, f"{name} verifies"
    assert said[0] in found.reasons, said
    assert second_says(found.data) or name in ASIDE


def test_a_bundle_with_any_damage_never_verifies() -> None:
    """So the flips below need the container alone: what it names is in every answer."""
    data = packed(ground().files)
    rng = random.Random(4)
    for _ in range(8):
        flipped = bytearray(data)
        place = rng.randrange(4, len(data))
        flipped[place] ^= 1 << rng.randrange(8)
        flaws = list(Bundle.of("b", bytes(flipped)).flaws())
        assert flaws
        assert set(flaws) <= set(answer(bytes(flipped)).flaws)
        assert abs((flaws[0].offset or 0) - place) <= max(map(len, ground().files.values())) + 300


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_twenty_thousand_edits_are_seen_and_named(part: int) -> None:
    assert not missed(part * 1000, 1000)


def missed(start: int, count: int) -> Counter[str]:
    """The edits among `count` that verify, or that are named for something else."""
    names, found = list(EDITS), Counter[str]()
    for number in range(start, start + count):
        name = names[number % len(names)]
        one = made(name, number)
        while one is None:
            number += 100_000
            one = made(name, number)
        said = reasons(one)
        if not said or said[0] not in one.reasons:
            found[f"{name} {number}: {said[:1] or 'VERIFIED'}"] += 1
        elif not second_says(one.data) and name not in ASIDE:
            found[f"{name} {number}: the second verifier agrees"] += 1
    return found


@pytest.mark.slow
def test_no_bit_of_a_small_bundle_is_free() -> None:
    files = {path: data for path, data in ground().earlier.items() if "report/" not in path}
    data = packed(files)
    assert not free_bits(data, range(len(data)))


def free_bits(data: bytes, places: range) -> list[tuple[int, int]]:
    """Bits that may be turned without that anything is said."""
    found, kept = [], bytearray(data)
    for place in places:
        for bit in range(8):
            kept[place] ^= 1 << bit
            if unseen(bytes(kept)):
                found.append((place, bit))
            kept[place] ^= 1 << bit
    return found


def unseen(data: bytes) -> bool:
    """Whether a container is taken for one that was written by `llmops bundle`."""
    try:
        return container.read(data).damage is None
    except ValueError:
        return False
