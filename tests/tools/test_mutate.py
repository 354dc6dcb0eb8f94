"""Mutants: each is one change that can matter, and the same seed draws the same ones."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.tools import mutate

CODE = '''
"""A docstring with 3 numbers."""
from functools import lru_cache

@lru_cache(maxsize=8)
def inside(x: float, low: float = 0.5) -> bool:
    """Whether it is at least 1."""
    if not (low <= x and x is not None):
        return False
    if x > 3:
        print(x)
        raise ValueError(x)
    return x + 1 > 2
'''


def changed(code: str) -> set[tuple[str, str]]:
    return {(m.before, m.after) for m in mutate.mutants("a.py", code)}


def test_every_kind_of_mistake_is_made() -> None:
    found = changed(CODE)
    assert {
        ("low <= x", "low < x"), ("low <= x", "low > x"), ("x is not None", "x is None"),
        ("low <= x and x is not None", "low <= x or x is not None"), ("x + 1", "x - 1"),
        ("not (low <= x and x is not None)", "low <= x and x is not None"), ("0.5", "0.75"),
        ("return False", "return None"), ("False", "True"), ("2", "3"), ("1", "2"),
        ("raise ValueError(x)", "pass"), ("print(x)", "pass"),
    } <= found  # fmt: skip


def test_words_annotations_and_decorators_are_left_alone() -> None:
    assert not [pair for pair in changed(CODE) if "docstring" in pair[0] or "8" in pair[0]]
    assert changed("def f(x: int | None) -> float | None: ...") == set()
    assert changed("assert x > 0") == set()


def test_each_mutant_is_one_change_that_python_can_read() -> None:
    source = (mutate.ROOT / "llmops" / "statistics" / "holm.py").read_text("utf-8")
    same = ast.unparse(ast.parse(source))
    found = list(mutate.mutants("holm.py", source))
    sources = {m.applied(source) for m in found}
    assert len(sources) == len(found) > 10
    assert same not in sources
    for text in sources:
        compile(text, "holm.py", "exec")


def test_the_seed_alone_says_which_are_drawn() -> None:
    first, again, other = (mutate.drawn("statistics", seed, 30) for seed in (1, 1, 2))
    assert [str(m) for m in first] == [str(m) for m in again] != [str(m) for m in other]
    assert len(mutate.drawn("statistics", 1, 10**6)) > 1000


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.slow
def test_a_mistake_is_killed_and_a_harmless_change_survives(tmp_path: Path) -> None:
    """On a tree with one module and one test, through real runs of pytest."""
    for folder in ("llmops/room", "tests/room"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "llmops" / "__init__.py").touch()
    code = "def double(x):\n    spare = 3\n    return x * 2\n"
    (tmp_path / "llmops" / "room" / "one.py").write_text(code)
    (tmp_path / "tests" / "room" / "test_one.py").write_text(
        "from llmops.room.one import double\n\ndef test_it() -> None:\n    assert double(3) == 6\n"
    )
    usual: mutate.Usual = {}
    words = {
        (m.before, m.after): mutate.killed(tmp_path, "room", m, usual)
        for m in mutate.mutants("llmops/room/one.py", code)
    }
    assert words == {
        ("3", "4"): False, ("x * 2", "x / 2"): True, ("2", "3"): True,
        ("return x * 2", "return None"): True,
    }  # fmt: skip
    assert (tmp_path / "llmops" / "room" / "one.py").read_text() == code
