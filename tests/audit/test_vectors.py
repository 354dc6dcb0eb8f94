"""Two verifiers, and `llmops verify` behind one of them, say the same of the shared vectors."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from llmops.audit.source import Bundle
from llmops.audit.verify import Asked, verify
from tests.audit import second
from tests.tools import make_vectors

two = second.load()
FOLDER = make_vectors.FOLDER
LOGS: dict[str, Any] = json.loads((FOLDER / "logs.json").read_text("utf-8"))
CLAIMS: list[dict[str, Any]] = json.loads((FOLDER / "claims.json").read_text("utf-8"))
NOW = "2026-12-24T00:00:00Z"


def test_the_vectors_are_those_that_their_tool_makes() -> None:
    """If this fails after a change that was meant: python -m tests.tools.make_vectors."""
    made = make_vectors.files()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, data in made.items():
        assert (FOLDER / name).read_bytes() == data, name


@pytest.mark.parametrize("name", LOGS)
def test_both_say_of_a_log_what_the_vectors_say(name: str) -> None:
    pin, due = LOGS[name]["root"], LOGS[name]["reason"]
    data = (FOLDER / f"{name}.zip").read_bytes()
    said = verify(Bundle.of(name, data), Asked(NOW, {pin: "--root"}))
    assert said.verified is (due is None), said.flaws
    assert due is None or due in {flaw.reason for flaw in said.flaws}
    if due is None:
        list(two.verify(data, pin[7:], datetime.fromisoformat(NOW)))
    else:
        with pytest.raises(two.Wrong) as caught:
            list(two.verify(data, pin[7:], datetime.fromisoformat(NOW)))
        assert caught.value.args[0] == due


def test_both_say_of_a_claim_what_the_vectors_say() -> None:
    words = set()
    for one in CLAIMS:
        said = two.claim(one["terms"], one["level"], one["rows"])
        assert said == (one["n"], one["value"], one["assured"], one["literal"]), one["terms"]
        words.add((one["terms"]["kind"], one["terms"]["statistic"] != "", one["assured"]))
    for kind, statistic in (("binary", False), ("score", False), ("unbounded", True)):
        assert {w for k, s, w in words if (k, s) == (kind, statistic)} >= {
            "passed", "inconclusive", "failed",
        }  # fmt: skip
