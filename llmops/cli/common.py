"""What several commands share: the project, the two trees, colour and width.

What reads specs is imported where it is used: a command that shows what is known does without.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.cli.cache import cache_folder as cache_folder
from llmops.cli.output import complain, is_terminal
from llmops.cli.output import say as say
from llmops.diagnostics import did_you_mean, printable, render
from llmops.errors import UsageError
from llmops.graph.named import spec_named as spec_named
from llmops.source.sides import Sides, sides
from llmops.source.tree import Repository

if TYPE_CHECKING:
    from llmops.graph.build import Graph
    from llmops.project import InvalidSpecs, Pair, Project, State
    from llmops.signing.base import Signer
    from llmops.specs.base import Ref

NARROWEST = 20  # columns below which nothing is laid out
EARLIEST, LATEST = 1970, 9998  # years in which one may judge: days are added and written


def repository(args: argparse.Namespace) -> Repository:
    """The repository around `-C`."""
    folder = Path(args.directory)
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise UsageError(f'-C: "{printable(args.directory)}" {what}', hint=_folder_near(folder))
    return Repository.find(folder.resolve())


def project(args: argparse.Namespace) -> Project:
    """The project around `-C`, with the user's cache."""
    return project_of(repository(args))


def project_of(found: Repository) -> Project:
    """The project of a repository, with the user's cache."""
    from llmops.project import Project

    return Project.of(found, cache_folder())


def _folder_near(folder: Path) -> str:
    """A hint naming the folder that was most likely meant."""
    try:
        beside = [one.name for one in folder.parent.iterdir() if one.is_dir()]
    except OSError:
        return ""
    return printable(did_you_mean(folder.name, beside))


def add_trees(parser: argparse.ArgumentParser) -> None:
    """`--base` and `--head`."""
    parser.add_argument(
        "--base", metavar="REV", help="the target branch (default: origin/HEAD, main or master)"
    )
    parser.add_argument(
        "--head", metavar="REV", help="what would land on it (default: the work tree)"
    )


def add_select(
    parser: argparse.ArgumentParser,
    only: str = "judge only what is asked of these specs (the verdict says that it is partial)",
    but: str = "leave out what is asked of these specs (likewise partial)",
) -> None:
    """`--select` and `--exclude`."""
    parser.add_argument(
        "-s", "--select", action="extend", nargs="+", default=[], metavar="SELECTOR",
        help=only,
    )  # fmt: skip
    parser.add_argument(
        "--exclude", action="extend", nargs="+", default=[], metavar="SELECTOR",
        help=but,
    )  # fmt: skip


def results(
    found: Project, both: Pair, args: argparse.Namespace, environment: str | None = None
) -> Mapping[Ref, str]:
    """What the kept evidence says of each spec, where a selector `result:` asks; else nothing."""
    if not asks_results(args):
        return {}
    from llmops.pipeline import outcomes

    return outcomes(found, both, now=moment(None), environment=environment)


def asks_results(args: argparse.Namespace) -> bool:
    """Whether a selector asks for verdicts, which depend on the evidence and on the time."""
    return any("result:" in text for text in (*args.select, *args.exclude))


def add_counted(parser: argparse.ArgumentParser) -> None:
    """`--counted` and `--change`."""
    parser.add_argument(
        "--counted", action="store_true",
        help="what may merge: attempts at each claim are counted, and paid for as the policy says",
    )  # fmt: skip
    parser.add_argument(
        "--change",
        metavar="NAME",
        help="the pull request or branch, for a policy that counts within one",
    )


def change(args: argparse.Namespace) -> str | None:
    """The name of the change where attempts are counted ("" without one), else None."""
    return (args.change or "") if args.counted else None


def key(args: argparse.Namespace) -> Callable[[], Signer | None]:
    """Finds the key to sign with, of `--key` or where keys lie, once somebody asks for it."""
    from llmops.signing import keys

    return partial(keys.signer, Path(args.key) if args.key else None, os.environ)


def add_environment(parser: argparse.ArgumentParser) -> None:
    """`--env`."""
    parser.add_argument(
        "--env", metavar="NAME",
        help="the Environment that jobs run in (default: the only one, or the one called local)",
    )  # fmt: skip


def moment(text: str | None) -> datetime:
    """The time that `--now` says, or now. UsageError for a text that is none."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
        if not EARLIEST <= found.year <= LATEST:
            raise ValueError
    except (ValueError, OverflowError) as error:
        what = f'--now "{printable(text, 60)}" is no RFC 3339 time'
        raise UsageError(what, hint="write it as in 2026-11-23T09:00:00Z") from error
    return found


def both(found: Project, args: argparse.Namespace) -> Pair:
    """Base and head as the options say; mistakes in head's specs are printed, then raised."""
    read = both_of(found, sides(found.repository, args.base, args.head))
    for line in no_specs(read):
        complain(f"llmops: warning: {line}")
    return read


def no_specs(read: Pair) -> tuple[str, ...]:
    """A line where neither tree has a spec: most likely it is the wrong repository."""
    if any(state.loaded.specs for state in (read.head, read.base) if state is not None):
        return ()
    return ("no spec stands in specs/ or policies/ at the root of this repository",)


def both_of(found: Project, two: Sides) -> Pair:
    """The two trees of a change, read; mistakes in head's specs are printed, then raised."""
    from llmops.project import InvalidSpecs, pair_of

    try:
        return pair_of(found, two)
    except InvalidSpecs as error:
        raise _told(error) from None


def valid(state: State) -> Graph:
    """The graph of a tree that was read; mistakes in its specs are printed, then raised."""
    if state.graph is not None:
        return state.graph
    from llmops.project import InvalidSpecs

    raise _told(InvalidSpecs(state))


def _told(error: InvalidSpecs) -> InvalidSpecs:
    complain(render(error.state.diagnostics, error.state.texts))
    error.hint = "llmops validate shows them again"
    return error


def colour(args: argparse.Namespace) -> bool:
    """Whether to colour: as `--color` says, then NO_COLOR, FORCE_COLOR, then a terminal that can.

    A variable counts when it is not empty (no-color.org); FORCE_COLOR and CLICOLOR_FORCE not as 0.
    """
    if args.color != "auto":
        return bool(args.color == "always")
    if os.environ.get("NO_COLOR"):
        return False
    if any(
        os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    return is_terminal() and os.environ.get("TERM") != "dumb"


def width(args: argparse.Namespace) -> int:
    """Columns to fill: asked for, the terminal's, or 100."""
    if args.width is not None:
        return max(NARROWEST, int(args.width))
    return max(NARROWEST, min(140, shutil.get_terminal_size((100, 24)).columns))


def screen(args: argparse.Namespace) -> int:
    """Columns that a line must fit that programs read too; 0 in a pipe, where it is kept whole."""
    return width(args) if args.width is not None or is_terminal() else 0
