"""What two pages must have in common to be one page in two languages.

In: the texts of a page and of its twin. Out: what differs, as sentences; nothing where they are
twins. Words differ, of course; headings, code, links, tables and numbers do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.cli import manual

FENCE = re.compile(r"^(?P<indent> *(?:> )?)```(?P<language>[a-z]*)\n(?P<body>.*?)^ *(?:> )?```$",
                   re.DOTALL | re.MULTILINE)  # fmt: skip
MADE = re.compile(r"<!-- made: ([a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
# A link of a page to its own twin.
SWITCH = re.compile(r"^README(?:\.[a-z]{2})?\.md$|^\.\./[a-z]{2}/README\.md$")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def differences(english: str, other: str) -> Iterator[str]:
    """What is not the same on both pages."""
    yield from _same("made parts", MADE.findall(english), MADE.findall(other))
    one, two = MADE.sub("", english), MADE.sub("", other)
    depths = [[depth for _, depth, _ in manual.anchors(text)] for text in (english, other)]
    yield from _same("headings", *depths)
    yield from _same("fences", list(fences(one)), list(fences(two)))
    yield from _same("rows of tables", rows(one), rows(two))
    one, two = FENCE.sub("", one), FENCE.sub("", two)
    yield from _same("links", sorted(links(one)), sorted(links(two)))
    yield from _same("code", sorted(set(CODE.findall(one))), sorted(set(CODE.findall(two))))
    lost = set(numbers(one)) - set(numbers(two))
    if lost:
        yield f"numbers: the other page does not say {', '.join(sorted(lost))}"


def _same(what: str, one: list, two: list) -> Iterator[str]:
    if one != two:
        at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), None)
        if at is None:
            longer = one if len(one) > len(two) else two
            at = min(len(one), len(two))
            yield f"{what}: {len(one)} and {len(two)}; only one page has {longer[at]!r}"
        else:
            yield f"{what}: number {at + 1} is {one[at]!r} and {two[at]!r}"


def fences(text: str) -> Iterator[tuple[str, str]]:
    """Language and code of every fence, comments left out: these are for people.

    A drawing (`text`) has words of its own in each language, but as many lines.
    """
    for found in FENCE.finditer(text):
        if found["language"] == "text":
            yield "text", f"{len(found['body'].splitlines())} lines"
            continue
        lines = (re.sub(r"(?:^|\s+)#.*$", "", line) for line in found["body"].splitlines())
        yield found["language"], "\n".join(line for line in lines if line.strip())


def links(text: str) -> Iterator[str]:
    """Where links lead: the same file, whatever its language and whatever the anchor is called."""
    for target in LINK.findall(text):
        path = target.partition("#")[0]
        if not SWITCH.search(path):
            yield re.sub(r"README\.[a-z]{2}\.md$", "README.md", _english(path)) + (
                "#" if "#" in target else ""
            )


def _english(path: str) -> str:
    """The path of the English page, seen from the README or from a page."""
    return re.sub(r"docs/[a-z]{2}/", "docs/en/", path)


def rows(text: str) -> list[int]:
    """The number of cells of each row of a table."""
    lines = (line for line in FENCE.sub("", text).splitlines() if line.startswith("|"))
    return [len(re.findall(r"(?<!\\)\|", line)) for line in lines]


def numbers(text: str) -> list[str]:
    """Numbers that the prose says."""
    return NUMBER.findall(CODE.sub("", LINK.sub("]", text)))
