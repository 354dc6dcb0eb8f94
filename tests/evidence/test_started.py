"""A start is told before the worker works, in one text, and nothing else is read as one."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.evidence.started import PREDICATE_TYPE, parse, started
from llmops.evidence.statement import statement
from llmops.jobs.base import Job, Result
from llmops.log.base import PROVENANCE, RUN, RUN_STARTED
from llmops.specs.base import Ref

CLOSURE = of_bytes(b"closure")
JOB = Job("evaluate", Ref("Evaluation", "quality"), CLOSURE, {"checks": []}, seed=3)
INPUTS = {"cases": of_bytes(b"cases")}
AT = "2026-11-22T08:00:00.000Z"
SAID = started(JOB, INPUTS, "ab" * 16, AT)


def test_a_start_says_what_is_to_run_and_given_exactly_as_the_run_will_say_it() -> None:
    read = parse(canonical(SAID))
    assert (read.closure, read.nonce, read.started_at) == (CLOSURE, "ab" * 16, AT)
    assert read.digest == of_bytes(canonical(SAID))
    result = Result(CLOSURE, "evaluate", "ok", AT, AT)
    assert statement(result, JOB, INPUTS)["predicate"]["job"] == read.job


def test_kinds_of_statements_are_those_of_the_log() -> None:
    from llmops.evidence import provenance
    from llmops.evidence.statement import PREDICATE_TYPE as OF_RUN

    assert (PREDICATE_TYPE, OF_RUN) == (RUN_STARTED, RUN)
    assert provenance.PREDICATE_TYPE == PROVENANCE


def changed(path: str, value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(SAID)
    *above, last = path.split(".")
    inner = made
    for key in above:
        inner = inner[key]
    inner[last] = value
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, changed("_type", "x"), changed("predicateType", RUN),
        changed("predicateType", []), changed("predicate", None), changed("predicate.job", {}),
        changed("predicate.nonce", "AB" * 16), changed("predicate.nonce", 7),
        changed("predicate.nonce", "ab" * 15), changed("predicate.startedAt", "yesterday"),
        changed("predicate.startedAt", "2026-11-22T08:00:00"), changed("predicate.startedAt", 7),
        changed("predicate.more", 1), changed("more", 1), changed("subject", []),
        changed("subject", SAID["subject"] * 2), changed("subject", {}), changed("subject", None),
        changed("subject", [{"name": "repo", "digest": {"sha256": CLOSURE[7:]}}]),
        changed("subject", [{"name": "closure", "digest": {"sha256": "short"}}]),
        changed("subject", [{"name": "closure", "digest": {"sha256": 7}}]),
    ],
)  # fmt: skip
def test_what_is_not_written_so_is_no_start(value: Any) -> None:
    with pytest.raises(ValueError, match="it"):
        parse(canonical(value))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b"[" * 50_000, canonical(SAID) + b"\n", json.dumps(SAID).encode()],
    ids=["empty", "cut", "no text", "deep", "newline", "blanks"],
)
def test_only_the_canonical_bytes_are_a_start(data: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse(data)
