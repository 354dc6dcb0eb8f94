from __future__ import annotations

from llmops.digest import of_bytes
from tests import keyring
from tests.audit.logs import GATE, Maker, looked_at, told


def test_a_run_that_was_announced_holds() -> None:
    made = Maker()
    made.run(start=made.start())
    answer = looked_at(made.held())
    assert answer.verified
    assert "unannounced" not in {gap.kind for gap in answer.not_shown}


def test_a_run_that_nobody_announced_is_told_and_no_flaw() -> None:
    made = Maker()
    made.run()
    answer = looked_at(made.held())
    assert answer.verified
    assert [g.count for g in answer.not_shown if g.kind == "unannounced"] == [1]


def test_a_start_of_which_nothing_came_is_told() -> None:
    made = Maker()
    made.start("a", "a" * 32)
    made.run("b", start=made.start("b", "b" * 32))
    answer = looked_at(made.held())
    assert answer.verified
    assert [g.count for g in answer.not_shown if g.kind == "unfinished"] == [1]


def test_a_start_after_its_run_is_none() -> None:
    made = Maker()
    start = made.start()
    made.run(start=start)
    made.entries[1], made.entries[2] = made.entries[2], made.entries[1]
    answer = looked_at(made.held())
    assert told(answer) == [("order", 1)]
    assert start in answer.flaws[0].what


def test_a_start_that_is_not_there_is_told() -> None:
    made = Maker()
    made.run(start=of_bytes(b"nowhere"))
    assert told(looked_at(made.held())) == [("order", 1)]


def test_one_nonce_is_one_start() -> None:
    made = Maker()
    made.start("a")
    made.start("b")
    answer = looked_at(made.held())
    assert told(answer) == [("order", 2)]
    assert "entry 1" in answer.flaws[0].what


def test_one_start_is_one_run() -> None:
    made = Maker()
    start = made.start()
    made.run(start=start)
    made.run(start=start, value=0.5)
    answer = looked_at(made.held())
    assert told(answer) == [("order", 3)]
    assert "entry 2" in answer.flaws[0].what


def test_a_start_of_another_job_is_none_of_its_own() -> None:
    made = Maker()
    made.run("b", start=made.start("a"))
    assert told(looked_at(made.held())) == [("order", 2)]


def test_a_run_that_ended_before_it_began_is_told() -> None:
    made = Maker()
    made.run(at="2026-11-22T07:00:00Z", start=made.start())
    assert told(looked_at(made.held())) == [("order", 2)]


def test_a_run_with_an_odd_statement_is_told() -> None:
    made = Maker()
    made.run(more={"subject": []})
    answer = looked_at(made.held())
    assert ("tampered", 1) in told(answer)


def test_rows_that_came_out_otherwise_the_second_time_are_told() -> None:
    made = Maker()
    made.run()
    made.run(value=0.5)
    answer = looked_at(made.held())
    assert answer.verified
    assert [g.count for g in answer.not_shown if g.kind == "several"] == [1]


def test_a_start_may_be_another_key_s_of_the_same_role_and_is_told_by_its_signature() -> None:
    made = Maker()
    made.run(start=made.start(by=keyring.person("mallory")), by=GATE)
    assert {entry for _, entry in told(looked_at(made.held()))} == {1, 2}
