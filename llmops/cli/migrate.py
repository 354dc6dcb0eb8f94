"""`llmops migrate`: specs that were written for older words, in today's; comments are kept.

It raises `apiVersion` where the file says an older one, and renames keys that the pinned tools
call otherwise now (`training.warmup_ratio`, DeepSpeed's `cpu_offload`). What a spec means stays,
so no job runs again. A file that changes is written in the style of `llmops fmt`; the others are
left as they are. All are written or none, and none over a change that is not committed.
"""

from __future__ import annotations

import argparse

from llmops.cli import common, edits
from llmops.cli.output import complain
from llmops.cli.places import Place
from llmops.diagnostics import printable, render
from llmops.rewrites.migrations import Migrated, migrated
from llmops.rewrites.style import data
from llmops.specs.base import API_VERSION

EXAMPLES = """\
  llmops migrate --check
  llmops migrate specs/recipes"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `migrate`."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: all specs)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a file has old words"
    )
    edits.add_force(parser)


def main(args: argparse.Namespace) -> int:
    """0; 1 with `--check` when a file has old words; 2 for one that cannot be read afterwards."""
    place = Place.of(args)
    texts = {
        path: edits.content(path).decode("utf-8", "surrogateescape") for path in place.files(args)
    }
    found = {path: migrated(text, place.name(path)) for path, text in texts.items()}
    broken = [path for path, one in found.items() if one.diagnostics]
    changed = {path: one.text for path, one in found.items() if one.text is not None}
    if broken:
        told = [d for path in broken for d in found[path].diagnostics]
        complain(render(told, {place.name(path): texts[path] for path in broken}))
    if not args.check:
        edits.write(args, {path: data(text) for path, text in changed.items()})
    for path in changed:
        _say(place.name(path), found[path])
    if not args.quiet:
        common.say(_summary(args, len(found), len(changed), len(broken)))
    return 2 if broken else 1 if changed and args.check else 0


def _say(name: str, one: Migrated) -> None:
    for change in one.changes:
        common.say(f"{printable(name, 1000)}: {printable(change, 1000)}")


def _summary(args: argparse.Namespace, count: int, changed: int, broken: int) -> str:
    files = "1 file" if count == 1 else f"{count} files"
    did = "to migrate" if args.check else "migrated"
    left = f", {broken} not read" if broken else ""
    return f"{files}: {changed} {did}; the newest version is {API_VERSION}{left}"
