"""Who answers for what runs here: the key on this machine, if base's trust root lets it.

In: base's tree, the environment. Out: a `Signer`, or None and why in words ("" where nobody expects
one: base has no trust root, or this machine no key). A key that base does not let sign is left
alone: what it signed would only be refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmops.errors import UsageError
from llmops.signing import trust
from llmops.signing.base import Role, Signer
from llmops.source.tree import Tree

ROLES: tuple[Role, ...] = ("runner", "gate")  # who may say what a run found


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who signs, and why nobody does although there is a key."""

    signer: Signer | None = None
    note: str = ""


def speaker(base: Tree | None, environ: Mapping[str, str], now: str) -> Speaker:
    """Who signs what runs here. `now`: UTC, RFC 3339. Raises UsageError for an unusable key."""
    try:
        chain = trust.of_tree(base) if base is not None else None
    except UsageError as error:
        return Speaker(note=f"{error.message}: what runs here stays unsigned")
    if chain is None:
        return Speaker()
    from llmops.signing.keys import signer

    found = signer(None, environ)
    if found is None:
        return Speaker()
    root = chain.newest
    if any(found.key == one.id for role in ROLES for one in root.holders(role, now)):
        return Speaker(found)
    why = f"key {found.key} may not sign runs by base's trust root {root.version}"
    return Speaker(note=f"{why}: what runs here stays unsigned")
