from __future__ import annotations

from dataclasses import replace

from llmops.attest import ledger
from llmops.digest import of_bytes
from tests.audit.logs import Maker, judged, looked_at, told


def test_a_ledger_in_its_order_holds() -> None:
    made = Maker()
    for _ in range(3):
        made.count()
    answer = looked_at(made.held())
    assert answer.verified
    assert answer.counts["ledger"] == 3


def test_an_entry_of_the_ledger_that_was_left_out_is_missed() -> None:
    made = Maker()
    for _ in range(3):
        made.count()
    del made.entries[2]
    answer = looked_at(made.held())
    assert told(answer) == [("attempts", 2)]
    assert "this is its entry 3, and 2 is next" in answer.flaws[0].what


def test_an_entry_that_follows_another_one_is_told() -> None:
    made = Maker()
    made.count()
    made.count(judged("other"))
    made.ledger[-1] = replace(made.ledger[-1], previous=of_bytes(b"x"))
    made.entries.pop()
    made.put(ledger.made(made.ledger[-1]).payload)
    assert told(looked_at(made.held())) == [("attempts", 2)]


def test_two_histories_of_the_ledger_are_told() -> None:
    made = Maker()
    made.count()
    made.ledger.clear()
    made.count(judged("another"))
    assert told(looked_at(made.held())) == [("attempts", 2)]


def test_a_verdict_that_only_the_ledger_tells_is_told_as_a_gap_only_among_signed_ones() -> None:
    made = Maker()
    made.count(judged("a"))
    answer = looked_at(made.held())
    assert answer.verified
    assert "untold" in {gap.kind for gap in answer.not_shown}
