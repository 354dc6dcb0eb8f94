"""`llmops export`: kept evidence and its verdict, copied into other tools' own stores."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from llmops.cli import actions

EXAMPLES = """\
  llmops export mlflow
  llmops export mlflow --tracking-uri http://127.0.0.1:5000 --experiment support"""
# action: (one line, module)
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "mlflow": ("runs, metrics and the verdict, as runs of MLflow", "llmops.cli.export_mlflow"),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The tools of `export`."""
    actions.add(parser, SUBCOMMANDS)


def main(args: argparse.Namespace) -> int:
    """What the tool says; 2 for an unknown one."""
    return actions.main(args, SUBCOMMANDS)
