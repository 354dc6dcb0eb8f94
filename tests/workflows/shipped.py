"""Every CI file of this repository, and every one that `init` can write, by its path."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

from llmops.workflows import templates
from llmops.workflows.read import system_of
from llmops.workflows.templates import Choice

ROOT = Path(__file__).resolve().parents[2]
TORCH = "2.13.0"
LABELS = ("llmops-gpu", "gpu", "ephemeral", "slurm")  # of machines of one's own


def committed() -> dict[str, str]:
    """What stands in `.github`, and what examples bring."""
    places = (ROOT / ".github", ROOT / "llmops" / "examples")
    every = sorted(path for place in places for path in place.rglob("*") if path.is_file())
    named = {path.relative_to(ROOT).as_posix(): path for path in every}
    return {name: path.read_text("utf-8") for name, path in named.items() if system_of(name)}


def written() -> dict[str, str]:
    """What `init` writes for each choice in each language, in a folder for each."""
    found: dict[str, str] = {}
    choices = itertools.product(
        templates.FILES, get_args(templates.Runners), get_args(templates.Gate), ("en", "zh")
    )
    for ci, runners, gate, lang in choices:
        chosen = templates.files(Choice(ci, runners, gate), lang, TORCH)
        for path, text in chosen.items():
            found[f"{ci}-{runners}-{gate}-{lang}/{path}"] = text
    for lang in ("en", "zh"):
        found[f"called-{lang}/.github/workflows/llmops-jobs.yml"] = templates.called(lang, TORCH)
    return found


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    """All of them, below a folder; where they are."""
    paths = [folder / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths
