"""The checkpoint of a log: who signed it, and whether the entries are the ones that it seals.

In: the file `checkpoint`, the leaves of the entries, the newest trust root. Out: the log as it is
seen now. A line of a witness that nobody here knows is skipped, as the format wants it
(https://c2sp.org/signed-note), and told; `strict` refuses it, since a flipped bit in such a line
is seen by nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmops import merkle
from llmops.audit.base import Flaw, Seen
from llmops.audit.times import shown
from llmops.diagnostics import printable
from llmops.log import checkpoint
from llmops.log.base import CHECKPOINT, Checkpoint
from llmops.signing.root import Root


@dataclass(frozen=True, slots=True)
class Sealed:
    """The log that a checkpoint seals; None where it seals none. `unknown`: lines of nobody."""

    seen: Seen | None
    flaws: tuple[Flaw, ...] = ()
    unknown: int = 0


def check(
    data: bytes,
    leaves: Sequence[bytes],
    root: Root | None,
    times: Sequence[str],
    *,
    strict: bool = False,
) -> Sealed:
    """What a checkpoint says, held against the entries and whose keys may sign for a log.

    It says no time itself, so a key counts that is valid at one of `times`: the last that the log
    states, and now.
    """
    try:
        said = checkpoint.decode(data)
    except ValueError as error:
        flaw = Flaw("tampered", f"the checkpoint is none: {error}", file=CHECKPOINT)
        return Sealed(None, (flaw,))
    flaws = _entries(said, leaves)
    if root is None:
        return Sealed(_seen(said), tuple(flaws))
    signed, unknown = _signed(data, said, root, times)
    flaws += signed
    if unknown and strict:
        names = ", ".join(sorted({printable(name, 80) for name in unknown}))
        what = f"the checkpoint has {_lines(len(unknown))} of keys that are not known: {names}"
        flaws.append(Flaw("key", what, "without --strict they are skipped", file=CHECKPOINT))
    return Sealed(_seen(said), tuple(flaws), len(unknown))


def _entries(said: Checkpoint, leaves: Sequence[bytes]) -> list[Flaw]:
    count = len(leaves)
    if count < said.size:
        what = f"the checkpoint seals {said.size:,} entries, here are {count:,}"
        hint = "the last ones were taken away, or this copy is not whole"
        return [Flaw("incomplete", what, hint, entry=count, file=CHECKPOINT)]
    if count > said.size:
        what = f"the checkpoint seals {said.size:,} entries, here are {count:,}"
        hint = "nobody signed for those after it"
        return [Flaw("tampered", what, hint, entry=said.size, file=CHECKPOINT)]
    found = merkle.root(leaves)
    if found == said.root:
        return []
    what = (
        f"the Merkle root of the {count:,} entries is {found.hex()}, "
        f"the checkpoint seals {said.root.hex()}"
    )
    hint = "an entry was edited, moved or replaced after it was sealed"
    return [Flaw("tampered", what, hint, file=CHECKPOINT)]


def _signed(
    data: bytes, said: Checkpoint, root: Root, times: Sequence[str]
) -> tuple[list[Flaw], tuple[str, ...]]:
    """What is wrong with who signed, and the names of lines that nobody here knows."""
    holders = {key.public for at in times for key in root.holders("log", shown(at))}
    known = [checkpoint.Key(said.origin, public) for public in sorted(holders)]
    try:
        opened = checkpoint.opened(data, known)
    except ValueError as error:
        return [Flaw("tampered", f"the checkpoint: {error}", file=CHECKPOINT)], ()
    if opened.by:
        return [], tuple(line.name for line in opened.unknown)
    what = f"no key that has the role log in trust root {root.version} signed the checkpoint"
    hint = f"its lines are by {', '.join(printable(one.name, 80) for one in said.signed)}"
    return [Flaw("key", what, hint, file=CHECKPOINT)], ()


def _seen(said: Checkpoint) -> Seen:
    return Seen(said.origin, said.size, said.root.hex())


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
