"""What the actions of `log` share: which log, whose keys.

The log is that of this repository, or of the remote that is named. A clone that only follows the
log of `origin` reads what it fetched last; whoever writes names the remote.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.cli import common, sharing
from llmops.errors import LlmopsError, UsageError
from llmops.log.base import BRANCH

if TYPE_CHECKING:
    from llmops.log.branch import Log
    from llmops.signing.base import Role
    from llmops.signing.keys import PemSigner
    from llmops.signing.root import Chain
    from llmops.source.remote import Remote
    from llmops.source.tree import Repository


def add_remote(parser: argparse.ArgumentParser) -> None:
    """`--remote`."""
    parser.add_argument(
        "--remote", metavar="NAME",
        help="the remote whose log is meant, or an address (default: what is here)",
    )  # fmt: skip


def add_key(parser: argparse.ArgumentParser) -> None:
    """`--key` and `--now`."""
    parser.add_argument("--key", metavar="FILE", help="the private key to sign with")
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to sign at (for tests)")


@dataclass(frozen=True, slots=True)
class Bench:
    """A repository with its log and the trust root that says whose key counts."""

    repository: Repository
    log: Log
    chain: Chain | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> Bench:
        """As the options say. Raises UsageError where the trust roots are no chain."""
        from llmops.log import holders
        from llmops.log.branch import Log
        from llmops.signing.trust import of_tree
        from llmops.source.sides import tip

        repository = common.repository(args)
        base = tip(repository)
        chain = of_tree(base) if base is not None else None
        remote = _remote(args, repository)
        log = Log(repository, remote, holders.publics(chain), holders.revoked(chain))
        return cls(repository, log, chain)

    def owner(self, key: str) -> str:
        """Who has a key, as the newest root says; "" for nobody known."""
        named = self.chain.newest.keys.get(key) if self.chain is not None else None
        return named.owner if named is not None else ""

    def signer(self, args: argparse.Namespace, *roles: Role) -> PemSigner:
        """The key to sign with, which has these roles now. Raises UsageError."""
        from llmops.signing.keys import signer

        if self.chain is None:
            hint = "llmops keys init makes one; it counts once it is merged"
            raise UsageError("base has no trust root, so nobody may write to the log", hint=hint)
        found = signer(Path(args.key) if args.key else None, os.environ)
        if found is None:
            hint = "--key FILE or LLMOPS_KEY names one; llmops keys init makes one"
            raise UsageError("there is no key to sign with", hint=hint)
        for role in roles:
            if all(one.id != found.key for one in self.chain.newest.holders(role, moment(args))):
                what = f"key {found.key[:12]} has no role {role} in trust root "
                raise UsageError(f"{what}{self.chain.newest.version}", hint="llmops keys show")
        return found


def moment(args: argparse.Namespace) -> str:
    """The time to sign at, as statements write it."""
    return written(common.moment(args.now))


def written(at: datetime) -> str:
    """A time in UTC to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def nothing() -> LlmopsError:
    """What is said where there is no log."""
    hint = "llmops gate --counted begins one where base has a trust root; --remote NAME reads there"
    return LlmopsError(f"there is no log: no branch {BRANCH}", hint=hint)


def _remote(args: argparse.Namespace, repository: Repository) -> Remote | None:
    from llmops.source.remote import Remote

    name = args.remote
    if not name:
        return None
    plain = Remote(repository, name)
    return Remote(repository, name, sharing.secret_for(plain.address, os.environ))
