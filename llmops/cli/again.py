"""A plan that was shown before is shown again, while nothing that it looks at has changed.

In: a command line, the two trees that it names, the kept evidence. Out: the words of then, or None.
A plan is a function of the two trees, the options, the evidence and this program: all of these are
looked at each time, evidence and its artifacts by their bytes, and together are the name under
which the words are kept. So what is found under a name was said of the same things. Not kept is
what writes a file, counts attempts, depends on the time or may end with another exit code than 0.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

from llmops.cli import common
from llmops.errors import LlmopsError
from llmops.evidence.committed import FOLDER
from llmops.source import kept
from llmops.source.cache import code_digest
from llmops.source.sides import Sides
from llmops.source.tree import Repository, Tree

PACKAGE = Path(__file__).parents[1]
MOST_BYTES = 1 << 20  # a longer text is not kept
MOST = 64  # texts; those of before are dropped


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said: lines on standard error, and the text."""

    warnings: tuple[str, ...]
    text: str


def question(args: argparse.Namespace, repository: Repository, two: Sides) -> str:
    """The name of all that decides what a plan says; "" where its words are not kept."""
    from llmops.digest import of_value

    if args.out or args.outputs or args.fail_on or args.counted or common.asks_results(args):
        return ""
    evidence = _evidence(repository.root / FOLDER)
    options = {k: v for k, v in vars(args).items() if k not in ("command", "directory")}
    return "" if evidence is None else of_value(
        {
            "code": code_digest(PACKAGE),
            "places": [os.fsencode(p).hex() for p in (repository.root, Path.cwd())],
            "trees": [_tree(two.base), _tree(two.head), two.commits],
            "options": options,
            "shown": [common.width(args), common.colour(args)],
            "evidence": evidence,
        }
    )  # fmt: skip


def answer(name: str) -> Said | None:
    """What was said to the same question, if that is kept and whole."""
    body = kept.read(_file(name)) if name else None
    if body is None:
        return None
    found = json.loads(body)
    return Said(tuple(found["warnings"]), found["text"]) if found["question"] == name else None


def keep(name: str, said: Said) -> None:
    """Keep what was said, for `answer`."""
    made = {"question": name, "warnings": said.warnings, "text": said.text}
    body = json.dumps(made).encode()
    if name and len(body) <= MOST_BYTES and kept.write(_file(name), body):
        kept.drop_old(common.cache_folder(), "plan-*.cache", MOST)


def _file(name: str) -> Path:
    return common.cache_folder() / f"plan-{name.removeprefix('sha256:')}.cache"


def _tree(tree: Tree | None) -> list[object]:
    return [tree.label, tree.oid, tree.commit, tree.dirty] if tree is not None else []


def _evidence(reports: Path) -> str | None:
    """What planning sees of the store; None where it cannot be read."""
    if not os.path.lexists(reports / "evidence"):
        return ""
    from llmops.evidence.store import Store

    try:
        return Store(reports).state()
    except LlmopsError:
        return None
