"""`llmops import promptfoo FILE`: prompts, providers and tests as specs, with their rows."""

from __future__ import annotations

import argparse

from llmops.cli import foreign

EXAMPLES = """\
  llmops import promptfoo promptfooconfig.yaml
  llmops import promptfoo promptfooconfig.yaml --name translation"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `import promptfoo`."""
    foreign.add(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 when the file cannot be read, or stands for what llmops does not have.

    Then nothing is written. 3 when the files cannot be written.
    """
    return foreign.main(args, "promptfoo")
