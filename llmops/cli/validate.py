"""`llmops validate`: everything that can be said about specs without running anything."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmops.cli import common
from llmops.cli.findings import as_json, many, tally
from llmops.cli.output import command, fitted
from llmops.diagnostics import did_you_mean, has_errors, printable, render
from llmops.errors import UsageError
from llmops.graph.methods import SelectorError
from llmops.project import FOLDERS, Project
from llmops.reports.render import DIAGNOSTICS, render_diagnostics
from llmops.source.tree import Tree
from llmops.static import Checked, chosen, validate

EXAMPLES = """\
  llmops validate
  llmops validate --select state:modified+ --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `validate`."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="show only what is under PATH")
    common.add_select(parser, "show only what is found in these specs", "leave these specs out")
    parser.add_argument(
        "--format", choices=("text", "json", *DIAGNOSTICS), default="text", help="output format"
    )


def main(args: argparse.Namespace) -> int:
    """0 clean or warnings, 1 an error-level static finding, 2 specs that do not parse."""
    found = common.project(args)
    paths = [_relative(found.repository.root, args, p) for p in args.paths]
    checked = validate(found, paths)
    for given, path in zip(args.paths, paths, strict=True):
        if not _names_a_spec(checked.state.tree, path):
            raise UsageError(
                f'no spec is "{printable(given)}" or stands below it',
                hint=_near(checked.state.tree, path),
            )
    checked = _chosen(found, checked, args)
    shown = _shown(checked, args)
    if args.format != "github":
        common.say(shown)
    elif shown:
        command(shown)
    if checked.invalid:
        return 2
    return 1 if has_errors(checked.diagnostics) else 0


def _chosen(found: Project, checked: Checked, args: argparse.Namespace) -> Checked:
    if not args.select and not args.exclude:
        return checked
    try:
        return chosen(found, checked, (args.select, args.exclude))
    except SelectorError as error:
        raise UsageError(printable(str(error)), hint=printable(error.hint)) from error


def _shown(checked: Checked, args: argparse.Namespace) -> str:
    if args.format in DIAGNOSTICS:
        return render_diagnostics(checked.diagnostics, args.format)
    return (
        as_json(checked.diagnostics)
        if args.format == "json"
        else _text(checked, args.quiet, common.screen(args))
    )


def _relative(root: object, args: argparse.Namespace, path: str) -> str:
    """A path as the user typed it, from the repository's root."""
    full = (Path(args.directory) / path).resolve()
    base = Path(str(root)).resolve()
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else path


def _names_a_spec(tree: Tree, path: str) -> bool:
    below = "" if path in ("", ".") else path.rstrip("/") + "/"
    every = (*tree.blobs(), *(blob.path for blob in tree.refused()))
    return any(p == path or p.startswith(below) for p in every if p.startswith(FOLDERS))


def _near(tree: Tree, path: str) -> str:
    files = [one for one in tree.blobs() if one.startswith(FOLDERS)]
    places = dict.fromkeys(str(place) for one in files for place in (one, *Path(one).parents))
    otherwise = "specs are the .yaml files below specs/ and policies/"
    return printable(did_you_mean(path, places, otherwise=otherwise))


def _text(checked: Checked, quiet: bool, width: int = 0) -> str:
    paths = {d.span.path for d in checked.diagnostics} & checked.state.tree.blobs().keys()
    texts = {p: checked.state.tree.read(p).decode("utf-8", "replace") for p in paths}
    shown = render(checked.diagnostics, texts, width)
    count = len(checked.state.loaded.specs)
    last = f"{many(count, 'spec')}: {tally(checked.diagnostics)}"
    if not count and not has_errors(checked.diagnostics):
        last = "0 specs: nothing stands in specs/ or policies/, so nothing was checked"
    if checked.selected is not None:
        last = f"{checked.selected} of {last}"
    last = fitted([last], width) if width else last
    return "\n".join(part for part in (shown, "" if quiet else last) if part)
