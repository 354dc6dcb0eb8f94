"""The options and arguments of all commands, as plain data in the cache.

In: the parsers, which are made by importing every command. Out: the same as JSON, read again in a
millisecond while no file of the package has changed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops import __version__
from llmops.cli import actions
from llmops.cli.cache import cache_folder
from llmops.cli.parser import LISTED, Parser, common
from llmops.digest import of_value

PACKAGE = Path(__file__).parents[1]
NOTHING = {"about": "", "options": [], "places": [], "inside": {}}


def table() -> dict[str, Any]:
    """`top`: the whole line; `none`: what an unknown command has."""
    file = cache_folder() / f"options-{_key()}.json"
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text("utf-8"))
        if isinstance(found, dict) and {"top", "none"} <= found.keys():
            return found
    made = _made()
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        beside.write_text(json.dumps(made, ensure_ascii=False), "utf-8")
        os.replace(beside, file)
    return made


def _key() -> str:
    """Changes with the package: its version, and every file's size and time."""
    stamps = [
        (entry.name, stat.st_size, stat.st_mtime_ns)
        for folder in sorted(PACKAGE.iterdir())
        if folder.is_dir() and not folder.name.startswith("_")
        for entry in sorted(os.scandir(folder), key=lambda one: one.name)
        if entry.name.endswith(".py") and (stat := entry.stat())
    ]
    return of_value([__version__, [list(map(str, stamp)) for stamp in stamps]])[7:23]


def _made() -> dict[str, Any]:
    from llmops.cli.main import COMMANDS

    top = Parser(prog="llmops")
    top.add_argument("--version", action="version", version="", help="which version this is")
    common(top)
    inside = {}
    for name, (line, module) in COMMANDS.items():
        parser = Parser(prog=name)
        common(parser)
        plugin = importlib.import_module(module)
        plugin.add(parser)
        inside[name] = record(parser, line)
        for action, (about, _) in getattr(plugin, "SUBCOMMANDS", {}).items():
            inside[name]["inside"][action]["about"] = about
    inside["help"] = {**NOTHING, "about": "how a command is used", "inside": dict(inside)}
    return {"top": {**record(top, ""), "inside": inside}, "none": NOTHING}


def record(parser: argparse.ArgumentParser, about: str) -> dict[str, Any]:
    """What completion needs of one parser."""
    inner = actions.parsers(parser)
    shown = [one for one in parser._actions if one.help != argparse.SUPPRESS]
    return {
        "about": about,
        "options": [_argument(one) for one in shown if one.option_strings],
        "places": [] if inner else [_argument(one) for one in shown if not one.option_strings],
        "inside": {name: record(one, one.description or "") for name, one in inner.items()},
    }


def _argument(action: argparse.Action) -> dict[str, Any]:
    choices = [] if action.choices is None else [str(choice) for choice in action.choices]
    return {
        "name": action.dest,
        "flags": list(_flags(action)),
        "takes": action.nargs != 0,
        "many": action.nargs in ("*", "+"),
        "choices": choices,
        "listed": list(getattr(action, LISTED, tuple)()),
        "shown": str(action.metavar or ""),
        "about": " ".join((action.help or "").replace("%%", "%").split())[:120],
    }


def _flags(action: argparse.Action) -> Iterator[str]:
    """The long spelling first, as it is the one to learn."""
    yield from sorted(action.option_strings, key=len, reverse=True)
