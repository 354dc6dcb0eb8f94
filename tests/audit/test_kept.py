from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.log.base import REDACTION
from llmops.log.layout import blob_path
from tests.audit.logs import Maker, looked_at, told


def one() -> tuple[Maker, str]:
    made = Maker()
    made.run()
    return made, next(iter(made.blobs))


def redacted(made: Maker, digest: str) -> int:
    subject = [{"name": "blob", "digest": {"sha256": digest.removeprefix("sha256:")}}]
    said = {"reason": "erasure", "redactedAt": "2026-11-23T08:00:00Z"}
    return made.say(REDACTION, said, subject)


def test_a_blob_that_is_gone_is_missed() -> None:
    made, digest = one()
    answer = looked_at(made.held(blobs={}))
    assert told(answer) == [("incomplete", 1)]
    assert answer.flaws[0].file == blob_path(digest)


def test_every_bit_of_a_blob_counts() -> None:
    made, digest = one()
    data = made.blobs[digest]
    for at in range(0, len(data) * 8, 7):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        answer = looked_at(made.held(blobs={digest: bytes(flipped)}))
        assert told(answer) == [("tampered", 1)]


def test_a_blob_that_nobody_names_is_told() -> None:
    made, _ = one()
    held = made.held()
    more = {**held.blobs, "sha256:" + "0" * 64: b"x"}
    answer = looked_at(replace(held, blobs=more))
    assert told(answer) == [("tampered", None)]
    assert answer.flaws[0].file == blob_path("sha256:" + "0" * 64)


def test_a_file_that_no_log_has_is_told() -> None:
    made, _ = one()
    answer = looked_at(made.held(strange=("README.md",)))
    assert [(flaw.reason, flaw.file) for flaw in answer.flaws] == [("tampered", "README.md")]


def test_a_blob_that_was_redacted_is_gone_by_somebody_s_word() -> None:
    made, digest = one()
    number = redacted(made, digest)
    assert looked_at(made.held(blobs={})).verified
    answer = looked_at(made.held())
    assert told(answer) == [("tampered", number)]


@pytest.mark.parametrize("subject", [[{}], ["x"], [{"digest": 1}], [{"digest": {"sha256": 7}}]])
def test_an_odd_redaction_takes_nothing_away(subject: list[object]) -> None:
    made, _ = one()
    made.say(REDACTION, {"redactedAt": "2026-11-23T08:00:00Z"}, subject)
    assert looked_at(made.held()).verified
    assert told(looked_at(made.held(blobs={}))) == [("incomplete", 1)]
