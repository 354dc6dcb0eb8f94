"""What a command says, on streams that may be closed, full, gone or unable to hold the text.

A reader that stops reading changes neither the work nor the exit code. No secret that this process
was given is said, whatever repeats it (`llmops.hush`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import TextIO

from llmops import hush
from llmops.columns import width_of, wrapped
from llmops.diagnostics import printable
from llmops.errors import LlmopsError

# A log of GitHub Actions obeys lines that begin so, and names and rows are somebody else's.
_COMMAND = re.compile(r"^([^\S\n]*)(::|##\[)", re.MULTILINE)


def say(text: str) -> None:
    """Print to standard output, whatever its encoding can hold, if anybody still reads it."""
    _write(sys.stdout, text)


def command(text: str) -> None:
    """Print lines that a log of GitHub Actions shall obey: it holds no unescaped text of others."""
    _print(sys.stdout, text)


def complain(text: str) -> None:
    """Print to standard error in the same way."""
    _write(sys.stderr, text)


def columns(rows: Sequence[Sequence[str]], most: int = 48) -> list[str]:
    """Rows as lines, each column as wide as its widest cell (`most` at most, but the last)."""
    wide = [min(most, max(map(width_of, column))) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - width_of(cell)) for cell, width in zip(row, wide, strict=True)
        ).rstrip()
        for row in rows
    ]


def fitted(lines: Iterable[str], width: int) -> str:
    """Lines of words in at most `width` columns, each going on below its own beginning."""
    found: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        found += wrapped(line.strip(" "), width, indent, indent + 4)
    return "\n".join(found)


def harmless(text: str) -> str:
    """Text of somebody else, line by line, in which nothing drives the terminal."""
    return "\n".join(printable(line, 400) for line in text.split("\n"))


def as_data() -> None:
    """What is said from now on is for programs, so UTF-8 (RFC 8259), whatever the locale."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def is_terminal() -> bool:
    """Whether somebody looks at standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def mute(stream: TextIO | None) -> None:
    """What is still printed there goes nowhere."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _write(stream: TextIO | None, text: str) -> None:
    _print(stream, _COMMAND.sub(r"\1\\\2", text))


def _print(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed before we were started
        return
    text = hush.own()(text)
    encoding = stream.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
    except BrokenPipeError:
        mute(stream)
    except OSError as error:
        mute(stream)  # what could not be written cannot be written at exit either
        raise LlmopsError(f"cannot write the output: {error.strerror}") from error
