"""`llmops keys show`: the trust root of the work tree, its keys and roles, and one's own key.

With `--public`, one's own public half in PEM, which others pass to `keys rotate --add`, and with
which OpenSSL checks what one signed.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import Any

from llmops.cli import common, trusted
from llmops.cli.output import columns
from llmops.diagnostics import printable
from llmops.errors import LlmopsError
from llmops.signing import changes, keys
from llmops.signing.grants import Key
from llmops.signing.root import Root
from llmops.signing.trust import path_of

EXAMPLES = """\
  llmops keys show
  llmops keys show --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `keys show`."""
    parser.add_argument("--public", action="store_true", help="only your public key, in PEM")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")
    trusted.add_key(parser)


def main(args: argparse.Namespace) -> int:
    """0; 1 where a root waits for signatures; 2 where the roots are no chain."""
    if args.public:
        common.say(trusted.public_pem(trusted.mine(args).public))
        return 0
    found = trusted.held(args)
    if args.format == "json":
        common.say(json.dumps(_data(found), ensure_ascii=False, indent=2))
    else:
        common.say(trusted.lines(_text(args, found)))
    return 1 if found.waits is not None else 0


def _text(args: argparse.Namespace, found: trusted.Held) -> Iterator[str]:
    newest = found.before()
    if newest is None and found.waits is None:
        yield "this repository has no trust root, so nothing is signed: llmops keys init"
    if newest is not None:
        yield f"trust root {newest.version}  {newest.digest}  {path_of(newest.version)}"
        yield from (f"  {line}" for line in columns([_row(newest, k) for k in _ordered(newest)]))
        yield f"  {newest.roles['root'].threshold} of {len(newest.owners())} owners sign the next"
    if found.waits is not None:
        yield f"trust root {found.waits.version}  {found.waits.digest}  waits"
        yield from (f"  {printable(one)}" for one in changes.differences(found.waits, newest))
        yield f"  {trusted.waiting(found.waits, newest)}"
    yield _own(args, newest or found.waits)


def _ordered(newest: Root) -> list[Key]:
    return sorted(newest.keys.values(), key=lambda one: (one.owner, one.since, one.id))


def _row(newest: Root, key: Key) -> tuple[str, ...]:
    gone = newest.revoked.get(key.id)
    span = f"from {key.since[:10]}" + (f" until {key.until}" if key.until else "")
    if gone is not None:
        span = f"revoked since {gone.at}: {printable(gone.reason)}"
    roles = " ".join(changes.roles_of(newest, key.id)) or "no role"
    return printable(key.owner, 60), key.id[:16], roles, span


def _own(args: argparse.Namespace, newest: Root | None) -> str:
    """A line about one's own key."""
    try:
        mine = keys.signer(trusted.named(args), os.environ)
    except LlmopsError as error:
        return f"your key: {error.message}"
    if mine is None:
        return "your key: none here: llmops keys init makes one"
    roles = changes.roles_of(newest, mine.key) if newest is not None else ()
    known = " ".join(roles) or "has no role in this repository"
    return f"your key: {mine.key[:16]} {known}"


def _data(found: trusted.Held) -> dict[str, Any]:
    newest = found.before()
    roots = found.chain.roots if found.chain is not None else ()
    return {
        "format_version": 1,
        "digest": newest.digest if newest is not None else None,
        "versions": [_version(one) for one in roots],
        "keys": [_key(newest, key) for key in _ordered(newest)] if newest is not None else [],
        "threshold": newest.roles["root"].threshold if newest is not None else None,
        "waits": _waits(found),
    }


def _version(one: Root) -> dict[str, Any]:
    signed = [by.key for by in one.envelope.signatures]
    return {"version": one.version, "digest": one.digest, "signed_by": signed}


def _key(newest: Root, key: Key) -> dict[str, Any]:
    gone = newest.revoked.get(key.id)
    return {
        "id": key.id,
        "owner": key.owner,
        "roles": list(changes.roles_of(newest, key.id)),
        "from": key.since,
        "until": key.until or None,
        "revoked": {"at": gone.at, "reason": gone.reason} if gone is not None else None,
    }


def _waits(found: trusted.Held) -> dict[str, Any] | None:
    if found.waits is None:
        return None
    lacks = trusted.waiting(found.waits, found.before())
    changed = list(changes.differences(found.waits, found.before()))
    return {**_version(found.waits), "lacks": lacks, "changes": changed}
