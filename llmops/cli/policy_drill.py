"""`llmops policy drill`: planted bad models against the repository's own gates.

Each plant is a commit on a copy of main, planned, run and judged like a pull request. Without
`--yes` only what would be tried is printed, with the time it takes; nothing runs.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.cli import common, progress
from llmops.cli.output import complain
from llmops.digest import of_value
from llmops.drills.table import PLANTS
from llmops.errors import UsageError
from llmops.project import Project
from llmops.source.sides import DEFAULT_BASES

if TYPE_CHECKING:
    from llmops.drills.base import Plant, Tried
    from llmops.drills.run import Drilled, Options
    from llmops.drills.words import Bar
    from llmops.executors.base import Event

EXAMPLES = """\
  llmops policy drill
  llmops policy drill --yes --only shuffled-labels --only another-seed"""
FORMATS = ("text", "json", "md")
NAMES = tuple(plant.name for plant in PLANTS)


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `policy drill`."""
    parser.add_argument(
        "--base", metavar="REV", help="what is drilled (default: origin/HEAD, main or master)"
    )
    common.add_select(parser)
    common.add_environment(parser)
    parser.add_argument(
        "--only", action="append", default=[], choices=NAMES, metavar="NAME",
        help=f"try only this one, and others named so: {', '.join(NAMES)}",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="each with N seeds, where dice decide (1)"
    )
    parser.add_argument(
        "--min-caught", type=float, default=0.95, metavar="SHARE",
        help="exit code 1 when fewer bad models are caught (0.95)",
    )  # fmt: skip
    parser.add_argument("--keep", metavar="DIR", help="work in DIR and leave all of it there")
    parser.add_argument("--format", choices=FORMATS, default="text", help="output format")
    parser.add_argument("--jobs", type=int, metavar="N", help="at most N jobs at once")
    parser.add_argument("--yes", action="store_true", help="do it, however long it takes")


def main(args: argparse.Namespace) -> int:
    """0 enough was caught, 1 bad models passed or twins did not, 3 something was not judged."""
    from llmops.drills.run import Told, drill
    from llmops.drills.words import FORMATS, Bar

    _expect_numbers(args)
    found = common.project(args)
    base = args.base or _default_base(found)
    chosen = tuple(p for p in PLANTS if not args.only or p.name in args.only)
    if not args.yes:
        from llmops.drills.forecast import forecast

        common.say(forecast(found, base, _options(args, chosen)))
        return 0
    with _folder(args, found, base) as folder:
        told = Told(_heard(args), _judged())
        drilled = drill(found, base, folder, _options(args, chosen), told)
    bar = Bar(args.min_caught)
    common.say(FORMATS[args.format](drilled, bar))
    return _code(drilled, bar)


def _code(drilled: Drilled, bar: Bar) -> int:
    if bar.missed(drilled) and (drilled.bad or not drilled.twins):
        return 1
    if bar.blocks(drilled):
        return 1
    return 3 if any(tried.state == "not judged" for tried in drilled.tried) else 0


def _options(args: argparse.Namespace, chosen: tuple[Plant, ...]) -> Options:
    from llmops.drills.run import Options

    return Options(
        chosen, args.seeds, tuple(args.select), args.env, args.jobs, exclude=tuple(args.exclude)
    )


def _expect_numbers(args: argparse.Namespace) -> None:
    for name in ("seeds", "jobs"):
        given = getattr(args, name)
        if given is not None and given < 1:
            raise UsageError(f"--{name} must be at least 1")
    if not 0 <= args.min_caught <= 1:
        raise UsageError(f"--min-caught {args.min_caught:g} is no share", hint="from 0 to 1")


def _default_base(found: Project) -> str:
    for name in (*DEFAULT_BASES, "HEAD"):
        if found.repository.commit(name):
            return name
    raise UsageError("there is no commit to drill", hint="commit first, or name it with --base")


@contextlib.contextmanager
def _folder(args: argparse.Namespace, found: Project, base: str) -> Iterator[Path]:
    """Where the drill works. One that was stopped is found again; one that ended is removed."""
    if args.keep is not None:
        folder = Path(args.keep).absolute()
        if folder.is_dir() and any(folder.iterdir()) and not (folder / ".git").is_dir():
            raise UsageError(f'"{args.keep}" is not empty', hint="name a new folder for the drill")
        yield folder
        return
    name = of_value([str(found.repository.root), found.repository.tree(base).oid])
    folder = common.cache_folder().absolute() / "drills" / name.removeprefix("sha256:")[:16]
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _heard(args: argparse.Namespace) -> progress.Printer:
    """Ends of jobs, on standard error: standard output is the report's."""

    def heard(event: Event) -> None:
        if not args.quiet and event.kind not in ("progress", "reused", "started"):
            complain(f"  {progress.line(event)}")

    return heard


def _judged() -> Callable[[Tried], None]:
    def judged(tried: Tried) -> None:
        by = f" by {', '.join(stop.gate for stop in tried.stops)}" if tried.stops else ""
        why = f": {tried.why}" if tried.why else ""
        complain(f"{tried.name}: {tried.state}{by}{why} ({tried.seconds:.0f} s)")

    return judged
