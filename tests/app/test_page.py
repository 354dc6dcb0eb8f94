"""The page on running the App says what the code does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from llmops.app.commands import COMMANDS
from llmops.app.crew import EVERY
from llmops.app.manifest import PERMISSIONS
from llmops.app.queue import TRIES

PAGE = (Path(__file__).parents[2] / "llmops/docs/en/how-to/app.md").read_text("utf-8")


def rows(header: str) -> list[list[str]]:
    """The cells of a table, its two head lines left out."""
    table = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_page_names_every_permission_with_its_level() -> None:
    told = {
        name: level
        for names, level, _ in rows("| permission |")
        for name in re.findall(r"`(\w+)`", names)
    }
    assert told == {name: level for name, (level, _) in PERMISSIONS.items()}


def test_the_page_names_every_command() -> None:
    told = [row[0].strip("`").split()[1] for row in rows("| comment |")]
    assert told == list(COMMANDS)


def test_the_page_has_the_numbers_of_the_code() -> None:
    assert f"Every {EVERY / 60:.0f} minutes" in PAGE
    assert f"After {TRIES} tries" in PAGE


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    found = re.search(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    unit = tmp_path / "llmops-app.service"
    unit.write_text(found[1].replace("/opt/llmops/bin/llmops", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "llmops-app.service" not in done.stderr, done.stderr
