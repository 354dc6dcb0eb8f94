"""Whatever bytes stand in a spec's file: read or refused, told with a place, in a bounded time."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from llmops.diagnostics import Diagnostic, render
from llmops.digest import canonical
from llmops.rewrites import style
from llmops.source.document import parse
from llmops.specs.load import load_one
from tests.mutations import LONG, SIZE, mutated
from tests.specs.examples import VALID

GOLDEN = Path(__file__).parents[1] / "golden"
PATH = "specs/fuzz.yaml"
SECONDS = 0.05  # of a quiet core for each 64 KiB; four times as much is allowed on a busy one


def told(data: bytes) -> tuple[Diagnostic, ...]:
    """All that is wrong with a file, rendered as a user sees it and checked on the way."""
    parsed = parse(PATH, data)
    spec, found = load_one(parsed.document) if parsed.document is not None else (None, ())
    every = (*parsed.diagnostics, *found)
    assert (spec is None) <= bool(every), "refused without a word"
    if spec is not None:
        canonical(dict(spec.value))
        canonical(dict(spec.projections))
    lines = parsed.text.split("\n")
    for one in every:
        assert one.span.path == PATH
        assert 1 <= one.span.line <= len(lines), one
        assert 1 <= one.span.column <= len(lines[one.span.line - 1]) + 1, one
        assert one.span.width >= 1
        assert one.message
        assert "\n" not in one.message
    shown = render(every, {PATH: parsed.text})
    assert shown.count(f"{PATH}:") >= len({one.sort_key for one in every})
    return every


def formatted(data: bytes) -> bool:
    """Whether `fmt` would write the file; then what it writes means the same and stays so."""
    before = parse(PATH, data.removeprefix(b"\xef\xbb\xbf")).document  # which fmt takes away
    made = style.formatted(data.decode("utf-8", "surrogateescape"), PATH)
    if made.text is None:
        assert made.diagnostics
        return False
    after = parse(PATH, made.text.encode()).document
    assert before is not None
    assert after is not None
    assert repr(_sorted(after.value)) == repr(_sorted(before.value))
    assert style.formatted(made.text, PATH).text == made.text
    return True


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def seeds() -> list[bytes]:
    """Every kind whole, and the mistakes that have a golden file."""
    wrong = [p.read_bytes() for name in ("yaml", "invalid") for p in (GOLDEN / name).glob("*.yaml")]
    return sorted(wrong) + [text.encode() for text in VALID.values()] * 10


def _mutate(count: int, seed: int) -> tuple[Counter[str], float]:
    """Which rules were told how often, and the most CPU seconds that 64 KiB took."""
    rng, given = random.Random(seed), seeds()
    rules: Counter[str] = Counter()
    slowest = 0.0
    for n in range(count):
        data = mutated(rng, given)
        started = time.process_time()
        try:
            rules.update(one.rule for one in told(data))
            took = time.process_time() - started
            rules["written by fmt"] += formatted(data)
        except Exception as error:
            raise AssertionError(f"input {n} of seed {seed}: {data!r}") from error
        slowest = max(slowest, took / max(1.0, len(data) / SIZE))
    return rules, slowest


def test_a_thousand_mutated_files_are_each_read_or_refused_with_a_place() -> None:
    rules, _ = _mutate(1_000, 20261126)
    assert len(rules) > 25
    assert rules["written by fmt"] > 100


def test_fmt_refuses_an_odd_line_end_as_validate_does() -> None:
    assert not formatted(b"a: 1\r\nb:\r\r\n  - x\r\n")
    assert formatted(b"a: 1\r\nb:\r\n  - x\r\n")


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_thousand_mutated_files_are_each_read_or_refused_with_a_place(
    seed: int,
) -> None:
    rules, slowest = _mutate(20_000, seed)
    assert len(rules) > 35
    assert rules["written by fmt"] > 2_000
    print(f"seed {seed}: slowest {1000 * slowest:.1f} ms of CPU; {rules.total():,} told")
    assert slowest < 4 * SECONDS


def test_no_shape_of_64_kib_takes_seconds() -> None:
    """Those that took from one to thirty seconds before; a quadratic reader is found again."""
    for name in ("sk- as a key", "a. as a key", "eyJaaaaaaaa- as a value", "training keys",
                 "keys of Release", "data as text"):  # fmt: skip
        started = time.process_time()
        told(LONG[name])
        assert time.process_time() - started < 0.8, name


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_a_file_of_64_kib_is_told_in_time_whatever_its_shape(name: str) -> None:
    took = []
    for _ in range(5):
        started = time.process_time()
        told(LONG[name])
        took.append(time.process_time() - started)
    print(f"{name}: {1000 * min(took):.1f} ms of CPU")
    assert min(took) < 4 * SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_a_file_of_64_kib_is_formatted_or_refused_whatever_its_shape(name: str) -> None:
    formatted(LONG[name])
