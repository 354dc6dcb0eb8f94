"""`openings.json`: one text, strictly read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmops.audit import opened
from llmops.audit.opened import Line, Openings
from llmops.digest import canonical, of_bytes
from llmops.evidence.public import Header, Opening

OF = of_bytes(b"rows")
SHOWN = Opening(OF, 3, "{}", bytes(32), (bytes(32),), (bytes(32), bytes(32)))
FOUND = Openings("种子", 2, ((Line(OF, 3, "rows.jsonl"), SHOWN), (Line(OF, 1, "rows.jsonl"), None)))


def test_what_is_written_is_read() -> None:
    assert opened.decode(opened.encode(FOUND)) == FOUND
    assert FOUND.shown == (SHOWN,)


def _with(**changes: Any) -> bytes:
    return canonical({**json.loads(opened.encode(FOUND)), **changes})


def _first(**changes: Any) -> bytes:
    said = json.loads(opened.encode(FOUND))
    return canonical({**said, "openings": [{**said["openings"][0], **changes}]})


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"\xff", b"[" * 100_000,
        opened.encode(FOUND) + b"\n",
        opened.encode(FOUND).replace(b":", b": ", 1),
        _with(format_version=2), _with(format_version=True), _with(more=1),
        _with(seed=1), _with(seed="x" * 201), _with(count=0), _with(count=-1), _with(count="2"),
        _with(count=10**9), _with(openings={}), _with(openings=[1]), _with(openings=[{}]),
        _first(line="3"), _first(of=1), _first(name=None), _first(text=1), _first(salt="00"),
        _first(salt="Z" * 64), _first(nonces="x"), _first(nonces=[1]), _first(path=[""]),
        _first(missing=True), _first(salt="AA" * 32),
    ],
)  # fmt: skip
def test_what_is_not_written_so_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        opened.decode(data)


def test_the_seed_chooses_and_nothing_else() -> None:
    def heads(lines: int) -> list[Header]:
        names = ("rows.jsonl", "anchors.jsonl", "findings.jsonl")
        return [Header(n, of_bytes(n.encode()), lines, (), bytes(32)) for n in names]

    one = opened.chosen("a", 20, heads(500))
    assert one == opened.chosen("a", 20, heads(500)[::-1]) == opened.chosen("a", 20, heads(500) * 2)
    assert one[:5] == opened.chosen("a", 5, heads(500))
    assert set(one).isdisjoint(opened.chosen("b", 20, heads(500)))
    assert {line.name for line in one} == {"rows.jsonl", "anchors.jsonl"}
    assert len(opened.chosen("a", 20, heads(3))) == 6
    assert opened.chosen("a", 0, heads(3)) == ()
