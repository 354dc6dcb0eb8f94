"""Spec texts spoiled at random: formatted with the same meaning, or refused as `parse` refuses."""

from __future__ import annotations

import random

import pytest

from llmops.rewrites.style import data, formatted, same, unmarked
from llmops.source.document import parse
from tests.rewrites.texts import OTHERS, OURS, paths, text

TEXTS = [found for path in paths(*OURS, *OTHERS) if len(found := text(path)) < 6_000]
BITS = (
    "# c", "  # c", "\n", "\n\n", " ", "  ", "- ", "#", ":", ": ", "{", "}", "[", "]", ",", "'",
    '"', "|\n", ">\n", "|+\n", "\t", "no", "\r\n", "? ", "&a", "*a", "!x", "---\n", "...\n", "%",
    "中", "\ufeff", "\\", "    # deep\n", "# at zero\n",
)  # fmt: skip


def spoiled(draw: random.Random) -> str:
    found = draw.choice(TEXTS)
    for _ in range(draw.randint(1, 6)):
        lines, at, kind = found.split("\n"), draw.randrange(len(found) + 1), draw.random()
        line = draw.randrange(len(lines))
        if kind < 0.4:
            found = found[:at] + draw.choice(BITS) + found[at:]
            continue
        if kind < 0.5:
            found = found[:at] + found[at + draw.randint(1, 5) :]
            continue
        if kind < 0.7:
            lines.insert(line, draw.choice(["# own", "    # own", "  # own", "", "        # far"]))
        elif kind < 0.9:
            lines[line] += draw.choice(["  # end", " #end", "  "])
        else:
            lines[line] = " " * draw.randint(0, 6) + lines[line].lstrip()
        found = "\n".join(lines)
    return found


def hold(count: int, seed: int) -> int:
    """How many of the texts could be read."""
    draw, right = random.Random(seed), 0
    for _ in range(count):
        source = spoiled(draw)
        before = parse("x.yaml", data(unmarked(source)))
        done = formatted(source, "x.yaml")
        if before.document is None:
            assert done.text is None, source
            assert done.diagnostics == before.diagnostics
            continue
        right += 1
        assert done.text is not None, (source, done.diagnostics)
        after = parse("x.yaml", data(done.text)).document
        assert after is not None
        assert same(after, before.document), source
        assert formatted(done.text, "x.yaml").text == done.text, source
    return right


def test_spoiled_texts_are_formatted_or_refused() -> None:
    assert hold(800, 7) > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_very_many_spoiled_texts_are_formatted_or_refused(seed: int) -> None:
    assert hold(25_000, seed) > 3_000


def test_a_line_feed_inside_a_plain_text_is_kept() -> None:
    source = "a: b\n\n  c\nd: {e: f\n\n  g, h: |x}\n".replace("|x", "x")
    assert formatted(source, "x.yaml").text == 'a: "b\\nc"\nd: {e: "f\\ng", h: x}\n'
