"""The whole audit on one page: one short step per check, each in a file of its own.

In: what somebody handed over, what whoever asks knows already, the time now. Out: `Answer`, with
every flaw, the worst first. A later check looks at what the earlier ones found whole, so that one
flipped bit does not hide another; "verified" needs an anchor and no flaw at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from llmops import merkle
from llmops.audit import (
    anchored,
    attempts,
    kept,
    landed,
    lines,
    ordered,
    rederived,
    remembered,
    rendered,
    repeated,
    sealed,
    signed,
    unshown,
    verdicts,
)
from llmops.audit.base import Answer, Flaw, Material, Unshown
from llmops.audit.index import WITHHELD
from llmops.audit.rederived import Again, Log
from llmops.audit.remembered import Remembered
from llmops.audit.times import in_utc
from llmops.diagnostics import printable
from llmops.errors import LogError
from llmops.jobs.base import Job
from llmops.log.base import CHECKPOINT
from llmops.pipeline import jobs_of
from llmops.source.objects import Withheld

_ANY_TIME = "9998-01-01T00:00:00Z"  # a machine's clock decides nothing where pages are made
_FIGURE = re.compile(rb'"-?\d+(?:\.\d+)?"')  # a number in a statement: a decimal string


@dataclass(frozen=True)
class Asked:
    """What whoever asks knows and wants. `pins`: digest of a trust root -> who says so."""

    now: str  # RFC 3339
    pins: Mapping[str, str] = field(default_factory=dict)
    before: Remembered | None = None
    strict: bool = False
    branch: landed.Branch | None = None  # of which it is asked what landed


@dataclass(frozen=True)
class _Checked:
    """The log as it is, and what the checks of its parts found."""

    read: signed.Read
    seal: sealed.Sealed
    blobs: kept.Blobs
    ledger: attempts.Ledger
    runs: ordered.Runs
    repeated: repeated.Repeated
    stated: verdicts.Verdicts

    @property
    def whole(self) -> bool:
        """Whether every entry is what it must be, and all of them are those that were sealed."""
        return not self.read.flaws and not self.seal.flaws

    def flaws(self) -> Iterator[Flaw]:
        """All that is wrong with the log and its parts."""
        parts = (
            self.read, self.seal, self.blobs, self.ledger, self.runs, self.repeated, self.stated,
        )  # fmt: skip
        return chain.from_iterable(part.flaws for part in parts)


def verify(material: Material, asked: Asked) -> Answer:
    """Everything that can be shown of a log and of what rests on it."""
    log = _log(material, asked)
    again = tuple(_again(material, log, log.stated.stated))
    shown = lines.check(material.opened, log.runs.runs, _jobs(again), material.blob)
    wrong, pages = _pages(material, log, again)
    steps = _landed(material, log, again, asked)
    flaws = {
        *material.flaws(), *log.flaws(), *_known(log, asked),
        *_beside(material, log, again), *(shown.flaws if log.whole else ()), *wrong,
        *steps.flaws, *(_strict(again) if asked.strict else ()),
    }  # fmt: skip
    found = log.read.chain
    return Answer(
        name=material.name,
        anchor=_anchor(asked, flaws),
        trust_root=found.newest.digest if found is not None else "",
        log=log.seal.seen,
        flaws=tuple(sorted(flaws, key=lambda flaw: flaw.sort_key)),
        counts={**_counts(log, again), "pages": pages, "lines": shown.lines, "cells": shown.scored},
        verdicts=tuple(one.judged for one in again),
        landed=steps.steps,
        not_shown=(*_not_shown(log, again, shown, asked), *landed.gaps(asked.branch, steps)),
    )


def _beside(material: Material, log: _Checked, again: Sequence[Again]) -> Iterator[Flaw]:
    """What does not fit the log. Where that is not whole itself, much does not: it is not told."""
    found = chain.from_iterable(one.flaws for one in again)
    yield from (flaw for flaw in found if log.whole or flaw.reason != "fork")
    if log.whole and not log.stated.flaws:
        yield from _withheld(material, log)
        yield from _left_over(material, log)


def newest_pages(material: Material) -> Mapping[str, bytes]:
    """The pages of the newest verdict, by path: what a bundle carries.

    None without a verdict, or where what it rests on was taken away. Raises LlmopsError where it
    does not follow, so that nobody is given pages that do not.
    """
    log = _log(material, Asked(_ANY_TIME))
    last = tuple(_again(material, log, log.stated.stated[-1:]))
    if not last or log.seal.seen is None or last[0].hidden:
        return {}
    if last[0].made is None:
        raise LogError(f"the newest verdict does not follow: {last[0].flaws[0].what}")
    return rendered.rendering(last[0].made, last[0].stated, log.seal.seen)


def _log(material: Material, asked: Asked) -> _Checked:
    """One pass over the entries, and what each part of the log is held against."""
    read = signed.read(material.entries(), in_utc(asked.now))
    newest = read.chain.newest if read.chain is not None else None
    note = material.checkpoint()
    if note is None:
        seal = sealed.Sealed(None, (Flaw("incomplete", "there is no checkpoint", file=CHECKPOINT),))
    else:
        times = (read.clock, in_utc(asked.now))
        seal = sealed.check(note, read.leaves, newest, times, strict=asked.strict)
    history = read.history
    return _Checked(
        read, seal, kept.check(history, material, whole=not (read.flaws or seal.flaws)),
        attempts.check(history),
        ordered.check(history), repeated.check(history), verdicts.check(history),
    )  # fmt: skip


def _again(material: Material, log: _Checked, stated: Sequence[verdicts.Stated]) -> Iterator[Again]:
    """These verdicts, derived once more."""
    whole = _whole(material, log, stated)
    for one in stated if whole is not None else ():
        assert whole is not None
        yield rederived.check(one, whole)


def _whole(material: Material, log: _Checked, stated: Sequence[verdicts.Stated]) -> Log | None:
    """The log as checks of verdicts look at it; None where it has no trust root."""
    found, read = log.read.chain, log.read
    if found is None:
        return None
    roots = dict(_roots(read.leaves, {one.given.log_size for one in stated}))
    return Log(
        material, read.history, read.leaves, found, log.runs, log.ledger, log.blobs, log.repeated,
        roots,
    )  # fmt: skip


def _landed(
    material: Material, log: _Checked, again: Sequence[Again], asked: Asked
) -> landed.Found:
    """What landed on the branch that was asked of; nothing where none was, or no log is there."""
    whole = _whole(material, log, ()) if asked.branch is not None else None
    if asked.branch is None or whole is None:
        return landed.Found("", (), ())
    return landed.check(asked.branch, again, whole)


def _roots(leaves: Sequence[bytes], sizes: Iterable[int]) -> Iterator[tuple[int, str]]:
    """The Merkle roots over so many first leaves."""
    growing = merkle.Growing()
    wanted = sorted(size for size in sizes if size <= len(leaves))
    for size in wanted:
        growing.extend(leaves[growing.size : size])
        yield size, growing.root.hex()


def _known(log: _Checked, asked: Asked) -> Iterator[Flaw]:
    """The log held against what whoever asks knows."""
    pins = dict(asked.pins)
    if asked.before is not None:
        pins.setdefault(asked.before.trust_root, "remembered from the last time")
    yield from anchored.check(log.read.chain, pins)
    if asked.before is not None and log.seal.seen is not None:
        yield from remembered.check(asked.before, log.seal.seen, log.read.leaves)


def _withheld(material: Material, log: _Checked) -> Iterator[Flaw]:
    """What is said of files that are not here is what the signed verdicts say of them."""
    signed_for = {
        oid: Withheld(f"sha256:{file.sha256}", file.size)
        for one in log.stated.stated
        for oid, file in one.given.files.items()
    }
    said = material.withheld()
    for oid in sorted(said.keys() | (signed_for.keys() if material.whole else set())):
        if said.get(oid) != signed_for.get(oid):
            what = f"the verdicts say otherwise of the file {printable(oid, 80)}"
            yield Flaw("tampered", what, file=WITHHELD)


def _left_over(material: Material, log: _Checked) -> Iterator[Flaw]:
    """Objects that came with it and belong to no tree that was judged."""
    givens = (one.given for one in log.stated.stated)
    named = {t.tree: t for given in givens for t in (given.base, given.head) if t is not None}
    found = (material.tree(one.tree, one.label, one.commit) for one in named.values())
    yield from material.left_over([tree for tree in found if tree is not None], {})


def _pages(
    material: Material, log: _Checked, again: Sequence[Again]
) -> tuple[tuple[Flaw, ...], int]:
    if log.seal.seen is None:
        return (), 0
    newest = again[-1] if again else None
    return rendered.check(material.pages(), newest, log.seal.seen, whole=material.whole)


def _jobs(again: Iterable[Again]) -> Mapping[str, Job]:
    """Every job that some verdict needs, by closure."""
    made = (one.made for one in again)
    return {c: job for one in made if one is not None for c, job in jobs_of(one.planned).items()}


def _strict(again: Iterable[Again]) -> Iterator[Flaw]:
    for one in again:
        if one.hidden:
            what = f"this verdict was not derived again: {one.hidden}"
            yield Flaw("incomplete", what, "without --strict it is told", entry=one.stated.number)


def _anchor(asked: Asked, flaws: Iterable[Flaw]) -> str:
    """By what the trust root is known; "" where by nothing, or by something else."""
    if any(flaw.reason == "unanchored" for flaw in flaws):
        return ""
    pinned = next(iter(asked.pins.values()), "")
    return pinned or ("remembered from the last time" if asked.before is not None else "")


def _counts(log: _Checked, again: Sequence[Again]) -> dict[str, int]:
    derived = [one for one in again if one.judged.derived]
    return {
        "entries": len(log.read.leaves),
        "signatures": log.read.signatures,
        "roots": len(log.read.roots),
        "runs": len(log.runs.runs),
        "ledger": len(log.ledger.placed),
        "blobs": log.blobs.count,
        "rows": log.blobs.rows,
        "verdicts": len(again),
        "derived": len(derived),
        "figures": sum(len(_FIGURE.findall(one.stated.report.payload)) for one in derived),
    }


def _not_shown(
    log: _Checked, again: Sequence[Again], shown: lines.Shown, asked: Asked
) -> Iterator[Unshown]:
    yield from unshown.gaps(log.runs, log.ledger, again, shown, log.seal.unknown)
    if asked.before is None:
        yield Unshown("history")
