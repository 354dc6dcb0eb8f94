"""Text of others is shown exactly and obeyed never: laws over any text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from cmarkgfm.cmark import Options
from cmarkgfm.cmark import github_flavored_markdown_to_html as to_html
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmops.reports.escape import around, code, code_cell, fence, hidden, inside_html, text, visible

MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})
EVERY_CHARACTER = st.characters(exclude_categories=())
PUNCTUATION = st.sampled_from(
    [*r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~ """, "\n", "1.", "www.a.b", "://", "@a", "&amp;", ":x:"]
)
WORDS = st.one_of(
    st.text(EVERY_CHARACTER, max_size=60), st.lists(PUNCTUATION, max_size=30).map("".join)
)
ZERO_WIDTH = "\u200b"


class Seen(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def plain(words: str) -> str:
    """What a reader sees: no zero width spaces, one space for each run of white space."""
    return re.sub(r"\s+", " ", words.replace(ZERO_WIDTH, "")).strip()


@given(WORDS)
@example("a\\|b")
@example("\\")
@example("- item")
@example("1. one")
@example("=====")
@example("<!-- x --><b>&lt;")
@example("www.www.x")
def test_text_renders_as_itself_and_as_nothing_else(words: str) -> None:
    seen = Seen(MARKDOWN.render(f"**x** {text(words)}"))
    assert set(seen.tags) <= {"p", "strong", "span"}
    assert plain(seen.text.removeprefix("x")) == plain(visible(words))


@given(WORDS)
@example("- item")
@example("1. one")
@example("# head")
@example("> quote")
def test_text_at_the_start_of_a_line_opens_no_block(words: str) -> None:
    assert set(Seen(MARKDOWN.render(text(words))).tags) <= {"p", "span"}


@given(WORDS, WORDS)
@example("|", "|")
@example("\\|", "`|`")
@example("`", "``|``")
def test_a_cell_stays_one_cell(first: str, second: str) -> None:
    page = MARKDOWN.render(f"| a | b |\n|---|---|\n| {text(first)} | {code_cell(second)} |")
    seen = Seen(page)
    cells = [plain(Seen(cell).text) for cell in re.findall(r"<td>(.*?)</td>", page, re.DOTALL)]
    assert cells == [plain(visible(first)), plain(visible(second, 200)) or "(empty)"]
    assert seen.tags.count("tr") == 2
    assert set(seen.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "span", "code"}


@given(WORDS)
@example("`")
@example("``` ``")
@example(" ` ")
def test_code_shows_exactly_what_it_holds(words: str) -> None:
    seen = Seen(MARKDOWN.render(f"x {code(words)}"))
    assert set(seen.tags) <= {"p", "code"}
    expected = visible(words, 200) if visible(words, 200).strip() else "(empty)"
    assert seen.text.removeprefix("x ").rstrip("\n").strip() == expected.strip()


@pytest.mark.parametrize("count", [1, 39, 40, 41, 79, 80, 81, 500])
def test_code_stays_dead_between_more_backticks_than_githubs_parser_knows(count: int) -> None:
    """cmark-gfm takes no run of more than 80 backticks for code, so what it held would be alive."""
    ticks = "`" * count
    for shown in (code(f"@octocat {ticks} #1", 1_000), code_cell(f"{ticks}@octocat|", 1_000)):
        page = to_html(f"| x |\n|---|\n| {shown} |", options=Options.CMARK_OPT_UNSAFE)
        outside = html.unescape(re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL))
        assert not re.search(r"@(?!\u200b)|#\d", outside)


@given(st.lists(WORDS, max_size=4))
@example(["```", "</details>", "`````"])
def test_a_fence_cannot_be_closed_from_inside(lines: list[str]) -> None:
    seen = Seen(MARKDOWN.render("\n".join(fence(lines, "diff"))))
    assert seen.tags == ["pre", "code"]
    assert seen.text.count("\n") == len(lines) + 1


@given(WORDS)
def test_visible_text_has_nothing_hidden(words: str) -> None:
    shown = visible(words)
    assert not any(hidden(char) for char in shown)
    shown.encode("utf-8")


@given(WORDS)
def test_no_mention_link_or_reference_survives(words: str) -> None:
    decoded = html.unescape(text(words))
    assert not re.search(r"@(?!\u200b)", decoded)
    assert not re.search(r"https?://|www\.|#\d|\bGH-\d", decoded, re.IGNORECASE)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("中文 ✅ 👩\u200d💻", "中文 ✅ 👩\u200d💻"),
    ],
)
def test_hidden_characters_become_escapes_and_honest_ones_stay(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_a_long_text_is_cut_before_it_costs_anything() -> None:
    assert visible("x" * 1_000_000, 10) == "xxxxxxxxx…"


def test_two_long_texts_show_where_they_differ() -> None:
    before, after = around("a" * 200 + "old" + "b" * 200, "a" * 200 + "new!" + "b" * 200)
    assert before == "…aaaaaaaaaaaaoldbbbbbbbbbbbb…"
    assert after == "…aaaaaaaaaaaanew!bbbbbbbbbbbb…"


def test_two_short_texts_stay_whole() -> None:
    assert around("8", "16") == ("8", "16")


def test_words_inside_html_are_dead_and_have_no_backslash_of_ours() -> None:
    said = inside_html("*a*@team <b> [x](http://y) #3")
    assert said == "*a*@\u200bteam &lt;b&gt; [x](http:\u200b//y) #\u200b3"
