"""`llmops waiver`: a gate that may be missed until a day, asked for in a change of its own."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops waiver new Evaluation/support-quality/accuracy --expires 30d --reason "labels come late" \
--ticket CS-1207 --owner lihua
  llmops waiver ls"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "new": ("write one on a branch of its own", "llmops.cli.waiver_new"),
    "ls": ("every waiver of base and head, with its days", "llmops.cli.waiver_ls"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `waiver`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the action says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
