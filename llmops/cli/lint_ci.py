"""`llmops lint-ci`: what in the files of a CI system lets a change around the gate."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from llmops.cli import common
from llmops.cli.findings import as_json, many, tally
from llmops.cli.output import command
from llmops.diagnostics import did_you_mean, has_errors, printable, render
from llmops.errors import UsageError
from llmops.reports.render import DIAGNOSTICS, render_diagnostics
from llmops.source.tree import Tree

EXAMPLES = """\
  llmops lint-ci
  llmops lint-ci .github/workflows/llmops.yml --format sarif"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `lint-ci`."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="a file or folder (default: every workflow, action, GitLab file and Jenkinsfile)",
    )  # fmt: skip
    parser.add_argument(
        "--required", action="append", default=[], metavar="JOB",
        help="a job, by id or name, that a merge waits for beside the gate",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("text", "json", *DIAGNOSTICS), default="text", help="output format"
    )


def main(args: argparse.Namespace) -> int:
    """0 clean or warnings, 1 an error-level finding."""
    from llmops.workflows.lint import lint

    found = common.repository(args)
    sources = dict(_sources(found.work_tree(), found.root, args))
    linted = lint(sources, required=frozenset(args.required))
    if args.format == "text":
        last = f"{many(len(sources), 'file')}: {tally(linted.diagnostics)}"
        shown = render(linted.diagnostics, linted.texts, common.screen(args))
        common.say("\n".join(part for part in (shown, "" if args.quiet else last) if part))
    elif args.format == "json":
        common.say(as_json(linted.diagnostics))
    else:
        shown = render_diagnostics(linted.diagnostics, args.format, "lint-ci")
        command(shown) if args.format == "github" and shown else common.say(shown)
    return 1 if has_errors(linted.diagnostics) else 0


def _sources(tree: Tree, root: Path, args: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """Path from the repository's root -> bytes: what is named, or every file of a CI system."""
    from llmops.workflows.read import system_of

    listed = [path for path in tree.blobs() if system_of(path)]
    paths = list(dict.fromkeys(_asked(tree, root, args, listed))) if args.paths else listed
    yield from tree.read_many(paths).items()


def _asked(tree: Tree, root: Path, args: argparse.Namespace, listed: list[str]) -> Iterator[str]:
    """The files that are named, whatever they are called, and those of CI below folders."""
    for given in args.paths:
        full = (Path(args.directory) / given).resolve()
        path = full.relative_to(root).as_posix() if full.is_relative_to(root) else ""
        below = [one for one in listed if path in ("", ".") or one.startswith(f"{path}/")]
        if path in tree.blobs():
            yield path
        elif path and below:
            yield from below
        else:
            known = dict.fromkeys(str(p) for one in listed for p in (one, *Path(one).parents))
            otherwise = "workflows are the .yml files below .github/workflows/"
            hint = printable(did_you_mean(given, known, otherwise=otherwise))
            raise UsageError(f'no file of a CI system is "{printable(given)}"', hint=hint)
