"""`llmops docs`: the manual in the terminal, as it was shipped with this version.

Without a page it lists all of them. `llmops docs closures` prints one, `llmops docs
rules#policy-looser` one section, `--search WORD` the passages that have the word. A terminal gets
the page laid out, through a pager (`PAGER`); a pipe gets the Markdown.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from itertools import groupby

from llmops.cli import common, manual
from llmops.cli.output import columns, is_terminal
from llmops.cli.parser import listed
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError

EXAMPLES = """\
  llmops docs closures
  llmops docs --search "looser than base\""""
MOST = 30  # passages that a search shows


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `docs`."""
    page = parser.add_argument(
        "page", nargs="?", metavar="PAGE[#SECTION]", help="print this page, or one section of it"
    )
    listed(page, lambda: [entry.short for entry in manual.entries("en")])
    parser.add_argument("--search", metavar="WORDS", help="the passages that have these words")
    parser.add_argument(
        "--lang", choices=manual.languages(), default="en", help="language of the manual"
    )
    parser.add_argument("--path", action="store_true", help="where the file is, not what it says")


def main(args: argparse.Namespace) -> int:
    """0; 1 when a search finds nothing; 2 for a page that is not there."""
    if args.search is not None:
        return _search(args)
    if args.page is None:
        common.say(str(manual.FOLDER / args.lang) if args.path else _list(args.lang))
        return 0
    name, _, anchor = args.page.partition("#")
    page = _page(args.lang, name)
    file = manual.path(args.lang, page)
    if args.path:
        common.say(str(file))
    else:
        _print(args, _part(file.read_text("utf-8"), args.page, anchor))
    return 0


def _list(language: str) -> str:
    found = manual.entries(language)
    rows = columns([(entry.short, f"{entry.title}: {entry.about}") for entry in found])
    lines = []
    for part, group in groupby(zip(found, rows, strict=True), key=lambda one: one[0].part):
        lines += ["", part, *(f"  {row}" for _, row in group)]
    return "\n".join(lines[1:])


def _page(language: str, name: str) -> str:
    """The name of a page that is called `closures`, `explanation/closures` or `closures.md`."""
    wanted = name.removesuffix(".md")
    found = manual.entries(language)
    for entry in found:
        if wanted in (entry.short, entry.name):
            return entry.name
    known = [entry.short for entry in found]
    raise UsageError(
        f'the manual has no page "{printable(name, 60)}"',
        hint=did_you_mean(wanted, known, otherwise="llmops docs lists them"),
    )


def _part(text: str, page: str, anchor: str) -> str:
    if not anchor:
        return text
    found = manual.section(text, anchor)
    if found is not None:
        return found
    known = [name for _, _, name in manual.anchors(text)]
    raise UsageError(
        f'"{printable(page, 80)}" is no section',
        hint=did_you_mean(anchor, known, otherwise=f"sections are {', '.join(known[:8])}"),
    )


# ---- search ----------------------------------------------------------------------------------


def _search(args: argparse.Namespace) -> int:
    words = args.search.casefold().split()
    if not words:
        raise UsageError("--search: nothing to look for", hint="llmops docs lists the pages")
    only = None if args.page is None else _page(args.lang, args.page)
    found = list(dict.fromkeys(_found(args.lang, words, only, common.width(args))))
    for line in found[:MOST]:
        common.say(line)
    if len(found) > MOST:
        common.say(f"… {len(found) - MOST} more: name a page, or more words")
    if not found:
        common.say(f'nothing in the manual says "{printable(args.search, 60)}"')
    return 0 if found else 1


def _found(language: str, words: Sequence[str], only: str | None, width: int) -> Iterator[str]:
    """`page#section: …the first word and what is around it…` of what has all the words."""
    for entry in manual.entries(language):
        if only in (None, entry.name):
            text = manual.path(language, entry.name).read_text("utf-8")
            for one in manual.passages(text):
                said = one.text.casefold()
                if all(word in said for word in words):
                    where = f"{entry.short}#{one.anchor}" if one.anchor else entry.short
                    room = max(20, width - len(where) - 4)
                    yield f"{where}: {_around(one.text, said.find(words[0]), room)}"


def _around(text: str, at: int, room: int) -> str:
    if len(text) <= room:
        return text
    start = max(0, min(at - room // 3, len(text) - room))
    cut = text[start : start + room]
    return f"{'…' if start else ''}{cut.strip()}{'…' if start + room < len(text) else ''}"


# ---- how it is shown -------------------------------------------------------------------------


def _print(args: argparse.Namespace, text: str) -> None:
    if not is_terminal() and args.color != "always":
        common.say(re.sub(r"^<!-- (?:made: .*|end) -->\n?", "", text, flags=re.MULTILINE).rstrip())
        return
    shown = _laid_out(args, manual.plain(text))
    if not (is_terminal() and _paged(shown)):
        common.say(shown)


def _laid_out(args: argparse.Namespace, text: str) -> str:
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    colour = common.colour(args)
    console = Console(
        file=StringIO(), width=common.width(args), force_terminal=colour, no_color=not colour,
        color_system="standard" if colour else None, legacy_windows=False,
        theme=Theme({"markdown.code": "bold cyan"}),
    )  # fmt: skip
    with console.capture() as caught:
        console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))
    return "\n".join(line.rstrip() for line in caught.get().splitlines())


def _paged(text: str) -> bool:
    """Whether a pager showed it; `less` ends by itself where a page fits on the screen."""
    command = shlex.split(os.environ.get("PAGER", "less"))
    if not command:
        return False
    environment = {"LESS": "FRX", "LESSCHARSET": "utf-8", **os.environ}
    try:
        done = subprocess.run(command, input=text.encode("utf-8"), env=environment, check=False)
    except OSError:
        return False
    return done.returncode == 0
