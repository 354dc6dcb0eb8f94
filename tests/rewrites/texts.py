"""Every spec text there is here: this repository's, of examples, scenarios and golden mistakes."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("specs", "policies", "llmops/examples/tiny/specs", "llmops/examples/tiny/policies")
OTHERS = ("tests/scenarios", "tests/golden/invalid", "tests/golden/yaml", "tests/golden/specs")


def paths(*folders: str) -> list[Path]:
    """The YAML files below folders of this repository."""
    found = (p for folder in folders for p in sorted((ROOT / folder).rglob("*.yaml")))
    return [path for path in found if path.is_file()]


def name(path: Path) -> str:
    """A file's path from the root."""
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    """A file's text, its line ends as they are."""
    return path.read_bytes().decode("utf-8", "surrogateescape")
