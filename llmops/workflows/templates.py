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
PIPELINE = ".gitlab-ci.yml"
VARIABLE = "${{ vars.LLMOPS_PACKAGE }}"
# Pinned: a full commit, or the hash of a file; no character that YAML or a shell would read.
_PINNED = re.compile(
    r"git\+(?:https|ssh)://[\w./@~+-]+@[0-9a-f]{40}(?:#[\w=&./-]+)?"
    r"|https://[\w./~+%-]+\.whl#sha256=[0-9a-f]{64}"
)
_BRANCH = re.compile(r"[\w][\w./-]{0,200}")
_MARK = re.compile(r"( *)(#|//)([a-z-]+): (.*)", re.DOTALL)
_LANGUAGES = ("en", "zh")
_KINDS = {  # runners -> the words that they bring
    "hosted": ("hosted", "python", "direct"),
    "self-hosted": ("self-hosted", "gpu", "forks", "direct"),
    "slurm": ("slurm", "gpu", "forks"),
    "kubernetes": ("kubernetes", "gpu", "forks", "direct"),
    "called": ("called", "python", "forks", "direct"),
}
_WORDS = {*(word for words in _KINDS.values() for word in words), "workflow", "app"}


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
        return frozenset((*_KINDS[self.runners], self.gate))


def pinned(package: str) -> bool:
    """Whether a package names exact bytes, in characters that mean nothing to YAML or a shell."""
    return _PINNED.fullmatch(package) is not None


def plain(branch: str) -> bool:
    """Whether a branch's name can stand in a workflow as it is."""
    return _BRANCH.fullmatch(branch) is not None


def files(choice: Choice, language: str, torch: str) -> dict[str, str]:
    """The texts of a choice by their path; none for `none`. `torch`: its pinned version."""
    package = json.dumps(choice.package) if choice.package else VARIABLE
    values = {
        "BRANCH": choice.branch, "PACKAGE": package, "TORCH": torch, "ROOT": "vars.LLMOPS_ROOT",
    }  # fmt: skip
    return {
        path: _filled("".join(_chosen(template, choice.words, language)), values)
        for path, template in FILES[choice.ci](choice).items()
    }


def called(language: str, torch: str) -> str:
    """The same jobs as a workflow that others call; package and machines are its inputs."""
    text = "".join(map(_read, ("github-called.yml", "github-jobs.yml", "github-gate.yml")))
    words = frozenset((*_KINDS["called"], "workflow"))
    values = {"PACKAGE": "${{ inputs.package }}", "TORCH": torch, "ROOT": "inputs.root"}
    return _filled("".join(_chosen(text, words, language)), values)


def _github(choice: Choice) -> Mapping[str, str]:
    parts = ["github.yml", "github-jobs.yml"]
    parts += ["github-gate.yml"] if choice.gate == "workflow" else []
    found = {".github/workflows/llmops.yml": "".join(map(_read, parts))}
    if choice.runners == "kubernetes":
        found[".github/llmops/runner-scale-set.yaml"] = _read("runner-scale-set.yaml")
    return found


def _gitlab(choice: Choice) -> Mapping[str, str]:
    return {
        PIPELINE: _read("gitlab-root.yml"),
        ".gitlab/llmops.yml": _read("gitlab.yml"),
    }


def _jenkins(choice: Choice) -> Mapping[str, str]:
    return {"Jenkinsfile": _read("Jenkinsfile")}


def _none(choice: Choice) -> Mapping[str, str]:
    return {}


FILES: Mapping[CI, Callable[[Choice], Mapping[str, str]]] = {
    "github": _github,
    "gitlab": _gitlab,
    "jenkins": _jenkins,
    "none": _none,
}


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
    if marked is None or marked[3] not in (*_LANGUAGES, *_WORDS):
        return line
    indent, sign, word, rest = marked.groups()
    if word in _LANGUAGES:
        return f"{indent}{sign} {rest}" if word == language else None
    return _line(indent + rest, words, language) if word in words else None


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)
