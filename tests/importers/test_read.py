"""Every importer: golden files in and out, and what is written can be read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from llmops.importers import read
from llmops.importers.base import Found, Imported
from llmops.source.document import parse

CASES = Path(__file__).parents[1] / "golden" / "import"


def cases() -> list[Path]:
    return sorted(path for path in CASES.iterdir() if path.is_dir())


def imported(folder: Path) -> Imported:
    """What the configuration of a case becomes: its folder is called TOOL-NAME."""
    tool, _, name = folder.name.partition("-")
    config = next(p for p in (folder / "in").iterdir() if p.stem == "config")
    document = parse(config.name, config.read_bytes()).document
    assert document is not None

    def near(path: str) -> Found | None:
        file = folder / "in" / path
        return Found(PurePosixPath(path).as_posix(), file.read_bytes()) if file.is_file() else None

    return read.imported(tool, document, near, name)


@pytest.mark.parametrize("folder", cases(), ids=lambda folder: folder.name)
def test_a_configuration_becomes_these_files(
    folder: Path, golden: Callable[[str | Path, str], None]
) -> None:
    found = imported(folder)
    texts = read.texts(found)
    out = f"import/{folder.name}/out"
    for path, text in texts.items():
        golden(f"{out}/{path}", text)
    for path, data in found.rows.items():
        golden(f"{out}/{path}", data.decode())
    told = [f"{n.span.path}:{n.span.line}: {n}" for n in found.notes]
    told += ["", "to fill in"]
    told += [f"{d.span}: {d.severity}[{d.rule}]: {d.message}" for d in left(found, folder)]
    golden(f"{out}/told.txt", "\n".join(told) + "\n")
    written = {
        p.relative_to(CASES.parent / out).as_posix() for p in (CASES.parent / out).rglob("*.*")
    }
    assert written == {*texts, *found.rows, "told.txt"}


def left(found: Imported, folder: Path) -> tuple[object, ...]:
    beside = [p.relative_to(folder / "in").as_posix() for p in (folder / "in").rglob("*")]
    return read.remaining(read.texts(found), [*beside, *found.rows])


@pytest.mark.parametrize("folder", cases(), ids=lambda folder: folder.name)
def test_importing_twice_gives_the_same_bytes(folder: Path) -> None:
    assert read.texts(imported(folder)) == read.texts(imported(folder))
    assert imported(folder).rows == imported(folder).rows
