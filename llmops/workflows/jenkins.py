"""A Jenkinsfile as what stands in it: shell steps and images, by their text. Dry.

Groovy is a programming language and is not run here: what is found is found by how people write it.
Comments are blanked first, so that no place moves.
https://www.jenkins.io/doc/book/pipeline/syntax/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmops.diagnostics import Span
from llmops.source.text import place
from llmops.workflows.base import File, System

_COMMENT = re.compile(
    r"(?P<kept>'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\")"
    r"|(?<!:)//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
_STEP = re.compile(
    r"\b(?:sh|bat|powershell|pwsh)\b[\s(]*(?:[^'\"\n]*?\bscript:\s*)?"
    r"(?P<quote>'''|\"\"\"|'|\")(?P<body>.*?)(?<!\\)(?P=quote)(?P<rest>[^\n]*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Shell:
    """One `sh` step. `interpolated`: Groovy puts values into it before a shell reads it."""

    body: str
    start: int  # of the body, in characters from the beginning of the file
    interpolated: bool
    around: str  # the whole step with the rest of its line


def code(file: File) -> str:
    """The text of a Jenkinsfile with comments blanked; "" for another file."""
    if file.system is not System.JENKINS:
        return ""
    return _COMMENT.sub(lambda m: m["kept"] or re.sub(r"[^\n]", " ", m[0]), file.text)


def shells(file: File) -> Iterator[Shell]:
    """Every shell step."""
    for match in _STEP.finditer(code(file)):
        double = match["quote"].startswith('"')
        yield Shell(match["body"], match.start("body"), double, match[0])


def at(file: File, start: int, length: int) -> Span:
    """The place of some characters."""
    there = place(file.path, file.text, start)
    return Span(file.path, there.line, there.column, max(1, length))
