"""A plan that is kept is told again, and only while it would be made again."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmops import pipeline
from llmops.cli import again
from llmops.source import kept
from tests.disk import Failing


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each plan that is made and not told again."""
    found: list[int] = []
    real = pipeline.make_plan

    def counted(*args, **more):
        found.append(1)
        return real(*args, **more)

    monkeypatch.setattr(pipeline, "make_plan", counted)
    return found


def test_a_plan_of_the_same_trees_is_told_again_and_not_made(llmops, bank, made) -> None:
    first = llmops("plan", "-C", bank.path, "--head", "change")
    assert llmops("plan", "-C", bank.path, "--head", "change") == first
    assert len(made) == 1


@pytest.mark.parametrize(
    "words",
    [("--width", "80"), ("--format", "markdown"), ("--no-reuse",), ("--color", "always"),
     ("--select", "Recipe/none"), ("--env", "local"), ("--head", "main")],
    ids=" ".join,
)  # fmt: skip
def test_another_question_is_answered_anew(llmops, bank, made, words) -> None:
    llmops("plan", "-C", bank.path, "--head", "change")
    llmops("plan", "-C", bank.path, "--head", "change", *words)
    assert len(made) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--out", "plan.json"),
        ("--fail-on", "gate"),
        ("--counted",),
        ("--exclude", "result:inconclusive"),
    ],
)
def test_what_does_more_than_to_tell_is_made_each_time(
    llmops, bank, made, words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bank.path)
    llmops("plan", "--head", "change", *words)
    once = len(made)
    llmops("plan", "--head", "change", *words)
    assert len(made) == 2 * once > 0


def test_evidence_that_comes_goes_or_breaks_is_seen(llmops, bank, made) -> None:
    words = ("plan", "-C", bank.path)
    before = llmops(*words)
    assert llmops("run", "-C", bank.path).code == 0
    proven = llmops(*words)
    assert proven.out != before.out
    assert llmops(*words) == proven
    rows = next((bank.path / "reports" / "runs").glob("*/artifacts/rows.jsonl"))
    whole = rows.read_bytes()
    rows.write_bytes(whole[:-2] + b" \n")
    broken = llmops(*words)
    assert "expected sha256:" in broken.err
    assert llmops(*words) == broken
    rows.write_bytes(whole)
    assert llmops(*words) == proven
    rows.unlink()
    assert llmops(*words).out != proven.out


def test_a_statement_whose_bytes_were_changed_is_seen(llmops, bank) -> None:
    assert llmops("run", "-C", bank.path).code == 0
    proven = llmops("plan", "-C", bank.path)
    statement = next((bank.path / "reports" / "evidence").glob("*/*.json"))
    statement.write_bytes(statement.read_bytes() + b" ")
    found = llmops("plan", "-C", bank.path)
    assert "holds other bytes than its name says" in found.err
    assert found.out != proven.out


