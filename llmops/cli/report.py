"""`llmops report`: kept evidence -> pages, in English and Chinese. Runs nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import TypeVar

from llmops import hush
from llmops.attest.seal import seal_of
from llmops.cli import common, gate
from llmops.cli.parser import listed
from llmops.diagnostics import did_you_mean
from llmops.errors import StoreError, UsageError
from llmops.evidence.files import refuse_links, replace, shown
from llmops.log.branch import Log
from llmops.pipeline import report
from llmops.reports.phrase import LANGS
from llmops.reports.render import REPORTS, render_report

EXAMPLES = """\
  llmops report
  llmops report --base origin/main --lang zh --format html,sarif --out pages"""
_MOST_CASES = 100_000
N = TypeVar("N", bound=str)


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `report`."""
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    langs = parser.add_argument(
        "--lang", default="en,zh", metavar="LANG,…", help=f"languages: {', '.join(LANGS)}"
    )
    listed(langs, lambda: LANGS)
    formats = parser.add_argument(
        "--format", default="html", metavar="FORMAT,…", help=f"formats: {', '.join(REPORTS)}"
    )
    listed(formats, lambda: REPORTS)
    parser.add_argument("--out", metavar="DIR", help="write to DIR (default: reports/pages)")
    parser.add_argument(
        "--cases", type=int, default=50, metavar="N", help="show N of the cases that got worse"
    )
    gate.add_judging(parser)


def main(args: argparse.Namespace) -> int:
    """0 when the pages were written, whatever the verdict says; `gate` answers for that."""
    formats = _named(args.format, tuple(REPORTS), "--format")
    langs = _named(args.lang, LANGS, "--lang")
    if not 0 <= args.cases <= _MOST_CASES:
        raise UsageError(f"--cases {args.cases} is not between 0 and {_MOST_CASES:,}")
    found, planned, judged = gate.judge(args)
    told = report(found, planned, judged, cases=args.cases)
    told = replaced(told, seal=seal_of(Log(found.repository).source(), judged))
    folder = Path(args.directory, args.out) if args.out else found.reports / "pages"
    if not args.out:
        found.store.prepare()
        refuse_links(found.reports, folder)
    for name, text in render_report(told, formats, langs):
        path = _place(folder, name)
        replace(path, hush.own()(text).encode("utf-8", "backslashreplace"))
        common.say(shown(path))
    return 0


def _place(folder: Path, name: str) -> Path:
    """Where a page goes. StoreError where something else than a file stands there."""
    path = folder.absolute() / name
    if path.is_dir():
        raise StoreError(f"{shown(path)} is a folder", hint="move it away, or name another --out")
    return path


def _named(given: str, known: Sequence[N], option: str) -> list[N]:
    """The names between commas, each once. UsageError for one that is not known."""
    names = list(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, otherwise=f"known are {', '.join(known)}")
            raise UsageError(f'{option}: "{name}" is not known', hint=hint)
    if not names:
        raise UsageError(f"{option} names nothing", hint=f"known are {', '.join(known)}")
    return [name for name in known if name in names]
