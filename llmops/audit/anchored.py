"""By what the trust root of a log is known: whoever verifies knows one of its versions. Dry.

In: the log's own roots, digests that somebody brought. Out: the flaw where none of them is in this
log. Without an anchor nothing here is proof of anything: a log that somebody made up is consistent
too, so the answer is never "verified" then.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmops.audit.base import Flaw
from llmops.signing.root import Chain

HINT = "--root sha256:… that you know from somewhere else, or --checkpoint FILE of the last time"


def check(chain: Chain | None, pins: Mapping[str, str]) -> tuple[Flaw, ...]:
    """Whether all that is known agrees with the log. `pins`: digest -> who says so."""
    if chain is None:
        what = "the log has no trust root, so nobody says whose keys count"
        return (Flaw("key", what, entry=0),)
    newest = chain.newest
    if not pins:
        what = (
            f"nothing tells that trust root {newest.digest} (version {newest.version}), "
            "which this log brings itself, is the right one"
        )
        return (Flaw("unanchored", what, HINT),)
    return tuple(
        Flaw("key", f"trust root {digest} ({who}) is not in this log: it is somebody else's")
        for digest, who in pins.items()
        if chain.pinned(digest) is None
    )
