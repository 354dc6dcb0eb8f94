"""`llmops keys init`: a private key of one's own, and the repository's first trust root.

The key lies outside the repository, readable by its owner alone, and is never printed. Where a key
is there already it is used; where a trust root is there already, only the key is made, and what its
owners need to let it in is said.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from llmops.cli import common, trusted
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.signing import changes, keys, root, trust

EXAMPLES = """\
  llmops keys init --owner ann
  llmops keys init --owner ann --add bob=bob.pub --add eve=eve.pub --threshold 2"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `keys init`."""
    trusted.add_key(parser)
    parser.add_argument("--owner", metavar="NAME", help="your name (default: git's user.name)")
    parser.add_argument(
        "--add", action="append", default=[], metavar="NAME=KEY",
        help="another owner, by the public key that llmops keys show --public printed",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=int, default=1, metavar="N",
        help="how many owners must sign a trust root (default: 1)",
    )  # fmt: skip
    trusted.add_now(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 for a key that cannot be used, or owners that cannot be."""
    found = trusted.held(args)
    if found.chain is not None or found.waits is not None:
        common.say(trusted.lines(_joined(args, found)))
        return 0
    others = [trusted.person(one) for one in args.add]
    if not 1 <= args.threshold <= 1 + len(others):
        raise UsageError(f"--threshold {args.threshold}: there are {1 + len(others)} owners")
    owner = args.owner or _name(found)
    signer, how = _key(args, found)
    since = trusted.text_of(trusted.moment(args))
    me = changes.Person(owner, signer.public)
    made = trusted.meant(
        lambda: root.draft(changes.first(me, others, args.threshold, since)),
    )
    made = trusted.write(args, found, made, [signer])
    common.say(trusted.lines([how], trusted.told(found, made), _next(args, made)))
    return 0


def _key(args: argparse.Namespace, found: trusted.Held) -> tuple[keys.PemSigner, str]:
    """One's own key, made where there is none, and a line about it."""
    named = trusted.place(args)
    usable = keys.signer(None, os.environ) if args.key is None else None
    if usable is None and os.path.lexists(named):
        usable = keys.read(named)
    if usable is not None:
        return usable, f"using your key {usable.key[:16]}"
    signer = trusted.made_at(named, found.repository)
    kept = "keep a copy elsewhere, it is never shown"
    return signer, f"made {printable(str(named))} (mode 0600): your private key; {kept}"


def _name(found: trusted.Held) -> str:
    name = found.repository.user()
    if not name:
        raise UsageError("git does not know your name", hint="say it with --owner NAME")
    return name


def _next(args: argparse.Namespace, made: root.Root) -> Iterator[str]:
    """What to do now, where nobody else has to sign."""
    if root.missing(made, None):
        return
    yield "next"
    yield f'  git add {trust.FOLDER} && git commit -m "Trust root 1"'
    if trusted.place(args).is_file():
        yield f"{trusted.secret(trusted.place(args))}  (the gate in CI signs with it)"
    yield "  give your auditors the digest above: llmops verify --root pins it"


def _joined(args: argparse.Namespace, found: trusted.Held) -> Iterator[str]:
    """A key, and what owners of a trust root do with it."""
    signer, how = _key(args, found)
    newest = found.waits or found.newest
    yield how
    if signer.key in newest.keys:
        yield f"trust root {newest.version} has it: {_roles(newest, signer.key)}"
        return
    name = printable(args.owner or found.repository.user() or "NAME", 60)
    yield f"trust root {newest.version} does not have it; an owner lets it in:"
    public = trusted.short(signer.public)
    yield f"  llmops keys rotate --add '{name}={public}' --role root"
    yield "  (--role gate --role log --role runner, for a machine)"


def _roles(newest: root.Root, key: str) -> str:
    return " ".join(changes.roles_of(newest, key)) or "no role"
