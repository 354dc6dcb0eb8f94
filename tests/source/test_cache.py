from __future__ import annotations

from pathlib import Path

import pytest

from llmops.source.cache import BlobCache, code_digest

VALUE = {"a": [1, 2.5, None, True, "文"], "b": {}}


def kept(folder: Path, version: str = "1") -> Path:
    cache = BlobCache(folder, version)
    cache["oid"] = VALUE
    cache.save()
    (path,) = folder.glob(f"specs-{version}.cache")
    return path


def test_a_value_is_there_in_the_next_process(tmp_path: Path) -> None:
    kept(tmp_path)
    assert dict(BlobCache(tmp_path, "1")) == {"oid": VALUE}


def test_other_code_sees_another_cache(tmp_path: Path) -> None:
    kept(tmp_path)
    assert dict(BlobCache(tmp_path, "2")) == {}


def test_a_cache_with_any_byte_changed_is_no_cache(tmp_path: Path) -> None:
    path = kept(tmp_path)
    data = path.read_bytes()
    for i in range(len(data)):
        path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :])
        assert dict(BlobCache(tmp_path, "1")) == {}


@pytest.mark.parametrize("data", [b"", b"x", b"llmops-cache-1 ", b"\0" * 100])
def test_a_file_that_is_no_cache_is_no_cache(tmp_path: Path, data: bytes) -> None:
    kept(tmp_path).write_bytes(data)
    assert dict(BlobCache(tmp_path, "1")) == {}


def test_an_unwritable_folder_costs_speed_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = BlobCache(tmp_path / "file", "1")
    cache["oid"] = VALUE
    cache.save()
    assert cache["oid"] == VALUE


def test_without_a_folder_it_lives_in_memory() -> None:
    cache = BlobCache(None, "1")
    cache["oid"] = VALUE
    cache.save()
    assert cache["oid"] == VALUE


def test_old_caches_are_dropped(tmp_path: Path) -> None:
    for i in range(7):
        kept(tmp_path, str(i))
    assert len(list(tmp_path.iterdir())) == 4


def test_the_digest_of_code_changes_with_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = code_digest(tmp_path)
    assert before == code_digest(tmp_path)
    (tmp_path / "a.py").write_text("x = 2\n")
    assert before != code_digest(tmp_path)


def test_the_digest_of_code_changes_with_a_file_that_moves(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = code_digest(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "a.py").rename(tmp_path / "in" / "a.py")
    assert before != code_digest(tmp_path)


def test_another_version_of_a_library_that_reads_specs_is_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    before = code_digest(code)
    (tmp_path / "pydantic-99.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert before != code_digest(code)


def test_a_cache_cut_anywhere_is_no_cache(tmp_path: Path) -> None:
    path = kept(tmp_path)
    data = path.read_bytes()
    for i in range(len(data)):
        path.write_bytes(data[:i])
        assert dict(BlobCache(tmp_path, "1")) == {}
