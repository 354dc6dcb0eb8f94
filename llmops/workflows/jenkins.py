"""A Jenkinsfile as what stands in it: shell steps and images, by their text. Dry.

Groovy is a programming language and is not run here: what is found is found by how people write it.
One pass finds texts and comments; comments are blanked, so that no place moves.
https://www.jenkins.io/doc/book/pipeline/syntax/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmops.diagnostics import Span
from llmops.source.text import place
from llmops.workflows.base import File, System

_OPENS = re.compile(r"'''|\"\"\"|'|\"|(?<!:)//|/\*")
_CLOSES = {
    "'''": re.compile(r"(?:[^\\']|\\.|'(?!''))*'''", re.DOTALL),
    '"""': re.compile(r"(?:[^\\\"]|\\.|\"(?!\"\"))*\"\"\"", re.DOTALL),
    "'": re.compile(r"(?:[^\\'\n]|\\.)*'"),
    '"': re.compile(r"(?:[^\\\"\n]|\\.)*\""),
    "//": re.compile(r"[^\n]*"),
    "/*": re.compile(r"(?:[^*]|\*(?!/))*\*/", re.DOTALL),
}
_BEFORE = re.compile(r"\b(?:sh|bat|powershell|pwsh)\b[\s(]*(?:[^'\"\n]*\bscript:\s*)?$")
_LOOK_BACK = 200  # characters before a text in which its step is named


@dataclass(frozen=True, slots=True)
class Shell:
    """One `sh` step. `interpolated`: Groovy puts values into it before a shell reads it."""

    body: str
    start: int  # of the body, in characters from the beginning of the file
    interpolated: bool
    around: str  # the step to the end of its line, without its text


@dataclass(frozen=True, slots=True)
class _Text:
    start: int
    end: int
    quote: str


def code(file: File) -> str:
    """The text of a Jenkinsfile with comments blanked; "" for another file."""
    return _read(file.text)[0] if file.system is System.JENKINS else ""


def shells(file: File) -> Iterator[Shell]:
    """Every shell step."""
    if file.system is not System.JENKINS:
        return
    text, texts = _read(file.text)
    for one in texts:
        before = _BEFORE.search(text[max(0, one.start - _LOOK_BACK) : one.start])
        if before:
            wide = len(one.quote)
            body = text[one.start + wide : one.end - wide]
            rest = text[one.end : one.end + _LOOK_BACK].split("\n")[0]
            double = one.quote.startswith('"')
            yield Shell(body, one.start + wide, double, before[0] + rest)


def at(file: File, start: int, length: int) -> Span:
    """The place of some characters."""
    there = place(file.path, file.text, start)
    return Span(file.path, there.line, there.column, max(1, length))


def _read(text: str) -> tuple[str, list[_Text]]:
    """The text without comments, and its texts. What is never closed goes to the end."""
    kept: list[str] = []
    texts: list[_Text] = []
    at = 0
    while opened := _OPENS.search(text, at):
        quote = opened[0]
        closed = _CLOSES[quote].match(text, opened.end())
        end = closed.end() if closed else len(text)
        kept.append(text[at : opened.start()])
        inside = text[opened.start() : end]
        if quote in ("//", "/*"):
            inside = re.sub(r"[^\n]", " ", inside)
        elif closed:
            texts.append(_Text(opened.start(), end, quote))
        kept.append(inside)
        at = end
    return "".join((*kept, text[at:])), texts
