"""A page as a reader of GitHub gets it: what of it is alive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from cmarkgfm.cmark import Options
from cmarkgfm.cmark import github_flavored_markdown_to_html as to_html

from llmops.reports.escape import hidden

OURS = {
    "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "sub",
    "span", "br", "code", "pre", "blockquote", "strong",
}  # fmt: skip
# What GitHub makes of plain text after Markdown: mentions, references, emoji, formulas, links.
LIVE = re.compile(
    r"@(?!\u200b)[A-Za-z0-9]|#\d|\bGH-\d|:[a-z0-9_+-]+:|://[^\u200b]|\bwww\.|\$[^$\s]",
    re.IGNORECASE,
)


@dataclass
class Page(HTMLParser):
    """The tags, links and texts of a rendered page."""

    markdown: str
    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    opened: list[str] = field(default_factory=list)
    text: str = ""  # outside code, where GitHub looks for what to make alive
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(to_html(self.markdown, options=Options.CMARK_OPT_UNSAFE))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{tag}.{name}" for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag != "br":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened, f"</{tag}> closes nothing"
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        if "span" in self.opened:  # GitHub's own way to write a dollar that begins no formula
            self.text += data.replace("$", "¤")
        elif not {"code", "pre"} & set(self.opened):
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def dead(markdown: str, homes: tuple[str, ...]) -> None:
    """Assert that a page is ours alone: no tag, link, mention, picture or hidden character more.

    `homes`: what every link begins with.
    """
    assert not any(hidden(char) for char in markdown if char not in "\n\u200b")
    page = Page(markdown)
    assert page.tags <= OURS | {"a"}
    assert page.attributes <= {"a.href", "pre.lang"}
    assert [one for one in page.links if not one.startswith(homes)] == []
    assert not any({".", ".."} & set(re.split(r"[/#?]", one)[3:]) for one in page.links)
    assert not page.opened
    assert all(said.strip().startswith("llmops:") for said in page.comments)
    found = LIVE.search(page.text)
    assert found is None, page.text[max(0, found.start() - 40) : found.end() + 40]


def plain(text: str) -> None:
    """Assert that a text for a plain field has one or more visible lines and nothing hidden."""
    assert not any(hidden(char) for char in text if char != "\n")
    text.encode("utf-8")
