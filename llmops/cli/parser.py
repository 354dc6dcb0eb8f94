"""How a command line is read: options that every command has, and mistakes in the house's words.

argparse reads it; what a user sees of a mistake is one line and a hint with the nearest known word,
never a page of usage. Raises UsageError, which `main.py` prints. An option that is not given may
come from the variable `LLMOPS_` + its name; the command line wins.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from llmops.cli.output import complain, say
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError

FALSE = ("", "0", "false", "no", "off")  # values of a variable that leave a switch off
_TYPES = {"int": "whole number", "float": "number"}


class Help(argparse.RawDescriptionHelpFormatter):
    """Help that fits a narrow terminal; an example stays one line, so that it can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(part for line in text.splitlines() for part in fitted(line, width))


def fitted(line: str, width: int) -> list[str]:
    """A line of help in the width: at its wide gaps first, then at words; an example stays."""
    if len(line) <= width or line.startswith("  llmops "):
        return [line]
    start = line[: len(line) - len(line.lstrip())]
    found: list[str] = []
    for part in re.split(r" {3,}", line.strip()):
        found += textwrap.wrap(
            part, max(width, 20), initial_indent=start, subsequent_indent=start + "  ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return found


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that never abbreviates, and whose mistakes are UsageErrors."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """As argparse has it."""
        more.setdefault("formatter_class", Help)
        more.setdefault("allow_abbrev", False)
        super().__init__(*args, **more)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The options, all of them known."""
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            raise _unknown(_chosen(self, found), rest[0])
        return found

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            raise _no_choice(self.prog, action, str(value))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help and version, on a stream that may be closed or hold few characters."""
        if message:
            (complain if file is sys.stderr else say)(message.rstrip("\n"))

    def error(self, message: str) -> NoReturn:
        """What argparse found, in our words."""
        raise _in_our_words(self, message)


def _chosen(parser: argparse.ArgumentParser, found: argparse.Namespace) -> argparse.ArgumentParser:
    """The parser of the command, and of its action, that was read last."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            name = getattr(found, action.dest, None)
            if name in action.choices:
                return _chosen(action.choices[name], found)
    return parser


def options(parser: argparse.ArgumentParser) -> list[str]:
    """Every option of a parser as it is written."""
    return [option for action in parser._actions for option in action.option_strings]


def _unknown(parser: argparse.ArgumentParser, word: str) -> UsageError:
    see = f"{parser.prog} --help shows all there is"
    if word.startswith("-") and word != "-":
        name, known = word.partition("=")[0], options(parser)
        what = f'{parser.prog} has no option "{printable(name, 60)}"'
        return UsageError(what, hint=did_you_mean(name, known, otherwise=see))
    return UsageError(f'{parser.prog} cannot use "{printable(word, 60)}"', hint=see)


def _no_choice(prog: str, action: argparse.Action, value: str) -> UsageError:
    known = [str(choice) for choice in action.choices or ()]
    shown = printable(value, 60)
    named = ", ".join(known)
    otherwise = f"known are {named}" if len(known) < 15 else f"{prog} --help shows all there is"
    hint = did_you_mean(value, known, otherwise=otherwise)
    if action.option_strings:
        what = f'{action.option_strings[-1]}: "{shown}" is not known'
    else:
        what = f'{prog}: there is no {str(action.metavar or action.dest).lower()} "{shown}"'
    return UsageError(what, hint=hint)


def _in_our_words(parser: argparse.ArgumentParser, message: str) -> UsageError:
    see = f"{parser.prog} --help shows how"
    if found := re.fullmatch(r"the following arguments are required: (.*)", message):
        return UsageError(f"{parser.prog} needs {found[1]}", hint=_needed(parser, found[1]) or see)
    if found := re.fullmatch(r"argument (\S+): invalid (\w+) value: '(.*)'", message, re.DOTALL):
        what = f'{_last(found[1])}: "{printable(found[3], 60)}" is no {_TYPES[found[2]]}'
        return UsageError(what, hint=see)
    if found := re.fullmatch(r"argument (\S+): expected (?:one|at least one) argument", message):
        return UsageError(f"{_last(found[1])} needs a value", hint=see)
    if found := re.fullmatch(r"argument (\S+): (.*)", message, re.DOTALL):
        return UsageError(f"{_last(found[1])}: {printable(found[2])}", hint=see)
    return UsageError(printable(message), hint=see)


def _needed(parser: argparse.ArgumentParser, names: str) -> str:
    """The words of the first argument that is missing, where it has a list of them."""
    for action in parser._actions:
        if action.metavar == names or action.dest == names:
            return f"known are {', '.join(map(str, action.choices))}" if action.choices else ""
    return ""


def _last(names: str) -> str:
    """`-C/--directory` -> `--directory`."""
    return names.rpartition("/")[2] if names.startswith("-") else names


# ---- options of every command ---------------------------------------------------------------


def common(parser: argparse.ArgumentParser) -> None:
    """Options of every command."""
    parser.add_argument("-C", "--directory", default=".", metavar="DIR", help="work in DIR")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what matters")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour the output"
    )
    parser.add_argument("--width", type=int, default=None, metavar="N", help="columns of text")
    parser.add_argument("--offline", action="store_true", help="any use of the network is an error")


