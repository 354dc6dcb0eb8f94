"""`llmops keys rotate`: the trust root that follows: a new key of one's own, people, roles.

Without a word about others, one's own key is replaced in all its roles, and the old one counts a
while longer. The next root holds once enough owners of this one and of the next have signed it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from llmops.cli import common, trusted
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.signing import changes, keys, root
from llmops.signing.base import ROLES, Role, Signer
from llmops.signing.root import Root

EXAMPLES = """\
  llmops keys rotate
  llmops keys rotate --add ci=ci.pub --role gate --role log --role runner
  llmops keys rotate --remove bob --threshold 2"""
_MOST_DAYS = 3650


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `keys rotate`."""
    trusted.add_key(parser)
    parser.add_argument(
        "--add", action="append", default=[], metavar="NAME=KEY",
        help="let a key in, by what llmops keys show --public printed",
    )  # fmt: skip
    parser.add_argument(
        "--remove", action="append", default=[], metavar="KEY",
        help="take a key out, by its owner or the beginning of its id",
    )  # fmt: skip
    parser.add_argument(
        "--role", action="append", default=[], choices=ROLES,
        help="the roles that --add gives (default: root), or --remove takes (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=int, metavar="N", help="how many owners must sign a trust root"
    )
    parser.add_argument("--until", metavar="DATE", help="the last day of what --add lets in")
    parser.add_argument(
        "--grace", type=int, default=7, metavar="DAYS",
        help="how long a replaced key counts beside the new one (default: 7)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="where your new key shall lie")
    trusted.add_now(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 for keys, people or numbers that cannot be."""
    found = trusted.held(args)
    newest = found.newest
    mine = trusted.mine(args)
    trusted.signers(found, newest, mine)
    if args.add or args.remove or args.threshold is not None:
        made = trusted.meant(lambda: root.draft(_changed(args, newest)))
        _expect_change(made, newest)
        made = trusted.write(args, found, made, trusted.signers(found, made, mine))
        common.say(trusted.lines(trusted.told(found, made)))
        return 0
    return _replaced(args, found, mine)


def _changed(args: argparse.Namespace, newest: Root) -> Root:
    """The root that follows, with the people as they are asked for."""
    at = trusted.text_of(trusted.moment(args))
    roles: Sequence[Role] = args.role
    made = changes.following(newest)
    for given in args.add:
        until = _end(args.until) if args.until else ""
        made = changes.added(made, trusted.person(given), roles or ("root",), at, until)
    if args.threshold is not None and args.threshold < made.roles["root"].threshold:
        made = changes.asking(made, args.threshold)
    for given in args.remove:
        made = changes.removed(made, changes.found(made, given), at, roles or ROLES)
    if args.threshold is not None:
        made = changes.asking(made, args.threshold)
    return made


def _expect_change(made: Root, newest: Root) -> None:
    if not any(changes.differences(made, newest)):
        raise UsageError("that is what the trust root says already", hint="llmops keys show")


def _replaced(args: argparse.Namespace, found: trusted.Held, mine: keys.PemSigner) -> int:
    """One's own key anew. The old one stays where it lies until the root has landed."""
    now = trusted.moment(args)
    if not 0 <= args.grace <= _MOST_DAYS:
        raise UsageError(f"--grace {args.grace} is no number of days from 0 to {_MOST_DAYS}")
    until = trusted.text_of(now + timedelta(args.grace, 1 if args.grace == 0 else 0))
    path = Path(args.out).expanduser() if args.out else _beside(args, found)
    signer = trusted.made_at(path, found.repository)
    try:
        made = _written(args, found, (mine, signer), until)
    except BaseException:
        path.unlink(missing_ok=True)  # a key that no root names
        raise
    lines = trusted.lines(
        [f"made {printable(str(path))} (mode 0600): your new private key"],
        trusted.told(found, made),
        _next(args, made, found, path),
    )
    common.say(lines)
    return 0


def _written(
    args: argparse.Namespace,
    found: trusted.Held,
    pair: tuple[keys.PemSigner, keys.PemSigner],
    until: str,
) -> Root:
    mine, signer = pair
    since = trusted.text_of(trusted.moment(args))
    made = trusted.meant(
        lambda: root.draft(
            changes.replaced(changes.following(found.newest), mine.key, signer.public, since, until)
        )
    )
    have: tuple[Signer, ...] = trusted.signers(found, made, mine, signer)
    return trusted.write(args, found, made, have)


def _beside(args: argparse.Namespace, found: trusted.Held) -> Path:
    """A name for the new key next to the old one's."""
    old = trusted.place(args)
    return old.with_name(f"{old.stem}-{found.newest.version + 1}{old.suffix or '.pem'}")


def _next(args: argparse.Namespace, made: Root, found: trusted.Held, path: Path) -> Iterator[str]:
    if not root.missing(made, found.before()):
        yield "next"
    yield f"  once this root has landed: mv {printable(str(path))} {_old(args)}"
    yield f"{trusted.secret(path)}  (then too)"


def _old(args: argparse.Namespace) -> str:
    return printable(str(trusted.place(args)))


def _end(given: str) -> str:
    """The first second after a day."""
    try:
        day = date.fromisoformat(given) + timedelta(1)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f'--until "{printable(given, 40)}" is no day', hint='write it as in "2027-12-31"'
        ) from error
    return f"{day.isoformat()}T00:00:00Z"
