"""Whose checkpoints count: keys of role log in a trust root. Dry.

In: the chain of roots of base's tree. Out: raw public keys. A checkpoint carries no time, so a key
that was replaced counts for what it signed; one that was revoked counts only where this very state
was seen before, since nobody else can tell what its thief signed.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.signing.root import Chain


def publics(chain: Chain | None) -> tuple[bytes, ...]:
    """The keys that may sign, or could and are replaced."""
    return tuple(public for key, public in _held(chain) if not _is_revoked(chain, key))


def revoked(chain: Chain | None) -> tuple[bytes, ...]:
    """The keys that could sign and were revoked."""
    return tuple(public for key, public in _held(chain) if _is_revoked(chain, key))


def _held(chain: Chain | None) -> Iterator[tuple[str, bytes]]:
    """Every key that any version gives the role, once."""
    seen: set[str] = set()
    for root in chain.roots if chain is not None else ():
        grant = root.roles.get("log")
        for key in grant.keys if grant is not None else ():
            if key not in seen and key in root.keys:
                seen.add(key)
                yield key, root.keys[key].public


def _is_revoked(chain: Chain | None, key: str) -> bool:
    return chain is not None and any(key in root.revoked for root in chain.roots)
