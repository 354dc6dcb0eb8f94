"""`llmops schema`: JSON Schema of the kinds, for editors and other tools."""

from __future__ import annotations

import argparse

from llmops.cli import common
from llmops.cli.output import as_data
from llmops.diagnostics import did_you_mean
from llmops.errors import UsageError

EXAMPLES = """\
  llmops schema --write
  llmops schema --kind Recipe"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `schema`."""
    parser.add_argument("--kind", metavar="KIND", help="only this kind (default: all)")
    parser.add_argument(
        "--write", action="store_true",
        help="write .github/llmops/v1alpha1.schema.json, where editors look for it",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true", help="exit 1 when that file is not as it would be written"
    )


def main(args: argparse.Namespace) -> int:
    """0; 1 with `--check` when the file is not as it would be written."""
    from llmops.specs import schema
    from llmops.specs.load import KINDS

    if args.kind is not None and args.kind not in KINDS:
        hint = did_you_mean(args.kind, KINDS, otherwise=f"known are {', '.join(KINDS)}")
        raise UsageError(f'there is no kind "{args.kind}"', hint=hint)
    text = schema.text(schema.schema((args.kind,) if args.kind else tuple(KINDS)))
    if not args.write and not args.check:
        as_data()
        common.say(text.removesuffix("\n"))
        return 0
    if args.kind is not None:
        raise UsageError("the file holds all kinds: leave out --kind")
    return _file(args, text)


def _file(args: argparse.Namespace, text: str) -> int:
    from llmops.evidence.files import replace
    from llmops.specs.schema import PATH

    path = common.project(args).repository.root / PATH
    same = path.is_file() and path.read_bytes() == text.encode("utf-8")
    if args.check:
        common.say(f"{PATH} is {'as it should be' if same else 'old: llmops schema --write'}")
        return 0 if same else 1
    if not same:
        replace(path, text.encode("utf-8"))
    common.say(f"{PATH} {'was up to date' if same else 'written'}")
    return 0