def common_again(parser: argparse.ArgumentParser) -> None:
    """The same further inside a command line: what was said before stays said."""
    known = list(parser._actions)
    common(parser)
    for action in parser._actions:
        if action not in known:
            action.default = argparse.SUPPRESS


LISTED = "listed"  # what an option holds whose value is several words with commas between


def listed(action: argparse.Action, words: Callable[[], Iterable[str]]) -> None:
    """Tell completion the words of an option that takes several with commas between."""
    setattr(action, LISTED, words)


VALUED = ("-C", "--directory", "--color", "--width")  # those of them that take a value


def first(argv: Sequence[str]) -> str | None:
    """The command that a line names: its first word that is no option, nor the value of one.

    Raises UsageError for an option before it that only commands have.
    """
    words = iter(argv)
    for word in words:
        name = word.partition("=")[0]
        if not word.startswith("-"):
            return word
        if name in VALUED and "=" not in word:
            next(words, None)
        elif name not in (*VALUED, "-q", "--quiet", "--offline", "--version", "-h", "--help"):
            hint = "options of a command stand behind it, as in llmops plan --base main"
            if word.startswith("-C"):
                continue
            raise UsageError(f'llmops has no option "{printable(name, 60)}"', hint=hint)
    return None


# ---- variables ------------------------------------------------------------------------------


class FromVariable(list[str]):
    """Values of an option that a variable set: what the command line says takes their place."""

    def __copy__(self) -> list[str]:
        """What argparse goes on from, at the first value on the command line: nothing."""
        return []


def from_environment(
    parser: argparse.ArgumentParser, environ: Mapping[str, str] = os.environ
) -> None:
    """`LLMOPS_BASE=main` is `--base main`: an option's default comes from its variable."""
    for action in parser._actions:
        given = environ.get(variable(action))
        if given is None or not action.option_strings or action.dest in ("help", "version"):
            continue
        if isinstance(action, argparse._StoreTrueAction | argparse.BooleanOptionalAction):
            action.default = given.lower() not in FALSE
        elif given != "":
            action.default = _default(action, given)


def variable(action: argparse.Action) -> str:
    """The variable of an option: `--no-reuse` is `LLMOPS_NO_REUSE`."""
    return f"LLMOPS_{action.dest.upper()}"


def _default(action: argparse.Action, given: str) -> Any:
    several = isinstance(action, argparse._AppendAction)
    words = given.split() if several and action.nargs is not None else [given]
    _expect(action, words)
    if several:
        return FromVariable(words)
    return action.type(given) if callable(action.type) else given


def _expect(action: argparse.Action, words: Iterable[str]) -> None:
    """Raises UsageError for a value that the option would not take, naming the variable."""
    for word in words:
        shown = printable(word, 60)
        if action.choices is not None and word not in action.choices:
            named = ", ".join(map(str, action.choices))
            hint = did_you_mean(word, map(str, action.choices), otherwise=f"known are {named}")
            raise UsageError(f'{variable(action)}: "{shown}" is not known', hint=hint)
        try:
            if callable(action.type):
                action.type(word)
        except ValueError as error:
            kind = _TYPES.get(getattr(action.type, "__name__", ""), "such value")
            hint = f"it stands for {action.option_strings[-1]}"
            raise UsageError(f'{variable(action)}: "{shown}" is no {kind}', hint=hint) from error
