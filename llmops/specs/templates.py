"""What a Jinja2 template needs from outside and what is wrong with it, without running any of it.

In: a template's text. Out: the names it reads and a word on its syntax. Only the syntax tree is
looked at: not even constants are folded, since `{{ 9**9**9 }}` comes from a pull request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_PLAIN = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)(?:\.[A-Za-z_][A-Za-z0-9_]*)*\s*-?\}\}")
_MARKS = ("{{", "{%", "{#", "}}", "%}", "#}")
_CONSTANTS = {"true", "false", "none", "True", "False", "None"}  # Jinja2 reads them as values
_GIVEN = frozenset(["loop", "caller", "varargs", "kwargs", "range", "dict", "cycler", "joiner",
                    "namespace"])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Needs:
    """The names a template reads from outside; `wrong` says why it is no template, or is ""."""

    names: frozenset[str] = frozenset()
    wrong: str = ""


def needs(text: str) -> Needs:
    """What a template needs. Raises nothing for any text."""
    names = frozenset(_PLAIN.findall(text))
    rest = _PLAIN.sub("", text)
    if any(mark in rest for mark in _MARKS) or names & _CONSTANTS:
        return _parsed(text)
    return Needs(names - _GIVEN)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Needs:
    # Only templates with more than plain names pay for importing Jinja2.
    from jinja2 import TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment()
    try:
        tree = environment.parse(text)
        wrong = next(_wrong(tree, environment), "")
        return Needs(_names(tree), wrong)
    except TemplateSyntaxError as error:
        what = str(error.message).partition(". ")[0].rstrip(".")
        return Needs(wrong=f"line {error.lineno}: {what}")
    except RecursionError:
        return Needs(wrong="it is nested too deeply")
    except (ValueError, OverflowError):
        return Needs(wrong="a number in it cannot be read")


def _names(tree: Any) -> frozenset[str]:
    """Names that are read and nowhere set: a name that is set anywhere counts as known."""
    from jinja2 import nodes

    read: set[str] = set()
    known = set(_GIVEN)
    for node in tree.find_all(nodes.Name):
        (read if node.ctx == "load" else known).add(node.name)
    known |= {macro.name for macro in tree.find_all(nodes.Macro)}
    return frozenset(read - known)


def _wrong(tree: Any, environment: Any) -> Iterator[str]:
    """Words of Jinja2 that no prompt has here: other files, unknown filters and tests, dice."""
    from jinja2 import nodes

    others = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for node in tree.find_all(others):
        yield f"line {node.lineno}: a prompt cannot take in another file"
    for node in tree.find_all(nodes.Filter):
        if node.name not in environment.filters or node.name == "random":
            yield f'line {node.lineno}: there is no filter "{node.name}"'
    for node in tree.find_all(nodes.Test):
        if node.name not in environment.tests:
            yield f'line {node.lineno}: there is no test "{node.name}"'
