"""`llmops keys revoke KEY`: the trust root that follows, in which a key counts no more.

What it signed before a time stays good, what it signs from then on is refused. Whoever loses the
only owner's key rotates first, if the key is still at hand.
"""

from __future__ import annotations

import argparse

from llmops.cli import common, trusted
from llmops.errors import UsageError
from llmops.signing import changes, root

EXAMPLES = """\
  llmops keys revoke bob --reason "laptop stolen"
  llmops keys revoke 3f9c0d1e --reason "in a public log" --since 2026-11-20T00:00:00Z"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `keys revoke`."""
    parser.add_argument("who", metavar="KEY", help="its owner, or the beginning of its id")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for everybody")
    parser.add_argument(
        "--since", metavar="TIME", help="from when on it does not count (default: now)"
    )
    trusted.add_key(parser)
    trusted.add_now(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 for a key that is not there, or where too few owners would be left."""
    found = trusted.held(args)
    newest = found.newest
    mine = trusted.mine(args)
    trusted.signers(found, newest, mine)
    key = trusted.meant(lambda: changes.found(newest, args.who))
    since = trusted.text_of(common.moment(args.since) if args.since else trusted.moment(args))
    try:
        made = root.draft(changes.revoked(changes.following(newest), key, since, args.reason))
    except ValueError as error:
        hint = "llmops keys rotate puts a new key in its place; then revoke the old one"
        raise UsageError(f"key {key[:16]} cannot be revoked: {error}", hint=hint) from error
    made = trusted.write(args, found, made, trusted.signers(found, made, mine))
    common.say(trusted.lines(trusted.told(found, made)))
    return 0
