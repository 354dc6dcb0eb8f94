"""What a demo tells: a first commit, and pull requests after it, each with its outcome.

The telling (`demo.py`) knows nothing of any story; a tale (`demo_NAME.py`) knows nothing of the
telling. Files of the shipped examples are found here, and changed as a careful author would.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llmops
from llmops.errors import LlmopsError

SHIPPED = ("specs", "policies", ".github/CODEOWNERS")  # what the package carries of this checkout


@dataclass(frozen=True, slots=True)
class Story:
    """One pull request: what its author does, and what must come out."""

    branch: str
    title: str
    told: str
    edit: Callable[[Path], None]
    outcome: str
    trains: bool = True
    approved: str = ""  # TEAM:PERSON with whose approval, as it is asserted, it is warned at most


@dataclass(frozen=True, slots=True)
class Tale:
    """A first commit on main and the pull requests that follow; the first of them is merged."""

    begin: Callable[[Path], None]  # puts the files of the first commit into an empty folder
    title: str  # message of the first commit
    told: str  # what the first commit is, in a line
    stories: tuple[Story, ...]
    try_next: str  # what one may do afterwards in the repository that was kept
    credit: str = ""  # whose data it is, told before anything


def example() -> Path:
    """The folder with the running example: this checkout, or the installed package's copy."""
    package = Path(llmops.__file__).parent
    for folder in (package.parent, package / "_example"):
        if (folder / "specs" / "applications").is_dir():
            return folder
    raise LlmopsError("the running example is not installed", hint="run the demo from a checkout")


def copy(root: Path, *names: str, leave_out: tuple[str, ...] = ()) -> None:
    """Files and folders of the example at the same places below `root`; absent ones are left."""
    for name in names:
        source = example() / name
        if source.is_dir():
            ignore = shutil.ignore_patterns(*leave_out)
            shutil.copytree(source, root / name, ignore=ignore, dirs_exist_ok=True)
        elif source.is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a YAML file as a careful author would: comments and order stay."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(path.read_text(encoding="utf-8"))
    change(document)
    text = io.StringIO()
    yaml.dump(document, text)
    path.write_text(text.getvalue(), encoding="utf-8")


def no_rehearsal(recipe: Any) -> None:
    """An edit of a Recipe: what its base knew already is not shown to it again."""
    data = recipe["spec"]["data"]
    for entry in [e for e in data if "rehearsal" in e["dataset"]]:
        data.remove(entry)


def rate_x100(recipe: Any) -> None:
    """An edit of a Recipe: it learns a hundred times as fast."""
    training = recipe["spec"]["training"]
    training["learning_rate"] = float(training["learning_rate"]) * 100
