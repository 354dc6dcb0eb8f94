"""One more entry on a log of many: checked as it stands, appended, signed anew.

In: a log of entries of some 800 bytes with as many blobs, made in one append and packed by git.
Each round is `llmops log append` in a process of its own, as a gate on a fresh runner is one.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from pathlib import Path

from llmops.digest import canonical
from llmops.log.base import APPROVAL, BRANCH
from llmops.log.branch import Log
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from llmops.source.tree import Repository
from tests.benchmarks import synthetic
from tests.benchmarks.process import Took, median
from tests.keyring import pem, person, root_of, signed

PEN = person("ann")


def per_append(entries: int, runs: int = 5) -> tuple[Took, Took, Took]:
    """An append, a proof for one entry, and git reading all entries: the floor of both."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "repo"
        (root / "policies" / "trust").mkdir(parents=True)
        (root / "policies/trust/1.root.json").write_bytes(signed(root_of(PEN), PEN))
        synthetic.git(root, "init", "--quiet", "--initial-branch=main")
        synthetic.git(root, "add", "--all")
        synthetic.git(root, "commit", "--quiet", "--message", "root")
        made = [_saying(number) for number in range(entries)]
        Log(Repository.find(root)).append(lambda _: made, map(_rows, range(entries)), PEN)
        synthetic.git(root, "gc", "--quiet")
        (key := Path(name) / "key.pem").write_bytes(pem(PEN))
        key.chmod(0o600)
        fresh = itertools.count(entries)

        def another() -> None:
            (root / "new.json").write_bytes(_saying(next(fresh)))

        ours = [sys.executable, "-m", "llmops", "log"]
        append = [*ours, "append", "new.json", "--key", str(key), "-C", str(root)]
        prove = [*ours, "prove", "7", "-C", str(root)]
        floor = f"git -C {root} ls-tree -r {BRANCH} entries | cut -d' ' -f3 | cut -f1"
        read = ["sh", "-c", f"{floor} | git -C {root} cat-file --batch > {os.devnull}"]
        return (
            median(append, runs=runs, before=another), median(prove, runs=runs),
            median(read, runs=runs),
        )  # fmt: skip


def _saying(number: int) -> bytes:
    said = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "closure", "digest": {"sha256": "ab" * 32}}],
        "predicateType": APPROVAL,
        "predicate": {"number": number, "why": "x" * 200, "seen_at": "2026-11-22T08:00:00Z"},
    }
    return dsse.encode(dsse.sign(IN_TOTO, canonical(said), [PEN]))


def _rows(number: int) -> bytes:
    return b"rows of %d\n" % number * 40
