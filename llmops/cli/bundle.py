"""`llmops bundle`: the signed log and all that its verdicts rest on, as one file for an auditor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.cli import common
from llmops.diagnostics import printable
from llmops.errors import StoreError, UsageError

if TYPE_CHECKING:
    from llmops.audit.bundle import Asked, Made

EXAMPLES = """\
  llmops bundle
  llmops bundle --out audit.zip --open 20 --seed "what the auditor says\""""
NAME = "bundle.zip"


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `bundle`."""
    parser.add_argument("--out", metavar="FILE", help=f"write to FILE (default: reports/{NAME})")
    parser.add_argument(
        "--open", type=int, default=0, metavar="K",
        help="show K cases in plain text, chosen by the seed from all that were judged",
    )  # fmt: skip
    parser.add_argument(
        "--seed", default="", metavar="TEXT",
        help="what chooses the cases (default: the root of the log)",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """0 when the file is there. No key is needed, and nothing is judged: `verify` does that."""
    from llmops.audit import bundle, container
    from llmops.audit.source import Clone
    from llmops.audit.verify import newest_pages
    from llmops.evidence.files import give, shown
    from llmops.log.branch import Log

    asked = _asked(args)
    found = common.project(args)
    clone = Clone(found.repository, Log(found.repository).source())
    made = bundle.made(clone, found.store, asked, newest_pages)
    place = Path(args.directory, args.out) if args.out else found.reports / NAME
    try:
        data = container.encode(made.files)
    except ValueError as error:
        raise StoreError(f"the bundle would be {error}") from error
    if not args.out:
        found.store.prepare()
    give(place, data)
    _tell(made, shown(place.absolute()), len(data))
    return 0


def _asked(args: argparse.Namespace) -> Asked:
    """What is to be shown. UsageError for a number or a seed that means nothing."""
    from llmops.audit.bundle import Asked
    from llmops.audit.opened import LONGEST_SEED, MOST

    if not 0 <= args.open <= MOST:
        raise UsageError(f"--open {args.open} is not between 0 and {MOST:,}")
    if args.seed and not args.open:
        raise UsageError("--seed chooses cases to show, and none are asked for", hint="--open 20")
    if len(args.seed) > LONGEST_SEED or not args.seed.isprintable():
        what = (
            f'--seed "{printable(args.seed, 60)}" is no line of at most {LONGEST_SEED} characters'
        )
        raise UsageError(what)
    return Asked(args.open, args.seed)


def _tell(made: Made, place: str, size: int) -> None:
    """Where it is, what is in it, and what is not."""
    common.say(
        f"{place}: {_many(made.entries, 'entry', 'entries')} of the log,"
        f" {_many(made.verdicts, 'verdict', 'verdicts')}, {size:,} bytes."
    )
    if made.shown is not None:
        count = len(made.shown.shown)
        common.say(
            f"{_many(count, 'case is', 'cases are')} in it in plain text,"
            f' chosen by the seed "{printable(made.shown.seed, 200)}".'
        )
    for note in made.notes:
        common.say(f"note: {printable(note, 300)}")
    common.say(f"check it: llmops verify {place} --root sha256:…")


def _many(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many}"
