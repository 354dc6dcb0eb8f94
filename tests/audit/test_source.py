"""What was handed over and is no bundle, or is one that somebody changed: told, never believed."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from llmops.audit import bundle, container, index
from llmops.audit.base import Flaw
from llmops.audit.bundle import Asked
from llmops.audit.source import Bundle, Unreadable
from llmops.digest import canonical
from tests.audit.small import small


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    world = small(tmp_path_factory.mktemp("audit"))
    return bundle.made(world.clone, world.store, Asked(2, "seed"), lambda _found: {}).files


def flaws(files: Mapping[str, bytes], *, listed: bool = True) -> list[Flaw]:
    """What is wrong with files in a container; `listed`: their list is made anew."""
    found = {**files, index.NAME: index.made(files)} if listed else files
    return list(Bundle.of("bundle", container.encode(found)).flaws())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin as a bundle"),
        (b"PK\5\6" + bytes(18), "does not begin as a bundle"),
        (b"<html>", "does not begin as a bundle"),
        (bytes(1000), "does not begin as a bundle"),
    ],
)
def test_what_is_no_bundle_cannot_be_looked_at(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=why) as caught:
        Bundle.at(path)
    assert caught.value.exit_code == 3
    assert "llmops bundle" in caught.value.hint


def test_what_is_no_file_cannot_be_looked_at(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, why in (
        ("nothing.zip", "No such file"),
        (".", "no plain file"),
        ("pipe", "no plain file"),
        ("loop", "symbolic links"),
    ):
        with pytest.raises(Unreadable, match=why):
            Bundle.at(tmp_path / name)
    with pytest.raises(Unreadable, match="no plain file"):
        Bundle.at(Path("/dev/zero"))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.zip"
    with path.open("wb") as file:
        file.truncate(container.MOST_BYTES + 1)
    with pytest.raises(Unreadable, match="a bundle at most 2,147,483,647"):
        Bundle.at(path)


def test_a_name_for_people_shows_no_more_than_it_is(tmp_path: Path) -> None:
    path = tmp_path / "审计\u202egpj.zip"
    path.write_bytes(b"")
    with pytest.raises(Unreadable) as caught:
        Bundle.at(path)
    assert "\u202e" not in caught.value.message
    assert "审计" in caught.value.message


@pytest.mark.parametrize("version", [2, 10**9])
def test_a_newer_bundle_is_not_judged(files: Mapping[str, bytes], version: int) -> None:
    said = {**json.loads(files[index.NAME]), "format_version": version, "new": []}
    data = container.encode({**files, index.NAME: canonical(said)})
    with pytest.raises(Unreadable, match=f"has format_version {version}, this llmops reads 1"):
        Bundle.of("bundle", data)


@pytest.mark.parametrize("version", [0, -1, True, "2", None, 1.5, [2]])
def test_a_version_that_is_none_is_a_flaw(files: Mapping[str, bytes], version: object) -> None:
    said = {**json.loads(files[index.NAME]), "format_version": version}
    (flaw,) = flaws({**files, index.NAME: canonical(said)}, listed=False)
    assert (flaw.reason, flaw.file) == ("tampered", "bundle.json")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"files":[]}', b'{"files":{"a":1}}',
        b'{"format_version":1,"format_version":1}',
    ],
)  # fmt: skip
def test_a_list_of_another_shape_is_a_flaw(files: Mapping[str, bytes], data: bytes) -> None:
    (flaw,) = flaws({**files, index.NAME: data}, listed=False)
    assert (flaw.reason, flaw.file) == ("tampered", "bundle.json")


def test_a_list_that_is_not_that_of_the_files_names_the_first(files: Mapping[str, bytes]) -> None:
    first = index.entry(0)
    for wrong, what in (
        ({**files, first: files[first] + b" "}, f"{first} is another file than it lists"),
        ({n: d for n, d in files.items() if n != index.OPENINGS}, "lists openings.json, which"),
        ({**files, "report/report.html": b""}, "report/report.html is not listed"),
        ({**files, index.NAME: files[index.NAME].replace(b":", b": ", 1)}, "is not written as"),
    ):
        (flaw,) = flaws(wrong, listed=False)
        assert what in flaw.what
    assert flaws({n: d for n, d in files.items() if n != index.NAME}, listed=False)[0].reason == (
        "incomplete"
    )


def test_a_file_that_no_bundle_has_is_strange(files: Mapping[str, bytes]) -> None:
    more = ("readme.txt", "log/readme", "objects/ab/c", "report/report.pdf", "log/entries/0.json")
    found = Bundle.of("bundle", container.encode({**files, **dict.fromkeys(more, b"")}))
    assert sorted(found.strange) == sorted(more)


def test_entries_behind_a_gap_are_not_read_and_told(files: Mapping[str, bytes]) -> None:
    without = {n: d for n, d in files.items() if n != index.entry(0)}
    (flaw,) = flaws(without)
    assert (flaw.reason, flaw.entry, flaw.file) == ("incomplete", 0, index.entry(0))
    data = container.encode({**without, index.NAME: index.made(without)})
    assert list(Bundle.of("bundle", data).entries()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"\xff", b"[" * 100_000, b'{"x":{}}', b"{ }", b'{"%s":{}}' % (b"0" * 40),
        b'{"%s":{"sha256":"x","size":1}}' % (b"0" * 40),
        b'{"%s":{"sha256":"%s","size":-1}}' % (b"0" * 40, b"0" * 64),
        b'{"%s":{"sha256":"%s","size":1.0}}' % (b"0" * 40, b"0" * 64),
        b'{"%s":{"sha256":"%s","size":true}}' % (b"0" * 40, b"0" * 64),
    ],
)  # fmt: skip
def test_withheld_files_are_written_in_one_way(files: Mapping[str, bytes], data: bytes) -> None:
    (flaw,) = flaws({**files, index.WITHHELD: data})
    assert (flaw.reason, flaw.file) == ("tampered", "withheld.json")
    assert Bundle.of("b", container.encode({**files, index.WITHHELD: data})).withheld() == {}


def test_every_damage_of_the_container_is_one_flaw_with_its_offset(
    files: Mapping[str, bytes],
) -> None:
    data = container.encode(files)
    at = data.index(b"llmops.dev") if b"llmops.dev" in data else data.index(b"log/checkpoint")
    found = Bundle.of("bundle", data[:at] + b"X" + data[at + 1 :])
    (flaw,) = found.flaws()
    assert flaw.reason == "tampered"
    assert flaw.offset is not None
    assert flaw.offset <= at
    (cut,) = Bundle.of("bundle", data[:-30]).flaws()
    assert "cut short" in cut.what


def test_a_zip_of_the_same_files_is_not_the_bundle(
    files: Mapping[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name in sorted(files):
            out.writestr(name, files[name])
    (flaw,) = Bundle.at(path).flaws()
    assert flaw.reason == "tampered"


def test_two_bundles_stuck_together_are_none(files: Mapping[str, bytes]) -> None:
    data = container.encode(files)
    assert list(Bundle.of("bundle", data + data).flaws())


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100_000, b"\xff"])
def test_openings_that_are_none_are_a_flaw_and_show_nothing(
    files: Mapping[str, bytes], data: bytes
) -> None:
    (flaw,) = flaws({**files, index.OPENINGS: data})
    assert (flaw.reason, flaw.file) == ("tampered", "openings.json")
    assert Bundle.of("b", container.encode({**files, index.OPENINGS: data})).opened is None
