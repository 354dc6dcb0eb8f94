"""Commands that hold commands: `llmops policy rules`, `llmops waiver new`.

In: a table NAME -> (one line, module), as `main.COMMANDS` is one. A module has `EXAMPLES`, `add`
and `main`; its own options and those of every command may stand behind its name.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

from llmops.cli.parser import Parser, common_again, from_environment

Table = Mapping[str, tuple[str, str]]


def add(parser: argparse.ArgumentParser, table: Table) -> None:
    """The actions of a command, each with its options; one of them must be named."""
    from llmops.cli.main import EXITS

    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=Parser
    )
    for name, (line, module) in table.items():
        plugin = importlib.import_module(module)
        child = actions.add_parser(
            name, help=line, description=line,
            epilog=f"examples:\n{plugin.EXAMPLES}\n\n{EXITS}",
        )  # fmt: skip
        plugin.add(child)
        from_environment(child)
        common_again(child)


def main(args: argparse.Namespace, table: Table) -> int:
    """Run the action that was named."""
    code: int = importlib.import_module(table[args.action][1]).main(args)
    return code


def parsers(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The parsers of a command's actions by name, none for a command without actions."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found
