"""Rows that somebody shows are scored again, whatever JSON they are."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.audit.rescored import cells, checks, said
from llmops.jobs.base import Job
from llmops.specs.base import Ref

JOB = Job(
    "evaluate",
    Ref("Evaluation", "quality"),
    "sha256:" + "1" * 64,
    {"checks": [{"name": "right", "metric": "builtin/exact_match"}]},
)
CELL = {"right": {"value": 1, "valid": True}}
ROW: dict[str, Any] = {
    "id": "1", "input": "q", "expected": "yes", "response": "yes", "cells": CELL
}  # fmt: skip


def test_a_right_and_a_wrong_answer_are_scored_as_the_worker_does() -> None:
    assert dict(cells(ROW, checks(JOB))) == {"right": 1.0}
    assert dict(cells({**ROW, "response": "no"}, checks(JOB))) == {"right": 0.0}


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"cells": CELL},
        {**ROW, "cells": None},
        {**ROW, "cells": {"right": 1}},
        {**ROW, "cells": {"other": {}}},
        {**ROW, "response": None},
        {**ROW, "response": ["yes"]},
        {**ROW, "cells": {"right": {"value": None}}},
    ],
)
def test_a_row_that_claims_nothing_is_held_against_nobody(row: dict[str, Any]) -> None:
    assert list(cells(row, checks(JOB))) == []


@pytest.mark.parametrize("expected", [None, 3, ["a"], {"a": 1}])
def test_what_cannot_be_scored_is_not_right(expected: Any) -> None:
    row = {**ROW, "expected": expected}
    found = dict(cells(row, checks(JOB)))["right"]
    assert found != said(row, "right")


def test_a_row_without_an_expected_answer_ends_in_a_value_and_not_in_a_traceback() -> None:
    row = {name: value for name, value in ROW.items() if name != "expected"}
    assert dict(cells(row, checks(JOB)))["right"] != 1
