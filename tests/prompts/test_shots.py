"""Few-shot files: examples line by line, and what is wrong with a line."""

from __future__ import annotations

import pytest

from llmops.prompts.shots import lines, turns

GOOD = b'{"user": "hi", "assistant": "hello"}\n\n{"user": "\xe4\xbd\xa0", "assistant": "ok"}\n'


def test_examples_are_read_in_order_without_empty_lines() -> None:
    assert [turn["user"] for turn in turns(GOOD)] == ["hi", "你"]
    assert [line.number for line in lines(GOOD)] == [1, 3]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b"{", "is no JSON"),
        (b"\xff", "is no UTF-8"),
        (b"[" * 100_000, "is no JSON"),
        (b"[1]", "is no JSON object"),
        (b'{"user": "hi"}', 'has no "assistant"'),
        (b'{"user": 1, "assistant": "x"}', 'has no text in "user"'),
        (b'{"user": " ", "assistant": "x"}', 'has no text in "user"'),
        (b'{"user": "a", "assistant": "b", "label": "c"}',
         'has "label", and an example is user and assistant'),
    ],
)  # fmt: skip
def test_a_line_that_is_no_example_says_why(line: bytes, wrong: str) -> None:
    (good, bad) = lines(b'{"user": "a", "assistant": "b"}\n' + line)
    assert (good.wrong, bad.number, bad.wrong) == ("", 2, wrong)
    with pytest.raises(ValueError, match="line 2 "):
        turns(b"\n" + line)
