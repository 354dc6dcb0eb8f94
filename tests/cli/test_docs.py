from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli import docs, manual

SHORT = [entry.short for entry in manual.entries("en")]


def test_without_a_page_every_page_is_listed_with_a_line_about_it(llmops) -> None:
    said = llmops("docs")
    assert said.code == 0
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in said.out.splitlines() if
              line.startswith("  ")}  # fmt: skip
    assert list(listed) == SHORT
    assert all(len(about) > 20 for about in listed.values())


@pytest.mark.parametrize("language", manual.languages())
def test_the_index_lists_each_page_once_and_no_other(language: str) -> None:
    root = manual.FOLDER / language
    there = {p.relative_to(root).with_suffix("").as_posix() for p in root.rglob("*.md")}
    listed = [entry.name for entry in manual.entries(language)]
    assert sorted(listed) == sorted(there - {manual.INDEX})
    assert len({entry.short for entry in manual.entries(language)}) == len(listed)


@pytest.mark.parametrize("name", ["closures", "explanation/closures", "closures.md"])
def test_a_page_is_printed_as_it_was_written_where_nobody_looks(llmops, name: str) -> None:
    said = llmops("docs", name)
    text = manual.path("en", "explanation/closures").read_text("utf-8")
    assert said.code == 0
    assert said.out.strip() == text.strip()


def test_no_mark_of_ours_is_printed(llmops) -> None:
    said = llmops("docs", "commands")
    assert "made:" not in said.out
    assert "| `llmops plan` |" in said.out


def test_a_section_ends_where_the_next_of_its_depth_begins(llmops) -> None:
    said = llmops("docs", "rules#bank-classes").out
    assert said.startswith("## bank-classes\n")
    assert "min_per_class" in said
    assert "\n## " not in said


def test_a_terminal_gets_the_page_laid_out_without_addresses(llmops) -> None:
    said = llmops("docs", "closures", "--color", "always").out
    assert "\x1b[" in said
    assert "resume.md" not in said
    assert "| `curate` |" not in said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("docs", "closure"), 'did you mean "closures"?'),
        (("docs", "rules#bank-clases"), 'did you mean "bank-classes"?'),
        (("docs", "../../secret"), "llmops docs lists them"),
        (("docs", "--search", " "), "llmops docs lists the pages"),
    ],
)
def test_what_is_not_there_hints_at_the_nearest(llmops, words, hint: str) -> None:
    said = llmops(*words)
    assert said.code == 2
    assert hint in said.err


def test_a_search_names_page_and_section_of_all_that_has_the_words(llmops) -> None:
    said = llmops("docs", "--search", "REBASE closures")
    assert said.code == 0
    where = {line.partition(":")[0] for line in said.out.splitlines()}
    assert "closures#what-follows-from-it" in where
    for one in where:
        assert "rebase" in llmops("docs", one).out.lower()


def test_a_search_is_short_and_fits_its_width(llmops) -> None:
    said = llmops("docs", "--search", "the", "--width", "60").out.splitlines()
    assert len(said) == docs.MOST + 1
    assert "more" in said[-1]
    inside = llmops("docs", "closures", "--search", "the", "--width", "60").out.splitlines()
    assert {line.partition("#")[0].partition(":")[0] for line in inside} == {"closures"}


def test_a_search_without_an_answer_says_so(llmops) -> None:
    said = llmops("docs", "--search", "zeppelin")
    assert said.code == 1
    assert 'nothing in the manual says "zeppelin"' in said.out


def test_the_file_of_a_page_can_be_opened(llmops) -> None:
    found = Path(llmops("docs", "kinds", "--path").out.strip())
    assert found.read_text("utf-8").startswith("# Kinds")
    assert Path(llmops("docs", "--path").out.strip()) == manual.FOLDER / "en"


def test_a_pager_shows_what_a_terminal_gets(tmp_path: Path, monkeypatch, llmops) -> None:
    pager = tmp_path / "pager"
    pager.write_text(f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'seen')!r}, 'w')"
                     ".write(sys.stdin.read())\n", encoding="utf-8")  # fmt: skip
    pager.chmod(pager.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(docs, "is_terminal", lambda: True)
    monkeypatch.setenv("PAGER", str(pager))
    assert llmops("docs", "closures").out == ""
    assert "why a job runs" in (tmp_path / "seen").read_text("utf-8")
    for broken in ("", "no-such-pager", "false"):
        monkeypatch.setenv("PAGER", broken)
        assert "why a job runs" in llmops("docs", "closures").out


def test_headings_of_any_script_have_the_anchors_of_github() -> None:
    text = "# A, b & `c`: d\n## 闭包：为什么不重跑？\n```sh\n# no heading\n```\n## a, b & c: d\n"
    assert [name for _, _, name in manual.anchors(text)] == [
        "a-b--c-d", "闭包为什么不重跑", "a-b--c-d-1",
    ]  # fmt: skip


def test_the_manual_needs_nothing_but_its_files(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llmops", "docs", "closures#what-is-kept"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(manual.FOLDER.parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("## What is kept")
