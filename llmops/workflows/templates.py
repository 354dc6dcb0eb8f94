"""A choice of CI, runners and gate -> the files that make a repository plan, run and judge itself.

In: a `Choice` and a language. Out: texts by their path in the repository. What is written holds no
secret, no text of others in a script, and no action but by its full commit; a test runs the linters
over every choice.

In a template, a line `#WORD: …` stands where the choice has that word (`#hosted:`, `#gpu:`) and
`#en: …` or `#zh: …` is a comment in that language alone; both may be said of one line. `@WORD@` is
a value. A new CI is a template and a line in `FILES`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CI = Literal["github", "gitlab", "jenkins", "none"]
Runners = Literal["hosted", "self-hosted", "slurm", "kubernetes"]
Gate = Literal["workflow", "app"]
FOLDER = Path(__file__).parent / "templates"
VARIABLE = "${{ vars.LLMOPS_PACKAGE }}"
# Pinned: a full commit, or the hash of a file; no character that YAML or a shell would read.
_PINNED = re.compile(
    r"git\+(?:https|ssh)://[\w./@~+-]+@[0-9a-f]{40}(?:#[\w=&./-]+)?"
    r"|https://[\w./~+%-]+\.whl#sha256=[0-9a-f]{64}"
)
_BRANCH = re.compile(r"[\w][\w./-]{0,200}")
_MARK = re.compile(r"( *)#([a-z-]+): (.*)", re.DOTALL)
_LANGUAGES = ("en", "zh")
_WORDS = ("hosted", "self-hosted", "slurm", "kubernetes", "gpu", "direct", "workflow", "app")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a repository's CI is, where jobs run, who publishes the verdict, and what of the tool.

    `package`: what pip installs, pinned; "" leaves it to the variable LLMOPS_PACKAGE.
    """

    ci: CI = "github"
    runners: Runners = "hosted"
    gate: Gate = "workflow"
    branch: str = "main"
    package: str = ""

    @property
    def words(self) -> frozenset[str]:
        """The words whose lines a template keeps."""
        kind = "hosted" if self.runners == "hosted" else "gpu"
        how = "slurm" if self.runners == "slurm" else "direct"
        return frozenset((self.runners, self.gate, kind, how))


def pinned(package: str) -> bool:
    """Whether a package names exact bytes, in characters that mean nothing to YAML or a shell."""
    return _PINNED.fullmatch(package) is not None


def plain(branch: str) -> bool:
    """Whether a branch's name can stand in a workflow as it is."""
    return _BRANCH.fullmatch(branch) is not None


def files(choice: Choice, language: str, torch: str) -> dict[str, str]:
    """The texts of a choice by their path; none for `none`. `torch`: its pinned version."""
    values = {
        "BRANCH": choice.branch,
        "PACKAGE": json.dumps(choice.package) if choice.package else VARIABLE,
        "TORCH": torch,
    }
    return {
        path: _filled("".join(_chosen(template, choice.words, language)), values)
        for path, template in FILES[choice.ci](choice).items()
    }


def _github(choice: Choice) -> Mapping[str, str]:
    text = _read("github.yml")
    if choice.gate == "workflow":
        text += _read("github-gate.yml")
    return {".github/workflows/llmops.yml": text}


def _none(choice: Choice) -> Mapping[str, str]:
    return {}


FILES: Mapping[CI, Callable[[Choice], Mapping[str, str]]] = {"github": _github, "none": _none}


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _chosen(text: str, words: frozenset[str], language: str) -> Iterator[str]:
    """The lines of a choice, their marks taken off; a comment keeps its `#`."""
    for line in text.splitlines(keepends=True):
        kept = _line(line, words, language)
        if kept is not None:
            yield kept


def _line(line: str, words: frozenset[str], language: str) -> str | None:
    marked = _MARK.fullmatch(line)
    if marked is None or marked[2] not in (*_LANGUAGES, *_WORDS):
        return line
    indent, word, rest = marked.groups()
    if word in _LANGUAGES:
        return f"{indent}# {rest}" if word == language else None
    return _line(indent + rest, words, language) if word in words else None


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)
