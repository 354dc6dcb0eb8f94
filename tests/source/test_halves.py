"""Two processes make what one would make; where the other fails, its half is left to the caller."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from llmops import project
from llmops.source import halves
from llmops.source.cache import BlobCache
from tests.benchmarks import synthetic

TEXTS = {f"{i}": b"x" * i for i in range(halves.FEWEST + 1)}
two_cores = pytest.mark.skipif(not halves._two(), reason="one core")


def size(name: str, data: bytes) -> tuple[str, int]:
    return name, len(data)


@two_cores
def test_every_text_has_the_record_that_one_process_makes() -> None:
    assert halves.made(TEXTS, size) == {name: size(name, data) for name, data in TEXTS.items()}


@two_cores
def test_the_other_process_does_half_of_it() -> None:
    def who(name: str, _: bytes) -> int:
        return os.getpid()

    found = list(halves.made(TEXTS, who).values())
    assert found.count(os.getpid()) == len(TEXTS) // 2
    assert len(set(found)) == 2


@two_cores
@pytest.mark.parametrize("how", ["raises", "dies", "is no plain value"])
def test_where_the_other_process_fails_its_half_is_missing(how: str, capfd) -> None:
    here = os.getpid()

    def make(name: str, _: bytes) -> object:
        if os.getpid() == here:
            return 1
        if how == "raises":
            raise RuntimeError("in the other process")
        if how == "dies":
            os.kill(os.getpid(), 9)
        return object()

    assert halves.made(TEXTS, make) == dict.fromkeys(list(TEXTS)[: len(TEXTS) // 2], 1)
    assert capfd.readouterr() == ("", "")


@two_cores
def test_an_interrupt_does_not_wait_for_the_other_process() -> None:
    here = os.getpid()

    def make(_: str, __: bytes) -> int:
        if os.getpid() != here:
            time.sleep(60)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        halves.made(TEXTS, make)
    assert time.monotonic() - began < 30


def test_few_texts_are_worth_no_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    few = dict(list(TEXTS.items())[: halves.FEWEST - 1])
    assert halves.made(few, size) == {}
    assert halves.made(TEXTS, size) == {}  # nor where there is none to be had


@two_cores
def test_a_tree_read_by_two_is_the_tree_read_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic.repository(tmp_path, 60)
    (tmp_path / "specs" / "broken.yaml").write_text("kind: Nope\n")
    opened = project.Project.find(tmp_path, tmp_path / "cache")
    tree = opened.repository.work_tree()
    alone = project.read(opened, tree, BlobCache(None, "alone"))
    monkeypatch.setattr(halves, "FEWEST", 10)
    asked: list[str] = []
    real = halves.made

    def made(texts, make):
        found = real(texts, make)
        asked.extend(found)
        return found

    monkeypatch.setattr(halves, "made", made)
    both = project.read(opened, tree, BlobCache(None, "both"))
    assert len(asked) > 10
    assert both.loaded.specs == alone.loaded.specs
    assert list(both.loaded.specs) == list(alone.loaded.specs)
    assert both.diagnostics == alone.diagnostics
    assert any(found.rule == "unknown-kind" for found in both.diagnostics)
