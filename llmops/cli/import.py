"""`llmops import`: what others made, as files of this repository: rated rows, configurations."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops import human ratings.csv --check kind --out specs/data/rated.jsonl
  llmops import axolotl examples/llama-3/lora-1b.yml"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "human": ("rows that people rated, for measuring a judge", "llmops.cli.import_human"),
    "axolotl": ("a training configuration of axolotl", "llmops.cli.import_axolotl"),
    "llamafactory": (
        "a training configuration of LLaMA-Factory",
        "llmops.cli.import_llamafactory",
    ),
    "promptfoo": ("prompts, providers and tests of promptfoo", "llmops.cli.import_promptfoo"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The sources of `import`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the source says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
