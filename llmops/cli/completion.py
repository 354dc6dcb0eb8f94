"""`llmops completion SHELL`: a script by which a shell completes commands, options and choices.

Made from the parsers themselves, so it never knows less than they do; specs by name are asked of
`llmops ls` when they are needed.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
from collections.abc import Iterator, Mapping, Sequence

from llmops.cli import actions, common

EXAMPLES = """\
  llmops completion bash
  llmops completion fish"""
SHELLS = ("bash", "zsh", "fish")
NAMES_SPECS = ("subject", "select")  # arguments that are completed by what `llmops ls` prints


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `completion`."""
    parser.add_argument("shell", choices=SHELLS, help="source <(llmops completion bash)")


def main(args: argparse.Namespace) -> int:
    """0."""
    commands = _commands()
    made = {"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell](commands)
    common.say("\n".join(made))
    return 0


def _commands() -> Mapping[str, argparse.ArgumentParser]:
    from llmops.cli.main import COMMANDS
    from llmops.cli.parser import common as of_every_command

    found = {}
    for name, (line, module) in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=name, description=line)
        of_every_command(parser)
        importlib.import_module(module).add(parser)
        found[name] = parser
    return found


def _words(parser: argparse.ArgumentParser) -> list[str]:
    """Options, those of its actions too, and the choices of arguments."""
    every = (parser, *actions.parsers(parser).values())
    found = [o for one in every for action in one._actions for o in action.option_strings]
    for action in (action for one in every for action in one._actions):
        if not action.option_strings and action.choices is not None:
            found += map(str, action.choices)
    return list(dict.fromkeys(found))


def _choices(parser: argparse.ArgumentParser) -> Iterator[tuple[Sequence[str], list[str]]]:
    """Options with the values that they take."""
    for one in (parser, *actions.parsers(parser).values()):
        for action in one._actions:
            if action.option_strings and action.choices is not None:
                yield action.option_strings, [str(choice) for choice in action.choices]


def _asks_specs(parser: argparse.ArgumentParser) -> bool:
    return any(a.dest in NAMES_SPECS and not a.option_strings for a in parser._actions)


def _bash(commands: Mapping[str, argparse.ArgumentParser]) -> Iterator[str]:
    yield "_llmops() {"
    yield '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""'
    yield '  case "${COMP_WORDS[1]}:$before" in'
    for name, parser in commands.items():
        for options, values in _choices(parser):
            cases = "|".join(f"{name}:{option}" for option in options)
            yield f"    {cases}) words={shlex.quote(' '.join(values))} ;;"
    yield "    *:llmops) words=" + shlex.quote(" ".join(commands)) + " ;;"
    for name, parser in commands.items():
        words = shlex.quote(" ".join(_words(parser)))
        more = '" $(llmops ls 2>/dev/null)"' if _asks_specs(parser) else ""
        yield f"    {name}:*) words={words}{more} ;;"
    yield "  esac"
    yield '  COMPREPLY=($(compgen -W "$words" -- "$word"))'
    yield '  [ -n "$words" ] || COMPREPLY=($(compgen -f -- "$word"))'
    yield "}"
    yield "complete -o default -F _llmops llmops"


def _zsh(commands: Mapping[str, argparse.ArgumentParser]) -> Iterator[str]:
    yield "autoload -U +X compinit && compinit"
    yield "autoload -U +X bashcompinit && bashcompinit"
    yield from _bash(commands)


def _fish(commands: Mapping[str, argparse.ArgumentParser]) -> Iterator[str]:
    for name, parser in commands.items():
        about = shlex.quote(parser.description or "")
        yield f"complete -c llmops -n __fish_use_subcommand -a {name} -d {about}"
        inside = f"'__fish_seen_subcommand_from {name}'"
        for action in parser._actions:
            yield from _fish_option(inside, action)
        if _asks_specs(parser):
            yield f"complete -c llmops -n {inside} -f -a '(llmops ls 2>/dev/null)'"


def _fish_option(inside: str, action: argparse.Action) -> Iterator[str]:
    flags = "".join(
        f" -l {o.removeprefix('--')}" if o.startswith("--") else f" -s {o.removeprefix('-')}"
        for o in action.option_strings
    )
    values = " ".join(map(str, action.choices)) if action.choices is not None else ""
    takes = f" -x -a {shlex.quote(values)}" if values else ""
    if flags or takes:
        about = shlex.quote((action.help or "").replace("\n", " "))
        yield f"complete -c llmops -n {inside}{flags}{takes} -d {about}"
