"""`llmops log show`: every entry in a line, or all that one of them says.

What stands on the branch is held against its checkpoint: where it does not fit, or nobody signed
whom the trust root knows, that is said and the exit code is 1. `llmops verify` checks the rest.
"""

from __future__ import annotations

import argparse
import base64
import json
from typing import Any

from llmops import merkle
from llmops.cli import common, logs, sharing
from llmops.cli.output import columns, complain
from llmops.diagnostics import printable
from llmops.errors import LlmopsError, LogError, UsageError
from llmops.log.files import Files, Reader, Seen
from llmops.log.told import statement, told
from llmops.signing import dsse
from llmops.signing.base import Envelope

EXAMPLES = """\
  llmops log show
  llmops log show 12 --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `log show`."""
    parser.add_argument("number", nargs="?", type=int, metavar="N", help="one entry, from 0 on")
    logs.add_remote(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 1 where the log is not the one that its checkpoint says."""
    bench = logs.Bench.of(args)
    files = bench.log.source()
    if files.tree is None:
        raise logs.nothing()
    entries = list(files.entries())
    problem = _problem(bench, files)
    if args.number is not None:
        said = _entry(bench, entries, args.number)
        common.say(_json(said) if args.format == "json" else _text_of(said))
    elif args.format == "json":
        rows = [_row(bench, number, data) for number, data in enumerate(entries)]
        common.say(_json(_head(files, problem) | {"entries": rows}))
    else:
        _print(bench, files, entries)
    if problem is not None:
        complain(f"llmops: error: {problem.message}\n  hint: {problem.hint}")
    return 1 if problem is not None else 0


def _problem(bench: logs.Bench, files: Files) -> LogError | None:
    """Why the log is not the one that somebody signed whom the root knows, None where it is."""
    assert files.tree is not None
    try:
        checked(bench, files)
    except LogError as error:
        return error
    return None


def checked(bench: logs.Bench, files: Files) -> Seen:
    """The log, if it is what a key of role log signed. Raises LogError."""
    assert files.tree is not None
    publics = (*bench.log.publics, *bench.log.revoked)
    return Reader(files.name).checked(files.tree, publics)


def _print(bench: logs.Bench, files: Files, entries: list[bytes]) -> None:
    rows = [_row(bench, number, data) for number, data in enumerate(entries)]
    for line in columns([_line(row) for row in rows], 60) if rows else ():
        common.say(line)
    head = _head(files, None)
    many = sharing.many(len(entries), "entry", "entries")
    blobs = sharing.many(len(files.digests), "blob")
    common.say(f"{head['origin']}: {many}, {blobs}, root {head['root'][:16]}")


def _head(files: Files, problem: LlmopsError | None) -> dict[str, Any]:
    """What the checkpoint says, and whether it is so."""
    from llmops.log.checkpoint import decode

    found: dict[str, Any] = {"format_version": 1, "origin": "", "size": 0, "root": ""}
    try:
        said = decode(files.checkpoint() or b"")
        found |= {"origin": said.origin, "size": said.size, "root": said.root.hex()}
    except ValueError:
        pass
    return found | {"problem": problem.message if problem is not None else ""}


def _row(bench: logs.Bench, number: int, data: bytes) -> dict[str, Any]:
    """An entry in a few words."""
    try:
        envelope = dsse.decode(data)
    except ValueError as error:
        return {"number": number, "kind": "damaged", "about": str(error), "at": "", "signed_by": []}
    said = told(envelope)
    return {
        "number": number,
        "kind": said.kind,
        "about": said.about,
        "at": said.at,
        "signed_by": [_who(bench, one.key) for one in envelope.signatures],
    }


def _who(bench: logs.Bench, key: str) -> str:
    owner = bench.owner(key)
    return f"{owner} ({key[:12]})" if owner else f"unknown key {key[:12]}"


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    told = (str(row["number"]), row["kind"], row["about"], row["at"], ", ".join(row["signed_by"]))
    return tuple(printable(cell, 60) for cell in told)


def _entry(bench: logs.Bench, entries: list[bytes], number: int) -> dict[str, Any]:
    if not 0 <= number < len(entries):
        last = f"the last is {len(entries) - 1}" if entries else "it has none"
        raise UsageError(f"the log has no entry {number}: {last}")
    data = entries[number]
    found = _row(bench, number, data)
    try:
        envelope = dsse.decode(data)
    except ValueError:
        return found
    return found | {
        "leaf": merkle.leaf(data).hex(),
        "payload_type": envelope.payload_type,
        "signatures": [
            {"key": one.key, "value": base64.b64encode(one.value).decode()}
            for one in envelope.signatures
        ],
        "payload": _payload(envelope),
    }


def _payload(envelope: Envelope) -> Any:
    return statement(envelope) or base64.b64encode(envelope.payload).decode()


def _text_of(said: dict[str, Any]) -> str:
    """One entry for people: what it is, who signed it, then its payload."""
    lines = [
        f"entry {said['number']}: {said['kind']} {said['about']}".rstrip(),
        *(f"signed by {who}" for who in said["signed_by"]),
        *([f"at {said['at']}"] if said["at"] else []),
        *([f"leaf {said['leaf']}"] if "leaf" in said else []),
    ]
    lines = [printable(line, 400) for line in lines]
    if "payload" in said:
        lines += ["", *(printable(line, 2000) for line in _json(said["payload"]).split("\n"))]
    return "\n".join(lines)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
