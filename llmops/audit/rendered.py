"""The pages that came with a log, rendered again from public rows and compared byte for byte.

In: pages by path, the newest verdict as it was derived, the log as it was checked. Out: the first
line in which a page is not what follows. A page shows numbers; none of them is believed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace

from llmops.audit.base import Flaw, Seen
from llmops.audit.index import PAGES
from llmops.audit.rederived import Again, made_by
from llmops.audit.verdicts import Stated
from llmops.derived import Derived
from llmops.diagnostics import printable
from llmops.errors import LlmopsError
from llmops.reports.report import Seal


def check(
    pages: Mapping[str, bytes], newest: Again | None, log: Seen, *, whole: bool
) -> tuple[tuple[Flaw, ...], int]:
    """What is wrong with the pages, and how many were rendered again.

    `whole`: those of the newest verdict must be there, where it can be derived.
    """
    if not pages and not (whole and newest is not None and newest.made is not None):
        return (), 0
    if newest is None or newest.made is None:
        flaws = (Flaw("report", "no verdict follows that this page is of", file=p) for p in pages)
        return tuple(flaws), 0
    try:
        follows = rendering(newest.made, newest.stated, log)
    except LlmopsError as error:
        what = f"the pages cannot be rendered again: {error.message}"
        return (Flaw("report", what, error.hint, file=PAGES),), 0
    # As in rederived: odd values in what was signed must end as a flaw.
    except Exception as error:
        what = f"the pages cannot be rendered again: {type(error).__name__}"
        return (Flaw("report", what, file=PAGES),), 0
    hint = made_by(newest.stated.given)
    return tuple(_compared(pages, follows, hint)), len(pages)


def rendering(made: Derived, stated: Stated, log: Seen) -> Mapping[str, bytes]:
    """The pages of a verdict by path, with the seal that says where it stands."""
    root = base64.b64encode(bytes.fromhex(log.root)).decode()
    statement = f"sha256:{stated.report.digest}"
    seal = Seal(log.origin, log.size, root, stated.number, statement, stated.given.root)
    return {f"{PAGES}{name}": data for name, data in made.pages(seal).items()}


def _compared(pages: Mapping[str, bytes], made: Mapping[str, bytes], hint: str) -> Iterator[Flaw]:
    for path in sorted(pages.keys() | made.keys()):
        if path not in made:
            yield Flaw("report", "no page of that name follows from the verdict", file=path)
        elif path not in pages:
            yield Flaw("incomplete", "this page of the newest verdict is not there", file=path)
        elif pages[path] != made[path]:
            yield replace(_first(path, pages[path], made[path]), hint=hint)


def _first(path: str, said: bytes, follows: bytes) -> Flaw:
    """The first line that differs, from a little before the first byte that does."""
    same = _common(said, follows)
    line = said.count(b"\n", 0, same) + 1
    one, other = (_around(text, same) for text in (said, follows))
    what = f"line {line} says {one}, and {other} follows from the rows"
    return Flaw("report", what, file=path, offset=same)


def _common(one: bytes, other: bytes) -> int:
    """How many first bytes are equal."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _around(text: bytes, at: int) -> str:
    shown = text[max(0, at - 20) : at + 40].decode("utf-8", "ignore")  # cut at both ends
    return f'"{printable(" ".join(shown.split()), 80)}"'
