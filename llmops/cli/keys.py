"""`llmops keys`: whose word counts: a repository's keys, and the trust root that names them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops keys init --owner ann
  llmops keys show"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("a key of yours, and the repository's first trust root", "llmops.cli.keys_init"),
    "show": ("the trust root, its keys and roles, and your own", "llmops.cli.keys_show"),
    "rotate": ("the next trust root: a new key, people, roles", "llmops.cli.keys_rotate"),
    "revoke": ("the next trust root, in which a key counts no more", "llmops.cli.keys_revoke"),
    "sign": ("your signature under a trust root that waits for it", "llmops.cli.keys_sign"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `keys`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the action says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
