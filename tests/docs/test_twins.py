"""A page in another language says what the English one says: the same parts, code and numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmops.cli import manual
from tests.docs.twins import differences
from tests.tools import words
from tests.tools.make_docs import DOCS, MANUAL, MARK, ROOT, everything, fill, language, pages

OTHERS = [page for page in pages() if language(page) != "en"]
NAMES = [page.relative_to(ROOT).as_posix() for page in OTHERS]
LANGUAGES = [name for name in manual.languages() if name != "en"]
each_twin = pytest.mark.parametrize("page", OTHERS, ids=NAMES)


def english(page: Path) -> Path:
    """The page that a page is the twin of."""
    if page.is_relative_to(MANUAL):
        return DOCS / page.relative_to(MANUAL / language(page))
    return ROOT / "README.md"


@each_twin
def test_a_page_says_what_its_english_twin_says(page: Path) -> None:
    twin = english(page)
    assert twin.is_file(), f"{page.name} is the twin of nothing"
    found = list(differences(twin.read_text("utf-8"), page.read_text("utf-8")))
    assert found == []


@each_twin
def test_an_anchor_leads_to_the_heading_that_the_english_link_leads_to(page: Path) -> None:
    assert sorted(_places(page)) == sorted(_places(english(page)))


def _places(page: Path) -> list[tuple[str, int]]:
    """The file of each link with an anchor, and how many headings stand before that heading."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+#[^)\s]+)\)", MARK.sub("", page.read_text("utf-8"))):
        path, _, anchor = target.partition("#")
        if not path.startswith("http"):
            file = (page.parent / path).resolve() if path else page
            names = [name for _, _, name in manual.anchors(file.read_text("utf-8"))]
            assert anchor in names, target
            found.append((path.replace("docs/zh/", "docs/en/"), names.index(anchor)))
    return found


@each_twin
def test_no_english_is_left_in_a_made_part(page: Path) -> None:
    say = words.read(language(page))
    fill(page.read_text("utf-8"), say)
    assert say.missing == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_that_has_an_index_has_every_page(name: str) -> None:
    there = {p.relative_to(MANUAL / name) for p in (MANUAL / name).rglob("*.md")}
    assert {p.relative_to(DOCS) for p in DOCS.rglob("*.md")} == there
    assert (ROOT / f"README.{name}.md").is_file()


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_reader_can_change_the_language(name: str) -> None:
    assert f"](README.{name}.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "](README.md)" in (ROOT / f"README.{name}.md").read_text("utf-8")
    assert f"](../{name}/README.md)" in (DOCS / "README.md").read_text("utf-8")
    assert "](../en/README.md)" in (MANUAL / name / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(words.HERE.glob("words_*.json")), ids=lambda p: p.stem)
def test_a_catalogue_has_what_is_asked_for_and_keeps_its_code(path: Path) -> None:
    asked = everything(path.stem.removeprefix("words_"))
    assert set(asked.known) - set(asked.asked) == set()
    assert words.differing(asked.known) == []


# ---- what makes two pages differ ---------------------------------------------------------------

ONE = """# Rules
See [kinds](kinds.md#roles) for `--select`: 95 % of 300.
| a | b |
|---|---|
| 1 | 2 |
```sh
llmops plan   # what runs
```
"""
TWO = """# 规则
关于 `--select`，见[种类](kinds.md#角色)：300 行中的 95 %。
| 甲 | 乙 |
|---|---|
| 1 | 2 |
```sh
llmops plan   # 会执行什么
```
"""


def test_a_translated_page_is_a_twin() -> None:
    assert list(differences(ONE, TWO)) == []


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("# 规则", "## 规则", "headings"),
        ("# 规则", "规则", "headings"),
        ("llmops plan ", "llmops run ", "fences"),
        ("```sh", "```console", "fences"),
        ("kinds.md", "rules.md", "links"),
        ("`--select`", "选择", "code"),
        ("95 %", "九成半", "numbers"),
        ("| 1 | 2 |\n", "", "rows of tables"),
        ("| 1 | 2 |", "| 1 |", "rows of tables"),
        ("# 规则\n", "# 规则\n<!-- made: rules -->\n<!-- end -->\n", "made parts"),
    ],
)
def test_what_a_translation_lost_is_told(before: str, after: str, what: str) -> None:
    assert before in TWO
    told = list(differences(ONE, TWO.replace(before, after)))
    assert told[0].startswith(f"{what}: ")


# ---- words of made parts -----------------------------------------------------------------------


def test_a_made_part_is_said_in_the_language_of_its_page() -> None:
    say = words.Words("zh", {"kind": "种类", "What must hold.": "必须满足的条件。"})
    text = fill("<!-- made: kinds -->\n<!-- end -->", say)
    assert "| 种类 | is |" in text
    assert "| `Policy` | 必须满足的条件。 |" in text
    assert "is" in say.missing
    assert "kind" not in say.missing


def test_code_and_numbers_need_no_translation() -> None:
    say = words.Words("zh", {})
    assert [say("`true`, `false`"), say("0.05"), say("")] == ["`true`, `false`", "0.05", ""]
    assert say.missing == []


def test_a_line_break_of_the_source_is_none_of_the_text() -> None:
    assert words.Words("zh", {"one two": "一二"})("one\n  two") == "一二"


def test_a_translation_that_loses_code_is_told() -> None:
    known = {"has `a`": "有 `a`", "has `b`": "有 b", "from {low} up": "至少"}
    assert words.differing(known) == ["has `b`", "from {low} up"]
