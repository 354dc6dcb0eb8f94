"""`llmops log redact`: a blob goes from the branch's tip; its digest and a signed reason stay.

Every proof stays what it was, and no later append brings the blob back. Older commits of the
branch still hold the bytes: where a law wants them gone, the answer says how.
"""

from __future__ import annotations

import argparse

from llmops.cli import common, logs
from llmops.diagnostics import printable
from llmops.digest import PATTERN
from llmops.errors import UsageError
from llmops.log.base import Known
from llmops.log.files import Files
from llmops.log.redact import redacted, redaction
from llmops.signing import dsse

EXAMPLES = """\
  llmops log redact sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
--reason "erasure request 17"
  llmops log redact sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
--reason "erasure request 17" --remote origin"""
_LONGEST = 500


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `log redact`."""
    parser.add_argument("digest", metavar="DIGEST", help="sha256:<64 hex> of the blob")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it stays for good")
    logs.add_remote(parser)
    logs.add_key(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 where the log has no such blob, or the key may not do it."""
    _expect_words(args)
    bench = logs.Bench.of(args)
    signer = bench.signer(args, "gate", "log")
    files = bench.log.source()
    if files.tree is None:
        raise logs.nothing()
    if args.digest not in files.digests:
        raise _no_blob(args.digest, files)
    entry = redaction(args.digest, args.reason.strip(), logs.moment(args), signer)
    made = bench.log.append(lambda known: _unless_gone(args.digest, known, entry), (), signer)
    if made.first == made.size:
        common.say(f"{args.digest} was redacted already.")
        return 0
    common.say(f"Redacted {args.digest}: entry {made.first} says why.")
    common.say(
        f"Older commits of {bench.log.branch} still have its bytes. Where a law wants them gone "
        "too: make the tip a commit without parents, push it by force, let git collect the rest. "
        "The log is its entries, and they stay."
    )
    return 0


def _unless_gone(digest: str, known: Known, entry: bytes) -> list[bytes]:
    """The entry, unless somebody else was faster."""
    return [] if digest in redacted(known.envelopes) else [entry]


def _expect_words(args: argparse.Namespace) -> None:
    """Raises UsageError: what is named is no digest, or the reason says nothing."""
    if not PATTERN.fullmatch(args.digest):
        raise UsageError(f'"{printable(args.digest, 120)}" is no digest', hint="sha256:<64 hex>")
    if not args.reason.strip() or len(args.reason) > _LONGEST:
        hint = f"at most {_LONGEST} characters, and nobody's personal data: it stays for good"
        raise UsageError("--reason does not say why in a few words", hint=hint)


def _no_blob(digest: str, files: Files) -> UsageError:
    gone = redacted(map(dsse.decode, files.entries()))
    if digest in gone:
        return UsageError(f"{digest} was redacted already", hint="llmops log show says why")
    hint = "entries hold no case texts and cannot be redacted: only blobs can"
    return UsageError(f"the log has no blob {digest}", hint=hint)
