"""Every golden mistake: `tests/golden/invalid/NAME.yaml` says `NAME.out`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.diagnostics import render
from llmops.source.document import parse
from llmops.specs.load import load_one

FOLDER = Path(__file__).parents[1] / "golden" / "invalid"
NAMES = sorted(file.stem for file in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_is_told_as_its_golden_file_says(
    name: str, golden: Callable[[str, str], None]
) -> None:
    path, data = f"specs/{name}.yaml", (FOLDER / f"{name}.yaml").read_bytes()
    parsed = parse(path, data)
    found = parsed.diagnostics
    if parsed.document is not None:
        found += load_one(parsed.document)[1]
    assert found, "an invalid file without a mistake"
    golden(f"invalid/{name}.out", render(found, {path: data.decode()}) + "\n")


def test_there_are_many_golden_mistakes() -> None:
    assert len(NAMES) >= 40
