"""`llmops import human FILE`: rated rows of people -> a ratings file that a judge is measured on.

Several ratings of one answer become one (the majority; a tie is told, never guessed), with the
raters' agreement beside it. `--dataset` also writes the Dataset that names the file. Nothing is
written while anything is wrong, nothing half, and nothing over a change that git does not have.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path

from llmops.cli import common, edits, ratings
from llmops.cli.output import complain
from llmops.diagnostics import Diagnostic, Span, printable, render
from llmops.digest import canonical
from llmops.errors import UsageError
from llmops.specs.base import NAME_PATTERN

EXAMPLES = """\
  llmops import human ratings.csv --check kind --out specs/data/rated.jsonl
  llmops import human 评分.csv --check kind --out rated.jsonl --encoding gb18030 --scale 1-5"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `import human`."""
    parser.add_argument("file", metavar="FILE", help="a .csv or .jsonl")
    parser.add_argument("--check", required=True, metavar="NAME", help="the check they are for")
    parser.add_argument("--out", required=True, metavar="PATH", help="the .jsonl to write")
    parser.add_argument("--dataset", metavar="NAME", help="also write this Dataset")
    parser.add_argument(
        "--scale", default="0-1", metavar="LOW-HIGH", help="the worst and best rating (0-1)"
    )
    parser.add_argument(
        "--encoding", choices=ratings.ENCODINGS, default="utf-8", help="of the file (utf-8)"
    )
    parser.add_argument("--drop-ties", action="store_true", help="leave tied answers out")
    edits.add_force(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 when anything is wrong with the words, the rows or the place; then nothing is written.

    3 when the files cannot be written.
    """
    _expect_words(args)
    folder = Path(args.directory)
    found = ratings.read(
        args.file, edits.read(folder / args.file), args.encoding, _scale(args.scale)
    )  # fmt: skip
    agreed = ratings.agree(found, args.check)
    wrong = list(found.wrong)
    if not args.drop_ties:
        wrong += [_tie(args.file, item) for item in agreed.tied]
    if wrong:
        return _refused(wrong)
    if not agreed.rows:
        raise UsageError(f"{args.file} has no answer left", hint="every one of them was tied")
    files = _files(args, agreed)
    _expect_ratings(args, files)
    edits.write(args, files)
    common.say(_said(args, found, agreed, files))
    return 0


def _expect_words(args: argparse.Namespace) -> None:
    for option, name in (("--check", args.check), ("--dataset", args.dataset)):
        if name is not None and (not re.fullmatch(NAME_PATTERN, name) or len(name) > 63):
            hint = 'names are lower-case letters, digits, "-" and "."'
            raise UsageError(f'{option} "{printable(name, 60)}" is no name', hint=hint)
    if not args.out.endswith(".jsonl"):
        raise UsageError(f'--out "{printable(args.out, 80)}" does not end in .jsonl')


def _scale(text: str) -> ratings.Scale:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", text)
    if not found or float(found[1]) >= float(found[2]):
        raise UsageError(f'--scale "{printable(text, 40)}" is no scale', hint="write it as in 1-5")
    return ratings.Scale(float(found[1]), float(found[2]))


def _tie(name: str, item: ratings.Item) -> Diagnostic:
    good = sum(1 for r in item.ratings.values() if r == 1)
    what = f"a tie: {good} of {len(item.ratings)} ratings say that the answer is good"
    hint = "add a rating of somebody else, or leave such answers out with --drop-ties"
    return Diagnostic(Span(name, item.line), "tie", what, hint)


def _refused(wrong: list[Diagnostic]) -> int:
    first = sorted(wrong, key=lambda d: d.sort_key)[: ratings.MOST_SHOWN]
    complain(render(first))
    more = len(wrong) - len(first)
    if more:
        complain(f"and {more} more")
    complain(f"{len(wrong)} {'mistake' if len(wrong) == 1 else 'mistakes'}; nothing was written")
    return 2


# Writing


def _files(args: argparse.Namespace, agreed: ratings.Agreed) -> Mapping[Path, bytes]:
    """What is to be written where: the rows, and the Dataset beside them."""
    out = Path(args.directory, args.out).resolve()
    made = {out: b"".join(canonical(row) + b"\n" for row in agreed.rows)}
    if args.dataset is None:
        return made
    root = common.project(args).repository.root
    if not out.is_relative_to(root):
        raise UsageError("--out leads out of the repository, so no Dataset can name it")
    file = out.relative_to(root).as_posix()
    made[root / "specs" / "datasets" / f"{args.dataset}.yaml"] = _dataset(args, file).encode()
    return made


def _dataset(args: argparse.Namespace, file: str) -> str:
    shown = json.dumps(file, ensure_ascii=False)
    return (
        "apiVersion: llmops/v1alpha1\n"
        "kind: Dataset\n"
        f"metadata: {{name: {args.dataset}}}\n"
        "spec:\n"
        "  purpose: [evaluation]\n"
        "  format: ratings\n"
        f"  sources: [{{name: people, file: {shown}, origin: first_party}}]\n"
        "  annotations_creators: [expert-generated]\n"
    )


def _expect_ratings(args: argparse.Namespace, files: Mapping[Path, bytes]) -> None:
    """Raises UsageError where `--dataset` names one that holds something else than ratings."""
    for path in files:
        if args.force or path.suffix != ".yaml" or not path.exists():
            continue
        if not re.search(rb"^ +format: *ratings *$", edits.read(path), re.MULTILINE):
            what = f"Dataset/{args.dataset} is there already, and holds no ratings"
            raise UsageError(what, hint="give another --dataset, or write over it with --force")


def _said(
    args: argparse.Namespace,
    found: ratings.Read,
    agreed: ratings.Agreed,
    files: Mapping[Path, bytes],
) -> str:
    """What was written, of which kinds, how well people agree, and what to write next."""
    rated = [row["rating"] for row in agreed.rows if "rating" in row]
    good = sum(1 for rating in rated if rating >= 0.5)
    planted = len(agreed.rows) - len(rated)
    lines = [f"{args.out}: {len(rated)} anchors ({good} good, {len(rated) - good} bad)"]
    lines[0] += f", {planted} control items" if planted else ""
    lines += [agreed.agreement] if agreed.agreement else []
    lines += [f"left out: {len(agreed.tied)} tied answers"] if agreed.tied else []
    lines += [f"columns kept: {', '.join(found.kept)}"] if found.kept else []
    lines += [f"columns left out: {', '.join(found.left)}"] if found.left else []
    if not good or good == len(rated):
        lines.append("note: both classes are needed, so these alone measure no judge")
    if args.dataset is not None:
        calibration = f"{{dataset: {args.dataset}, min_sensitivity: …, min_specificity: …}}"
        lines.append(f"specs/datasets/{args.dataset}.yaml: Dataset/{args.dataset}")
        lines.append(f"next: judge: {{calibration: {calibration}}} in an Evaluation")
    return "\n".join(printable(line, 400) for line in lines)
