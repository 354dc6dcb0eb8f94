"""`llmops policy`: what policies ask for, what a change loosens, and what their gates stop."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops policy rules
  llmops policy diff main my-branch"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "rules": ("the catalogue of rules, and what each is here", "llmops.cli.policy_rules"),
    "show": ("one rule: why, how to mend, parameters, examples", "llmops.cli.policy_show"),
    "test": ("the tests that policies hold, over made-up rows", "llmops.cli.policy_test"),
    "diff": ("what is tighter, looser or neutral between two trees", "llmops.cli.policy_diff"),
    "drill": ("planted bad models, and the gates that stop them", "llmops.cli.policy_drill"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `policy`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the action says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
