"""`python -m llmops`: the same as the `llmops` command."""

from llmops.cli.main import run

run()
