"""`llmops keys sign`: one's own signature under a trust root that waits for its owners.

What is otherwise in it is printed with it: whoever signs a root says that all of it is meant.
"""

from __future__ import annotations

import argparse

from llmops.cli import common, trusted
from llmops.errors import UsageError

EXAMPLES = """\
  llmops keys sign
  llmops keys sign --key ~/keys/bob.pem"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `keys sign`."""
    trusted.add_key(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 where no root waits, or for a key that is no owner's."""
    found = trusted.held(args)
    if found.waits is None:
        version = found.newest.version
        raise UsageError(
            f"no trust root waits for signatures: {version} is signed by enough owners",
            hint="llmops keys rotate makes the next one",
        )
    mine = trusted.mine(args)
    if mine.key in {one.key for one in found.waits.envelope.signatures}:
        waits = trusted.waiting(found.waits, found.before())
        raise UsageError(f"you have signed trust root {found.waits.version} already", hint=waits)
    made = trusted.write(args, found, found.waits, trusted.signers(found, found.waits, mine))
    common.say(trusted.lines(trusted.told(found, made)))
    return 0
