"""Containers: one text for the same files, and every other byte is named."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from llmops.audit import container
from llmops.audit.container import encode, read

FILES = {
    "bundle.json": b"{}",
    "log/checkpoint": b"llmops.dev/x\n",
    "log/entries/00000/00000000.json": b"",
    "objects/ab/cdef": bytes(range(256)),
}
DATA = encode(FILES)


def zipped(files: dict[str, bytes], **options: int) -> bytes:
    """What Python's own writer makes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as file:  # type: ignore[call-overload]
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


def test_what_is_written_is_read() -> None:
    found = read(DATA)
    assert found.damage is None
    assert dict(found) == FILES


def test_the_order_of_files_does_not_matter() -> None:
    names = list(FILES)
    random.Random(1).shuffle(names)
    assert encode({name: FILES[name] for name in names}) == DATA


def test_nothing_is_a_container_of_nothing_that_nobody_takes_for_one() -> None:
    assert len(encode({})) == 22
    for data in (b"", encode({}), b"PK", b"{}", bytes(100)):
        with pytest.raises(ValueError, match="does not begin as a bundle"):
            read(data)


def test_others_read_it_too(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(DATA)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == FILES


def test_every_bit_counts() -> None:
    for bit in range(8 * len(DATA)):
        spoiled = bytearray(DATA)
        spoiled[bit // 8] ^= 1 << bit % 8
        try:
            found = read(bytes(spoiled))
        except ValueError:
            assert bit < 32
            continue
        assert found.damage is not None, bit
        assert found.damage.offset <= max(bit // 8, len(DATA)), bit


def test_every_truncation_and_every_byte_more_is_seen() -> None:
    for size in range(4, len(DATA)):
        damage = read(DATA[:size]).damage
        assert damage is not None, size
    for more in (b"\0", b"PK\3\4", DATA):
        damage = read(DATA + more).damage
        assert damage is not None
        assert damage.offset >= len(DATA) - 1


def test_an_offset_is_that_of_the_byte() -> None:
    frame = DATA.index(b"PK\1\2") + 9
    spoiled = DATA[:frame] + b"\7" + DATA[frame + 1 :]
    damage = read(spoiled).damage
    assert damage is not None
    assert (damage.offset, damage.name) == (frame, "")
    inside = DATA.index(b"llmops.dev")
    damage = read(DATA[:inside] + b"L" + DATA[inside + 1 :]).damage
    assert damage is not None
    assert (damage.offset, damage.name) == (inside, "log/checkpoint")


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../b", "/a", "a//b", "a/", ".", "..", "a\\b", "c:a", "数据", "a\u202eb", "a b", "",
     "a\0", "x" * 201, "a\n", "./a", "a/."],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_looks_like_another_is_none(name: str) -> None:
    assert not container.is_name(name)
    with pytest.raises(ValueError, match="is no name of a file"):
        encode({name: b""})
    head = container._Head(name, 0, 0, 0)  # as somebody else might write it
    damage = read(head.local + b"".join(container._directory([head], len(head.local)))).damage
    assert damage is not None


def test_files_around_one_whose_bytes_changed_are_read() -> None:
    inside = DATA.index(b"llmops.dev")
    found = read(DATA[:inside] + b"L" + DATA[inside + 1 :])
    assert dict(found) == {**FILES, "log/checkpoint": b"Llmops.dev/x\n"}
    assert found.damage is not None
    assert not found.damage.ends
    cut = read(DATA[:inside] + b"L" + DATA[inside + 1 : -40])
    assert cut.damage == found.damage  # the first one


def test_a_name_twice_or_out_of_order_is_seen() -> None:
    for names in (("a", "a"), ("b", "a")):
        heads: list[container._Head] = []
        for name in names:
            heads.append(container._Head(name, 0, 0, heads[-1].end if heads else 0))
        data = b"".join(one.local for one in heads)
        damage = read(data + b"".join(container._directory(heads, len(data)))).damage
        assert damage is not None
        assert "twice" in damage.what


def test_other_zips_of_the_same_files_are_none() -> None:
    files = dict(sorted(FILES.items()))
    for data in (
        zipped(files),
        zipped(files, compression=zipfile.ZIP_DEFLATED),
        b"#!/bin/sh\n" + DATA,
    ):
        try:
            assert read(data).damage is not None
        except ValueError:
            assert not data.startswith(b"PK")


def test_a_bomb_stays_as_small_as_it_came() -> None:
    data = zipped({"bomb": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED)
    found = read(data)
    assert found.damage is not None
    assert sum(map(len, found.values())) < len(data)


def test_a_size_that_lies_is_no_memory() -> None:
    head = container._Head("a", 0, 2**32 - 1, 0)
    damage = read(head.local + b"x").damage
    assert damage is not None
    assert damage.what == "it is cut short"


def test_more_files_than_a_short_end_record_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_MOST_SHORT", 3)
    data = encode(FILES)
    assert data != DATA
    assert read(data).damage is None
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert {name: file.read(name) for name in file.namelist()} == FILES


@pytest.mark.slow
def test_as_many_files_as_no_short_end_record_counts() -> None:
    data = encode({f"f/{i:06}": b"" for i in range(65_536)})
    assert read(data).damage is None
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert len(file.namelist()) == 65_536


def test_zip64_where_it_is_not_needed_is_another_text() -> None:
    heads = [container._Head("a", 0, 0, 0)]
    local, size = heads[0].local, len(heads[0].central)
    more = container._END64.pack(b"PK\6\6", 44, 3 << 8 | 45, 45, 0, 0, 1, 1, size, len(local))
    more += container._LOCATOR.pack(b"PK\6\7", 0, len(local) + size, 1)
    end = container._END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, len(local), 0)
    assert read(local + heads[0].central + more + end).damage is not None


def test_what_is_too_much_is_refused_before_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MOST_FILES", 3)
    with pytest.raises(ValueError, match="4 files are more than the 3"):
        encode(FILES)
    assert read(DATA).damage is not None
    monkeypatch.setattr(container, "MOST_FILES", 10)
    monkeypatch.setattr(container, "MOST_BYTES", 300)
    with pytest.raises(ValueError, match="more than the 300 bytes"):
        encode(FILES)
