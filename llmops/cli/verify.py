"""`llmops verify`: does a log hold, and does each verdict follow? Offline; trusts one digest."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.cli import common
from llmops.diagnostics import printable
from llmops.digest import PATTERN
from llmops.errors import LogError, StoreError, UsageError

if TYPE_CHECKING:
    from llmops.audit.base import Answer, Material
    from llmops.audit.landed import Branch
    from llmops.audit.remembered import Remembered

EXAMPLES = """\
  llmops verify bundle.zip --root sha256:3f9c0d1e…
  llmops verify bundle.zip --root first.root.json --checkpoint seen.json
  llmops verify . --checkpoint seen.json --strict --format json
  llmops verify bundle.zip --root first.root.json --git clone"""
_MOST_BYTES = 1 << 20  # of a trust root, or of what was remembered


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `verify`."""
    parser.add_argument("what", metavar="BUNDLE|REPO", help="a bundle, or a clone with its log")
    parser.add_argument(
        "--root", metavar="DIGEST|FILE",
        help="a trust root that you know from elsewhere: sha256:…, or its file",
    )  # fmt: skip
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="remember what was verified; another history is named"
    )
    parser.add_argument(
        "--git", nargs="?", const="", metavar="CLONE",
        help="each commit that landed in a clone (without one: in REPO) has a judged tree",
    )  # fmt: skip
    parser.add_argument(
        "--branch", metavar="NAME", help="with --git: the branch that changes land on"
    )
    parser.add_argument(
        "--strict", action="store_true",
        help="refuse what is only told: unknown witnesses, verdicts that are not derived",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the text")
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to look at it (for tests)")


def main(args: argparse.Namespace) -> int:
    """0 verified, 1 not, 3 what is no bundle and no repository with a log."""
    from llmops.audit import words
    from llmops.audit.verify import Asked, verify

    before = _before(args.checkpoint)
    now = common.moment(args.now).isoformat()
    what = Path(args.directory, args.what)
    asked = Asked(now, dict(_pins(args.root)), before, args.strict, _branch(args, what))
    answer = verify(_material(what), asked)
    if args.checkpoint and answer.verified:
        _remember(Path(args.checkpoint), answer)
    shown = words.as_json(answer) if args.format == "json" else words.text(answer, args.lang)
    common.say(shown)
    return 0 if answer.verified else 1


def _branch(args: argparse.Namespace, what: Path) -> Branch | None:
    """The branch that is asked of; None without `--git`. Raises GitError: no repository there."""
    if args.git is None:
        if args.branch is not None:
            raise UsageError("--branch says which branch --git looks at: say --git too")
        return None
    from llmops.audit.landed import Branch
    from llmops.source.tree import Repository

    if not args.git and not what.is_dir():
        raise UsageError("a bundle has no commits", hint="name a clone: --git CLONE")
    where = Path(args.directory, args.git) if args.git else what
    return Branch(Repository.find(where.resolve()), args.branch or "")


def _material(path: Path) -> Material:
    """What is to be verified. Raises StoreError where it is neither a bundle nor a repository."""
    from llmops.audit.source import Bundle, Clone
    from llmops.log.branch import Log
    from llmops.source.tree import Repository

    if not path.is_dir():
        return Bundle.at(path)
    repository = Repository.find(path.resolve())
    log = Log(repository).source()
    if log.tree is None:
        what = f"{printable(str(path), 200)} has no log: there is no branch {log.name} in it"
        hint = f"git fetch origin {log.name}; or name a bundle"
        raise LogError(what, hint=hint)
    return Clone(repository, log)


def _pins(given: str | None) -> Iterator[tuple[str, str]]:
    """The trust root that `--root` names, by its digest."""
    if given is None:
        return
    if PATTERN.fullmatch(given):
        yield given, "--root"
        return
    if given.startswith("sha256:"):
        what = f'--root "{printable(given, 100)}" is no digest: sha256: and 64 hex digits'
        raise UsageError(what, hint="llmops keys show prints it where the root is made")
    from llmops.signing.root import decode

    try:
        yield decode(_bytes(Path(given))).digest, f"--root {printable(given, 200)}"
    except ValueError as error:
        what = f"--root {printable(given, 200)} is no trust root: {printable(str(error), 300)}"
        raise UsageError(what, hint="policies/trust/1.root.json of a repository is one") from None


def _before(given: str | None) -> Remembered | None:
    """What the last time left; None the first time."""
    from llmops.audit.remembered import decode

    if given is None or not Path(given).exists():
        return None
    try:
        return decode(_bytes(Path(given)))
    except ValueError as error:
        what = f"--checkpoint {printable(given, 200)} is not what verify writes: {error}"
        hint = "it is not written over; name another file to begin anew, with --root"
        raise UsageError(what, hint=hint) from None


def _remember(path: Path, answer: Answer) -> None:
    from llmops.audit.remembered import Remembered, encode
    from llmops.evidence.files import replace

    assert answer.log is not None
    replace(path.absolute(), encode(Remembered(answer.trust_root, answer.log)))


def _bytes(path: Path) -> bytes:
    """A small file. Raises StoreError, or ValueError where it is too large to be one of ours."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        what = f"{printable(str(path), 200)} cannot be read: {error.strerror}"
        raise StoreError(what) from error
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    return data
