"""`llmops import llamafactory FILE`: its training arguments as a Model, Datasets, a Recipe."""

from __future__ import annotations

import argparse

from llmops.cli import foreign

EXAMPLES = """\
  llmops import llamafactory examples/train_lora/llama3_lora_sft.yaml
  llmops import llamafactory sft.yaml --name support"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `import llamafactory`."""
    foreign.add(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 when the file cannot be read, or stands for what llmops does not have.

    Then nothing is written. 3 when the files cannot be written.
    """
    return foreign.main(args, "llamafactory")
