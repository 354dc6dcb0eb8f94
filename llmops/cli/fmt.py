"""`llmops fmt`: specs in canonical order and style, their meaning and comments unchanged.

An edited file is what one formats, so an unsaved change must not stand in the way, and must not be
lost either: git is given each file as it lies there before it is written over (`git show ID` gives
it back; the ID is printed for what no commit has). Where git cannot keep a file (it is ignored, or
in no repository) it is formatted with `--force` alone. All files are written or none; one that
cannot be read is told with its place and left as it is.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmops.cli import common, edits
from llmops.cli.output import as_data, command, complain
from llmops.cli.places import Place
from llmops.diagnostics import Diagnostic, printable, render
from llmops.errors import UsageError
from llmops.rewrites.style import data, formatted

EXAMPLES = """\
  llmops fmt
  llmops fmt --check specs/recipes"""
STDIN = "-"


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `fmt`."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="files and folders (default: all specs); - reads standard input and prints",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a file is not formatted"
    )
    parser.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change, exit 1 if any"
    )
    parser.add_argument("--force", action="store_true", help="also files that git cannot give back")


@dataclass(frozen=True, slots=True)
class Read:
    """One file: its name for people, its text, what it should be (None where it is no YAML)."""

    name: str
    old: str
    new: str | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it is not formatted yet."""
        return self.new is not None and self.new != self.old


def main(args: argparse.Namespace) -> int:
    """0; 1 with `--check` or `--diff` when a file is not formatted; 2 for what cannot be read."""
    if STDIN in args.paths:
        return _stdin(args)
    place = Place.of(args)
    found = {path: _read(place.name(path), edits.content(path)) for path in place.files(args)}
    broken = [one for one in found.values() if one.new is None]
    changed = {path: one for path, one in found.items() if one.changes}
    told = [d for one in broken for d in one.diagnostics]
    if told:
        complain(render(told, {one.name: one.old for one in broken}))
    if args.diff:
        common.say("".join(_diff(one) for one in changed.values()).removesuffix("\n"))
    elif args.check:
        for one in changed.values():
            common.say(f"not formatted: {printable(one.name, 1000)}")
    else:
        _write(args, place, changed)
    if not args.quiet and not args.diff:
        common.say(_summary(args, len(found), len(changed), len(broken)))
    return 2 if broken else 1 if changed and (args.check or args.diff) else 0


def _stdin(args: argparse.Namespace) -> int:
    if len(args.paths) > 1:
        raise UsageError("- stands alone: standard input is one file")
    one = _read("standard input", sys.stdin.buffer.read())
    if one.new is None:
        complain(render(one.diagnostics, {one.name: one.old}))
        return 2
    as_data()
    if args.diff:
        common.say(_diff(one).removesuffix("\n"))
    elif not args.check:
        command(one.new.removesuffix("\n"))
    return 1 if one.changes and (args.check or args.diff) else 0


def _read(name: str, content: bytes) -> Read:
    text = content.decode("utf-8", "surrogateescape")
    found = formatted(text, name)
    return Read(name, text, found.text, found.diagnostics)


def _write(args: argparse.Namespace, place: Place, changed: Mapping[Path, Read]) -> None:
    paths = list(changed)
    unsaved = place.unsaved(paths)
    edits.write(args, {p: data(one.new or "") for p, one in changed.items()}, place.kept(paths))
    for path, one in changed.items():
        back = f" (as it was: git show {unsaved[path][:12]})" if path in unsaved else ""
        common.say(f"formatted {printable(one.name, 1000)}{back}")


def _diff(one: Read) -> str:
    """What would change, as `git diff` shows it."""
    old, new = (text.splitlines(keepends=True) for text in (one.old, one.new or ""))
    lines = difflib.unified_diff(old, new, f"a/{one.name}", f"b/{one.name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _summary(args: argparse.Namespace, count: int, changed: int, broken: int) -> str:
    files = "1 file" if count == 1 else f"{count} files"
    did = "to format" if args.check or args.diff else "formatted"
    last = f"{files}: {changed} {did}, {count - changed - broken} as they should be"
    if broken:
        last += f", {broken} not read"
    if not count:
        last = "0 files: nothing stands in specs/ or policies/"
    return last