def test_other_code_asks_another_question(
    llmops, bank, made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    llmops("plan", "-C", bank.path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "plan.py").write_text("x = 1\n")
    monkeypatch.setattr(again, "PACKAGE", tmp_path / "code")
    llmops("plan", "-C", bank.path)
    assert len(made) == 2


def test_a_run_that_ends_while_the_plan_is_made_leaves_nothing_to_tell(
    llmops, bank, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(("before", "after"))
    monkeypatch.setattr(again, "question", lambda *_: next(names))
    assert llmops("plan", "-C", bank.path).code == 0
    assert not list(cache.glob("plan-*"))


def _spoilt(data: bytes, other: bytes) -> Iterator[bytes]:
    rng = random.Random(5)
    for i in rng.sample(range(len(data)), 40):
        yield data[:i] + bytes([data[i] ^ 1 << rng.randrange(8)]) + data[i + 1 :]
        yield data[:i]
    yield from (b"", b"\0" * 4096, b"{}", other)


def test_a_file_that_is_damaged_or_of_another_question_is_never_told(
    llmops, bank, cache: Path
) -> None:
    right = llmops("plan", "-C", bank.path, "--head", "change")
    (file,) = cache.glob("plan-*")
    llmops("plan", "-C", bank.path, "--head", "main")
    (other,) = set(cache.glob("plan-*")) - {file}
    for spoilt in _spoilt(file.read_bytes(), other.read_bytes()):
        file.write_bytes(spoilt)
        assert again.answer(f"sha256:{file.stem.removeprefix('plan-')}") is None
    assert llmops("plan", "-C", bank.path, "--head", "change") == right


def test_a_cache_folder_that_cannot_be_written_costs_speed_only(
    llmops, bank, cache: Path, made
) -> None:
    cache.write_text("in the way")
    first = llmops("plan", "-C", bank.path)
    assert llmops("plan", "-C", bank.path) == first
    assert (first.code, first.err, len(made)) == (0, "", 2)


@pytest.mark.parametrize("fails_from", range(4))
def test_a_full_disk_costs_speed_only(tmp_path: Path, fails_from: int) -> None:
    file = tmp_path / "cache" / "plan-x.cache"
    kept.write(file, b"before")
    with pytest.MonkeyPatch.context() as patch:
        Failing(tmp_path, at=fails_from).shim(patch)
        kept.write(file, b"after" * 10_000)
    assert kept.read(file) in (b"before", b"after" * 10_000)


def test_two_plans_at_once_say_the_same(bank, cache: Path) -> None:
    command = [sys.executable, "-m", "llmops", "plan", "-C", str(bank.path), "--head", "change"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (one.communicate()[0] for one in both)
    assert first == second != b""
    assert len(list(cache.glob("plan-*"))) == 1
    assert subprocess.run(command, capture_output=True, check=True).stdout == first


def test_no_sequence_of_changes_makes_a_kept_plan_differ_from_a_new_one(
    llmops, bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trees, options and evidence go to and fro, so that old answers are asked for again."""
    rng = random.Random(11)
    files = sorted(p for p in (bank.path / "specs").rglob("*.yaml"))
    texts = {path: path.read_text("utf-8") for path in files}
    for step in range(30):
        rng.choice(_MOVES)(rng, texts, llmops, bank)
        words = ("plan", "-C", bank.path, *rng.choice(((), ("--no-reuse",), ("--format", "json"))))
        with monkeypatch.context() as patch:
            patch.setenv("LLMOPS_CACHE", str(tmp_path / f"new-{step}"))
            new = llmops(*words)
        assert llmops(*words) == new


def _edit(rng: random.Random, texts: dict[Path, str], *_: object) -> None:
    path = rng.choice(list(texts))
    edits = ("# a comment\n", "\n", "unknown: 1\n", "")
    path.write_text(texts[path] + rng.choice(edits), "utf-8")


def _number(rng: random.Random, texts: dict[Path, str], *_: object) -> None:
    path = rng.choice([p for p, text in texts.items() if "seed: " in text])
    path.write_text(texts[path].replace("seed: ", rng.choice(("seed: ", "seed: 1"))), "utf-8")


def _remove(rng: random.Random, texts: dict[Path, str], *_: object) -> None:
    rng.choice(list(texts)).unlink(missing_ok=True)


def _restore(rng: random.Random, texts: dict[Path, str], *_: object) -> None:
    for path, text in texts.items():
        path.write_text(text, "utf-8")


def _run(rng: random.Random, texts: dict[Path, str], llmops: Callable, bank: object) -> None:
    _restore(rng, texts)
    llmops("run", "-C", bank.path)  # type: ignore[attr-defined]


def _lose(rng: random.Random, texts: object, llmops: object, bank: object) -> None:
    reports = bank.path / "reports"  # type: ignore[attr-defined]
    found = sorted(p for p in reports.rglob("*.json*") if "artifacts" in p.parts)
    if found:
        rng.choice(found).unlink()


_MOVES = (_edit, _edit, _number, _remove, _restore, _restore, _run, _lose)
