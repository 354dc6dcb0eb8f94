"""The two tutorials in the words of the tool: every command that they show, given in their order.

`first`: the running example, an author edits one number, nothing is trained. `quick`: a repository
that `llmops init` made, run with the stand-in worker, so that answers are made up and all else is
real. Digests are numbered, as in the scenarios, so that a page changes only when the words do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from tests.conftest import GitRepo
from tests.tools.terminal import Said, Terminal, normal

ROOT = Path(__file__).resolve().parents[2]
LORA = "specs/recipes/support-lora.yaml"
BASE = "specs/recipes/faq-base.yaml"
ONLY = "--select Application/support"


def said(name: str, *, since: str = "", until: str = "") -> str:
    """One command of a story with what it printed, or a part of that."""
    line, told = STORIES[name.partition("-")[0]]()[name]
    text = normal(told.text)
    if until:
        text = f"{text[: text.index(until)].rstrip()}\n…"
    if since:
        text = f"…\n{text[text.index(since) :]}"
    return f"$ {line}\n{text}"


class _Story:
    """Lines that are given one after the other, each with the exit code that the page tells of."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.edit = terminal.edit
        self.told: dict[str, tuple[str, Said]] = {}

    def give(self, line: str, name: str = "", *, code: int = 0) -> None:
        found = self.terminal.run(line)
        assert found.code == code, f"{line} ended with {found.code}, not {code}:\n{found.text}"
        self.told[name] = line, found


@cache
def first() -> Mapping[str, tuple[str, Said]]:
    """Your first pull request."""
    with tempfile.TemporaryDirectory() as folder:
        repo = example(Path(folder) / "repo")
        story = _Story(Terminal(repo.path, Path(folder) / "home"))
        story.edit(LORA, "    r: 8\n", "    r: 16\n")
        story.edit(LORA, "lora_alpha:", "lora_alfa:")
        story.give("llmops validate", "first-typo", code=2)
        story.edit(LORA, "lora_alfa:", "lora_alpha:")
        story.give("llmops diff", "first-diff")
        story.give(f"llmops plan {ONLY}", "first-plan")
        story.give("llmops why Evaluation/support-quality", "first-why")
        story.give(f"llmops gate {ONLY}", "first-gate", code=1)
        return story.told


@cache
def quick() -> Mapping[str, tuple[str, Said]]:
    """The quick start."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "work"
        here.mkdir()
        story = _Story(Terminal(here, Path(folder) / "home"))
        story.give("llmops init my-assistant --example tiny", "quick-init")
        story.give("cd my-assistant")
        story.give("llmops plan", "quick-plan")
        story.give("llmops run")
        story.give("llmops gate", "quick-gate")
        story.give("git switch --create worse")
        story.edit(BASE, "learning_rate:", "learning_rat:")
        story.give("llmops validate", "quick-typo", code=2)
        story.edit(BASE, "learning_rat:", "learning_rate:")
        story.edit("specs/applications/faq.yaml", "owner: team-assistant", "owner: team-quality")
        story.give("llmops plan", "quick-owner")
        story.give("git restore specs/applications/faq.yaml")
        story.edit(BASE, "max_steps: 120", "max_steps: 20")
        story.give("llmops diff", "quick-diff")
        story.give("llmops plan", "quick-worse")
        story.give("llmops run")
        story.give("llmops gate", "quick-failed", code=1)
        story.give("llmops show case faq-077", "quick-case")
        story.edit("specs/evaluations/faq-quality.yaml", "{min: 0.60}", "{min: 0.30}")
        story.give("llmops gate", "quick-bar", code=1)
        return story.told


STORIES: Mapping[str, Callable[[], Mapping[str, tuple[str, Said]]]] = {
    "first": first,
    "quick": quick,
}


def example(folder: Path) -> GitRepo:
    """The running example as a repository of its own, on branch main."""
    repo = GitRepo(folder)
    folder.mkdir()
    repo.git("init", "--quiet")
    kept = [*_below("specs"), *_below("policies"), ROOT / ".github" / "CODEOWNERS"]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in kept}
    repo.commit({**files, ".gitignore": "/reports/\n"}, "first")
    repo.commit({"README.md": "A bank support assistant.\n"}, "second")
    return repo


def _below(name: str) -> list[Path]:
    return [path for path in sorted((ROOT / name).rglob("*")) if path.is_file()]
