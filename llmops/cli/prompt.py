"""`llmops prompt`: what a model will read, rendered without a model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops prompt render support --input question="My card is lost"
  llmops prompt test --update"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "render": ("the messages that values of the inputs make", "llmops.cli.prompt_render"),
    "test": ("render tests, golden texts, untrusted inputs", "llmops.cli.prompt_test"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `prompt`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the action says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
