"""What may stand at the end of a command line: commands, options, values, specs, revisions.

In: the words of the line, the last one unfinished. Out: words that begin as it does, with what they
mean. The options of all commands are read from their parsers once and kept in the cache, because
importing the commands takes longer than a TAB may; `around.py` looks at the repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmops.cli import around
from llmops.cli.options import table

How = Literal["words", "joined", "files", "folders"]
# What an argument is, by its name: anything else is one of its choices, or free text.
SELECTORS = ("select", "exclude", "selectors")
REVISIONS = ("base", "head")
NAMES = ("subject",)
FOLDERS = ("directory", "keep")
FILES = ("plan", "paths", "path", "file", "files", "out")


@dataclass(frozen=True, slots=True)
class Word:
    """One word that fits, and what it means."""

    text: str
    about: str = ""

    def shown(self, cut: int, describes: bool) -> str:
        """As a shell reads it: without what it has already, the meaning behind a tab."""
        text = self.text[cut:]
        return f"{text}\t{self.about}" if describes and self.about else text


@dataclass(frozen=True, slots=True)
class Found:
    """Words that fit, or that the shell shall look for files; `joined`: no space behind them."""

    how: How
    words: tuple[Word, ...] = ()


def complete(words: Sequence[str]) -> Found:
    """What fits at the end of `llmops WORDS`."""
    *before, last = words or [""]
    tree = table()
    state = _State(tree["top"], Path("."))
    for word in before:
        state.read(word, tree)
    return _found(state, last)


class _State:
    """Where in the grammar the words so far have led."""

    def __init__(self, parser: Mapping[str, Any], folder: Path) -> None:
        self.parser, self.folder = parser, folder
        self.open: Mapping[str, Any] | None = None  # an option that waits for a value
        self.place = 0  # arguments read
        self.only_words = False  # behind --

    def read(self, word: str, tree: Mapping[str, Any]) -> None:
        """One word more."""
        if self.open is not None and not (self.open["many"] and word.startswith("-")):
            if self.open["name"] == "directory":
                self.folder = Path(word).expanduser()
            self.open = self.open if self.open["many"] else None
        elif word == "--":
            self.only_words = True
        elif word.startswith("-") and len(word) > 1 and not self.only_words:
            name, equals, value = word.partition("=")
            option = _option(self.parser, name)
            self.open = option if option and option["takes"] and not equals else None
            if equals and option and option["name"] == "directory":
                self.folder = Path(value).expanduser()
        elif self.parser["inside"]:
            self.parser = self.parser["inside"].get(word, tree["none"])
            self.place = 0
        else:
            self.place += 1


def _option(parser: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    found: Iterator[Mapping[str, Any]] = (o for o in parser["options"] if name in o["flags"])
    return next(found, None)


def _found(state: _State, last: str) -> Found:
    if state.open is not None and not (state.open["many"] and last.startswith("-")):
        return _values(state, state.open, "", last)
    if last.startswith("-") and not state.only_words:
        name, equals, value = last.partition("=")
        option = _option(state.parser, name) if equals else None
        if option is not None:
            return _values(state, option, f"{name}=", value)
        return _words(
            (Word(flag, o["about"]) for o in state.parser["options"] for flag in o["flags"]), last
        )
    if state.parser["inside"]:
        every = state.parser["inside"].items()
        return _words((Word(name, inner["about"]) for name, inner in every), last)
    places = state.parser["places"]
    if not places:
        return Found("words")
    at = min(state.place, len(places) - 1)
    if state.place > at and not places[at]["many"]:
        return Found("words")
    return _values(state, places[at], "", last)


def _words(words: Iterable[Word], last: str, how: How = "words") -> Found:
    return Found(how, tuple(word for word in words if word.text.startswith(last)))


def _values(state: _State, what: Mapping[str, Any], before: str, last: str) -> Found:
    """The values of an option or argument that begin so; `before` is `--option=`."""
    name = what["name"]
    if what["choices"]:
        found = _words((Word(choice) for choice in what["choices"]), last)
    elif what["listed"]:
        done, comma, begun = last.rpartition(",")
        left = [word for word in what["listed"] if word not in done.split(",")]
        found = _words((Word(f"{done}{comma}{word}") for word in left), f"{done}{comma}{begun}")
    elif name in SELECTORS:
        found = _selectors(state.folder, last)
    elif name in REVISIONS:
        found = _words((Word(name) for name in around.revisions(state.folder)), last)
    elif name in NAMES:
        found = _names(state.folder, last, "")
    elif name == "env":
        named = around.specs(state.folder)
        found = _words((Word(s.name) for s in named if s.kind == "Environment"), last)
    elif name in FOLDERS or what["shown"] == "DIR":
        return Found("folders")
    elif name in FILES or what["shown"] in ("FILE", "PATH"):
        return Found("files")
    else:
        return Found("words")
    words = tuple(Word(before + word.text, word.about) for word in found.words)
    return Found(found.how, words)


def _selectors(folder: Path, last: str) -> Found:
    """The last term of a selector, behind `a,`, `+`, `2+` and `@`."""
    parted = re.fullmatch(r"(?P<before>(?:.*[,\s])?@?(?:\d*\+)?)(?P<term>[^,\s]*)", last, re.DOTALL)
    assert parted is not None
    before, term = parted["before"], parted["term"]
    if ":" in term or term.startswith("config."):
        return _words((Word(before + text) for text in around.values(folder, term)), last)
    found = _names(folder, term, before)
    methods = tuple(Word(f"{before}{name}:") for name in around.METHODS if name.startswith(term))
    joined = all(word.text.endswith((":", "/")) for word in (*found.words, *methods))
    return Found("joined" if joined else "words", (*found.words, *methods))


def _names(folder: Path, term: str, before: str) -> Found:
    """Kinds first; specs of one once it is written, or of any by the letters of a name."""
    specs = around.specs(folder)
    if "/" in term:
        paths = around.paths(specs) if term.startswith(("specs/", "policies/")) else []
        texts = [*map(str, specs), *paths]
    else:
        texts = [f"{kind}/" for kind in dict.fromkeys(spec.kind for spec in specs)]
        texts += [spec.name for spec in specs] if term and before is not None else []
    words = _words((Word(before + text) for text in dict.fromkeys(texts)), before + term)
    joined = bool(words.words) and all(word.text.endswith("/") for word in words.words)
    return Found("joined" if joined else "words", words.words)


# ---- the words of a line ----------------------------------------------------------------------


def split(line: str) -> list[str]:
    """The words before the cursor as a shell reads them, an open quote closed; the last is open."""
    words, word, quote, given = [], "", "", False
    chars = iter(line)
    for char in chars:
        if quote:
            if char == quote:
                quote = ""
            else:
                word += next(chars, "") if char == "\\" and quote == '"' else char
        elif char in "'\"":
            quote, given = char, True
        elif char == "\\":
            word, given = word + next(chars, ""), True
        elif char.isspace():
            words += [word] if word or given else []
            word, given = "", False
        else:
            word += char
    words.append(word)
    named = next((i for i, one in enumerate(words) if not re.match(r"\w+=", one)), 0)
    return words[named:]


def broken(word: str, breaks: str) -> int:
    """How many characters of a word bash keeps by itself: it begins a new one behind `:` or `=`."""
    return max((word.rfind(char) + 1 for char in breaks if not char.isspace()), default=0)
