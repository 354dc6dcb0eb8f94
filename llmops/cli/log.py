"""`llmops log`: what was signed, in an order that nobody can change unseen."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops log show
  llmops log prove 0"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "show": ("what the log has, or one entry of it", "llmops.cli.log_show"),
    "prove": ("that an entry is in it, or that it only grew", "llmops.cli.log_prove"),
    "append": ("add envelopes that were signed elsewhere", "llmops.cli.log_append"),
    "redact": ("take a blob away, leave its digest and the reason", "llmops.cli.log_redact"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `log`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the action says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
