"""Whose key signs here, if anybody's: base's trust root and a private key -> a `Pen`.

In: base's tree, the repository and its remote, the key that was found. Out: a `Pen`; or why nobody
signs although base has a trust root; or None where base has none, since then nobody's word counts
for more than another's. A root that only the change itself brings is no root yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from llmops.log import holders
from llmops.log.branch import Log
from llmops.notary import base as nouns
from llmops.notary.base import ROLES, Pen, Unsigned, text
from llmops.signing import trust
from llmops.signing.base import Signer
from llmops.signing.root import Chain
from llmops.source.remote import Remote
from llmops.source.tree import Repository, Tree

_NO_KEY = "no key is here: LLMOPS_SIGNING_KEY, LLMOPS_KEY or ~/.config/llmops/key.pem"
_HINT = "llmops keys show says whose keys count; in CI the gate job has the secret"


def pen(
    base: Tree | None,
    repository: Repository,
    key: Callable[[], Signer | None],
    *,
    remote: Remote | None = None,
    clock: Callable[[], datetime] = nouns.now,
    pause: Callable[[float], None] = time.sleep,
) -> Pen | Unsigned | None:
    """The pen that base allows. Raises UsageError where base's trust roots are no chain."""
    chain = trust.of_tree(base) if base is not None else None
    if chain is None:
        return None
    signer = key()
    if signer is None:
        return Unsigned(_NO_KEY, _HINT)
    why = _refused(chain, signer, clock())
    if why:
        return Unsigned(why, _HINT)
    log = Log(repository, remote, holders.publics(chain), holders.revoked(chain))
    return Pen(log, signer, chain, _address(repository, remote), clock, pause)


def _refused(chain: Chain, signer: Signer, at: datetime) -> str:
    """Why a key may not write, in words; "" where it may."""
    root, when = chain.newest, text(at)
    for role in ROLES:
        if signer.key not in {key.id for key in root.holders(role, when)}:
            where = f"in trust root {root.version} at {when}"
            return f"key {signer.key[:12]} does not count for role {role} {where}"
    return ""


def _address(repository: Repository, remote: Remote | None) -> str:
    """Where the repository is, for people and policy engines; never a path of this machine."""
    address = remote.address if remote is not None else ""
    parts = urlsplit(address)
    if parts.scheme in ("https", "http", "ssh") and parts.hostname:
        return f"git+{parts.scheme}://{parts.netloc}{parts.path.removesuffix('.git')}"
    host, colon, path = address.partition(":")
    if colon and "/" not in host and not parts.netloc:
        return f"git+ssh://{host}/{path.removesuffix('.git')}"
    return f"git:{repository.root.name}"
