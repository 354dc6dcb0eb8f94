"""`llmops evidence`: what runs found, shared between machines: a branch, packs, a list."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops evidence pull
  llmops evidence ls"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "pull": ("bring here what the evidence branch has", "llmops.cli.evidence_pull"),
    "push": ("add what is here to the evidence branch", "llmops.cli.evidence_push"),
    "pack": ("write evidence into a folder, for another machine", "llmops.cli.evidence_pack"),
    "admit": ("take in a pack, as far as it holds", "llmops.cli.evidence_admit"),
    "ls": ("what is known here, and where its artifacts are", "llmops.cli.evidence_ls"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `evidence`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the action says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
