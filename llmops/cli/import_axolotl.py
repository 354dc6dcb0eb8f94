"""`llmops import axolotl FILE`: its training configuration as a Model, Datasets, a Recipe."""

from __future__ import annotations

import argparse

from llmops.cli import foreign

EXAMPLES = """\
  llmops import axolotl lora-1b.yml
  llmops import axolotl examples/llama-3/qlora.yml --name support"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `import axolotl`."""
    foreign.add(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 when the file cannot be read, or stands for what llmops does not have.

    Then nothing is written. 3 when the files cannot be written.
    """
    return foreign.main(args, "axolotl")
