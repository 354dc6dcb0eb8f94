"""What every renderer gets beside its value: a Page, with its Style.

A renderer is a function of (value, page) that gives text without a trailing newline. `page` says
how wide a terminal is and whether colour is wanted; formats that have neither ignore it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

Tone = Literal["", "good", "bad", "warn", "info", "dim", "strong"]
T = TypeVar("T")

_CODES = {"good": "32", "bad": "31", "warn": "33", "info": "36", "dim": "2", "strong": "1"}

# The sign beside a word and its colour; never the colour alone.
SIGN_TONES: dict[str, Tone] = {
    "+": "good",
    "=": "dim",
    "-": "dim",
    "~": "warn",
    ">": "info",
    "!": "warn",
    " ": "",
    "x": "bad",
    "?": "warn",
}


@dataclass(frozen=True, slots=True)
class Style:
    """Whether to colour; the caller has looked at the terminal and at NO_COLOR."""

    colour: bool = False

    def paint(self, text: str, tone: Tone) -> str:
        """The text in the colour of a tone, or as it is."""
        return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if self.colour and tone and text else text


@dataclass(frozen=True, slots=True)
class Page:
    """A place to print on: `width` in columns (never taken as less than 20).

    `command` is the one whose diagnostics are shown.
    """

    width: int = 100
    style: Style = Style()
    command: str = "validate"

    @property
    def columns(self) -> int:
        """The width that lines are fitted to."""
        return max(20, self.width)


Renderer = Callable[[T, Page], str]
