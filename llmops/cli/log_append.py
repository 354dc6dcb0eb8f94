"""`llmops log append FILE...`: envelopes that were signed elsewhere, put on record here.

For whoever signs on another machine than the one that may write: a statement of a person, a runner
without a network, a trust root that was just merged (so that a revocation is on record at once).
An envelope is taken in only if base's trust root lets its key sign what it says.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from llmops.cli import common, logs, sharing
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.log.base import ALLOWED, Known
from llmops.log.files import MOST_BYTES
from llmops.log.told import statement, told
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, ROOT, Envelope
from llmops.signing.root import Chain

EXAMPLES = """\
  llmops log append policies/trust/2.root.json
  llmops log append approval.json --blob minutes.pdf --remote origin"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `log append`."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a DSSE envelope, as llmops writes"
    )
    parser.add_argument(
        "--blob", action="append", default=[], metavar="FILE",
        help="a file that an envelope names by its digest (as often as you like)",
    )  # fmt: skip
    logs.add_remote(parser)
    logs.add_key(parser)


def main(args: argparse.Namespace) -> int:
    """0, also where all of it is there already; 2 for what may not be appended."""
    bench = logs.Bench.of(args)
    signer = bench.signer(args, "log")
    assert bench.chain is not None
    made = [_envelope(Path(args.directory, name)) for name in args.files]
    for name, data in zip(args.files, made, strict=True):
        if why := refused(bench.chain, dsse.decode(data), logs.moment(args)):
            raise UsageError(f"{printable(name, 120)} is not appended: {why}")
    blobs = [_named(Path(args.directory, name), made) for name in args.blob]
    done = bench.log.append(lambda known: _new(known, made), blobs, signer)
    if done.first == done.size:
        common.say("Nothing to append: the log has all of it.")
        return 0
    many = sharing.many(done.size - done.first, "entry", "entries")
    common.say(f"Appended {many} from number {done.first} on; the log has {done.size:,} now.")
    return 0


def refused(chain: Chain, envelope: Envelope, now: str) -> str:
    """Why an envelope has no place in the log, or ""."""
    if envelope.payload_type == ROOT:
        known = any(root.payload == envelope.payload for root in chain.roots)
        return "" if known else "base does not have this trust root: merge it first"
    kind = statement(envelope).get("predicateType")
    if envelope.payload_type != IN_TOTO or kind not in ALLOWED:
        return f"{printable(str(kind or envelope.payload_type), 120)} is no kind of entry"
    return chain.newest.allows(ALLOWED[kind], envelope, told(envelope).at or now)


def _new(known: Known, made: Sequence[bytes]) -> list[bytes]:
    """Those that the log has not, each once."""
    there = set(known.payloads)
    found = []
    for data in made:
        payload = hashlib.sha256(dsse.decode(data).payload).hexdigest()
        if payload not in there:
            there.add(payload)
            found.append(data)
    return found


def _envelope(path: Path) -> bytes:
    """The bytes of an envelope. Raises UsageError."""
    data = _bytes(path)
    try:
        dsse.decode(data)
    except ValueError as error:
        raise UsageError(f'"{printable(str(path))}" is no envelope: {error}') from error
    return data


def _named(path: Path, made: Sequence[bytes]) -> bytes:
    """A blob, if an envelope has its digest in it. Raises UsageError."""
    data = _bytes(path)
    digest = hashlib.sha256(data).hexdigest().encode()
    if not any(digest in dsse.decode(one).payload for one in made):
        what = f'"{printable(str(path))}" is named by none of the envelopes'
        raise UsageError(what, hint=f"none of them has the digest {digest.decode()}")
    return data


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f'"{printable(str(path))}" has more than {MOST_BYTES:,} bytes')
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f'no file "{printable(str(path))}": {error.strerror}') from error
