"""`llmops log prove`: for whoever does not believe it, and has no llmops.

Of an entry: a C2SP tlog-proof, index, path and the signed checkpoint. With `--since FILE` of an
older checkpoint: that what it saw is still there, in that order, and only more came after it.
"""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path
from typing import Any

from llmops import merkle
from llmops.cli import common, logs, sharing
from llmops.cli.log_show import checked
from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.log import proofs
from llmops.log.base import Checkpoint
from llmops.log.checkpoint import decode
from llmops.log.files import Seen

EXAMPLES = """\
  llmops log prove 12
  llmops log prove --since checkpoint.last-year --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `log prove`."""
    parser.add_argument("number", nargs="?", type=int, metavar="N", help="the entry, from 0 on")
    parser.add_argument(
        "--since", metavar="FILE", help="an older checkpoint that the log must begin with"
    )
    logs.add_remote(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 1 where the log does not begin with the older checkpoint."""
    if (args.number is None) == (args.since is None):
        hint = "llmops log prove 12, or llmops log prove --since FILE"
        raise UsageError("say which entry to prove, or since which checkpoint", hint=hint)
    bench = logs.Bench.of(args)
    files = bench.log.source()
    if files.tree is None:
        raise logs.nothing()
    seen = checked(bench, files)
    if args.since is not None:
        return _since(args, seen)
    return _entry(args, seen, files.checkpoint() or b"")


def _entry(args: argparse.Namespace, seen: Seen, note: bytes) -> int:
    number = args.number
    if not 0 <= number < len(seen.leaves):
        raise UsageError(f"the log has no entry {number}: the last is {len(seen.leaves) - 1}")
    proof = proofs.inclusion(seen.leaves, number, note)
    assert proof.holds(seen.leaves[number])
    if args.format == "text":
        common.say(proof.encode().decode().removesuffix("\n"))
        return 0
    said = {
        "index": number,
        "leaf": seen.leaves[number].hex(),
        "path": [step.hex() for step in proof.path],
        "checkpoint": note.decode(),
        "entry": base64.b64encode(seen.known.entries[number]).decode(),
    }
    common.say(_json(said))
    return 0


def _since(args: argparse.Namespace, seen: Seen) -> int:
    before, after = _older(args), seen.checkpoint
    assert after is not None
    why = _not_before(before, after, seen.leaves)
    if args.format == "json":
        path = proofs.consistency(seen.leaves, before, after) if not why else None
        said = path.to_json() if path is not None else {"before": _head(before)}
        common.say(_json(said | {"holds": not why, "problem": why}))
    elif not why:
        more = sharing.many(after.size - before.size, "entry", "entries")
        common.say(f"The log begins with that checkpoint; {more} came after it.")
    if why:
        complain(f"llmops: error: {why}")
    return 1 if why else 0


def _not_before(before: Checkpoint, after: Checkpoint, leaves: tuple[bytes, ...]) -> str:
    """Why the older checkpoint is not the beginning of the log, or ""."""
    if before.origin != after.origin:
        return f"it is of another log: {printable(before.origin, 120)}, not {after.origin}"
    if before.size > after.size:
        return f"it has {before.size:,} entries, the log {after.size:,}: the log was rewound"
    if before.size == 0 or proofs.consistency(leaves, before, after).holds():
        return ""
    there = merkle.root(leaves[: before.size]).hex()
    return (
        f"the log has forked: its first {before.size:,} entries have the root {there}, "
        f"the checkpoint says {before.root.hex()}"
    )


def _older(args: argparse.Namespace) -> Checkpoint:
    path = Path(args.directory, args.since)
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f'no checkpoint "{printable(str(path))}": {error.strerror}') from error
    except ValueError as error:
        what = f'"{printable(str(path))}" is no checkpoint: {error}'
        raise UsageError(what, hint="git show llmops-log:checkpoint > FILE keeps one") from error


def _head(said: Checkpoint) -> dict[str, Any]:
    return {"origin": said.origin, "size": said.size, "root": said.root.hex()}


def _json(value: Any) -> str:
    return json.dumps({"format_version": 1, **value}, ensure_ascii=False, indent=2)
