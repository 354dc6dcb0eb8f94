"""The first pull request of the manual (`first-pull-request.md`), in the words of the tool.

A scratch repository gets the running example, an author edits one number, and every command that
the page shows is run there; nothing is trained. Names of trees and digests are numbered, as in
the scenarios, so that the page changes only when the words do.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.conftest import GitRepo
from tests.scenarios.story import normal

ROOT = Path(__file__).resolve().parents[2]
LORA = "specs/recipes/support-lora.yaml"
ONLY = "--select Application/support"
# name -> the command, and the exit code that the page tells of
COMMANDS: Mapping[str, tuple[str, int]] = {
    "typo": ("llmops validate", 2),
    "diff": ("llmops diff", 0),
    "plan": (f"llmops plan {ONLY}", 0),
    "why": ("llmops why Evaluation/support-quality", 0),
    "gate": (f"llmops gate {ONLY}", 1),
}


def said(name: str, *, since: str = "") -> str:
    """One command of the story with what it printed, or only what it printed from a word on."""
    command, told = COMMANDS[name]
    code, text = _story()[name]
    assert code == told, f"{command} ended with {code}, not {told}:\n{text}"
    cut = f"…\n{text[text.index(since) :]}" if since else text
    return f"$ {command}\n{cut}"


@cache
def _story() -> Mapping[str, tuple[int, str]]:
    with tempfile.TemporaryDirectory() as folder:
        repo = example(Path(folder) / "repo")
        recipe = repo.path / LORA
        text = _edited(recipe.read_text("utf-8"), "    r: 8\n", "    r: 16\n")
        found = {}
        for name, (command, _) in COMMANDS.items():
            wrong = _edited(text, "lora_alpha:", "lora_alfa:") if name == "typo" else text
            recipe.write_text(wrong, encoding="utf-8")
            found[name] = _run(repo.path, command)
        return found


def _edited(text: str, before: str, after: str) -> str:
    assert text.count(before) == 1, f"the example has no single {before!r} to edit"
    return text.replace(before, after)


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


def _run(folder: Path, command: str) -> tuple[int, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LLMOPS_", "GIT_"))}
    settings = {"LLMOPS_CACHE": str(folder.parent / "cache"), "COLUMNS": "100", "CI": "1"}
    settings |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    words = shlex.split(command)
    now = ["--now", "2026-11-23T09:00:00Z"] if words[1] == "gate" else []
    done = subprocess.run(
        [sys.executable, "-m", *words, *now],
        cwd=folder, env={**kept, **settings}, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    text = re.sub(r"(llmops\s+)\d+\.\d+\.\d+", r"\g<1>0.0.0", normal(done.stdout))
    return done.returncode, text.strip()
