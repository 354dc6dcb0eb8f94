"""Whether the signatures on a run count, where somebody hands it over.

In: a statement, the envelopes that came with it, what is kept here, base's trust root. Out: why it
is not taken, in words. A signed run says before that it starts, and each start counts once. What
nobody signed is taken only where base's root lets the gate speak for runners: some key has both
roles. Without a trust root only the form is looked at: there is nobody to believe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from llmops.evidence import started
from llmops.evidence.offered import Offered
from llmops.evidence.signed import expect
from llmops.evidence.store import Store
from llmops.signing import trust as roots
from llmops.signing.base import Envelope, Role
from llmops.signing.root import Root
from llmops.source.tree import Tree

SPEAKERS: tuple[Role, ...] = ("runner", "gate")


@dataclass(frozen=True, slots=True)
class Trust:
    """Base's trust root, and the time at which keys must be valid (UTC, RFC 3339)."""

    root: Root
    at: str

    @property
    def vouches(self) -> bool:
        """Whether the gate may speak for runners."""
        runners = {one.id for one in self.root.holders("runner", self.at)}
        return any(one.id in runners for one in self.root.holders("gate", self.at))


def of_tree(base: Tree | None, now: datetime) -> Trust | None:
    """What a tree's trust root asks at a time, None where it has none. Raises UsageError."""
    chain = roots.of_tree(base) if base is not None else None
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Trust(chain.newest, at) if chain is not None else None


def signed(one: Offered, store: Store, trust: Trust | None) -> tuple[tuple[Envelope, ...], str]:
    """The envelopes of a statement that count, and why it is not taken, "" where it may be."""
    found: dict[str, Envelope] = {}
    for digest, words in one.signable().items():
        if digest in one.papers:
            try:
                found[digest] = expect(one.papers[digest].path.read_bytes(), digest)
            except ValueError as error:
                return (), f"the signature on {words} is none: {error}"
            why = trust.root.allows(SPEAKERS, found[digest], trust.at) if trust else ""
            if why:
                return (), f"the signature on {words} does not count: {why}"
    why = next(_missing(one, found, trust), "") or _odd_start(one, found, store)
    return (tuple(found.values()), "") if not why else ((), why)


def _missing(one: Offered, found: Mapping[str, Envelope], trust: Trust | None) -> Iterator[str]:
    """What should be signed and is not."""
    links, run = one.evidence.links, one.evidence.digest in found
    if not run and (found or links.started):
        yield "it says that it is signed, and its signature did not come along"
    if not run and trust is not None and not trust.vouches:
        yield (
            f"nobody signed it, and trust root {trust.root.version} of base lets no gate speak"
            " for runners: give the runner a key of role runner (llmops keys)"
        )
    if run and not links.started:
        yield "it is signed and does not say that it started"
    for digest, words in one.signable().items() if run else ():
        if digest not in found:
            yield f"it is signed, and {words} is not"


def _odd_start(one: Offered, found: Mapping[str, Envelope], store: Store) -> str:
    """Why a start is not that of this run, or of no other."""
    digest = one.evidence.links.started
    if digest not in found:
        return ""
    try:
        start = started.parse(found[digest].payload)
    except ValueError as error:
        return f"its start is none: {error}"
    if start.closure != one.evidence.closure or start.job != one.told:
        return "its start is that of another job"
    if store.signed.started_by(start.nonce) not in ("", digest):
        return f"the nonce of its start, {start.nonce}, was used before"
    others = (store.told(start.closure, other) for other in store.digests(start.closure))
    if any(o and o.links.started == digest and o.digest != one.evidence.digest for o in others):
        return "its start is that of another run, which is known here"
    return ""
