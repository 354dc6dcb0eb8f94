"""A store that machines share: whole or not there, checked on read, kept from strangers' words."""

from __future__ import annotations

import importlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes, of_folder
from llmops.errors import AwayError, FetchError, StoreError
from llmops.evidence import blobs
from llmops.evidence.blobs import Blobs
from llmops.evidence.rows import rows_of
from llmops.evidence.store import Lookout, Store
from llmops.source.egress import Egress
from tests.evidence.conftest import Maker

FILES = {"rows.jsonl": b"{}\n", "model/config.json": b"{}", "model/a/weights": b"w" * 99}


@pytest.fixture(params=["memory", "file"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    place = f"file://{tmp_path}/shared/place"
    return place if request.param == "file" else f"memory://{secrets.token_hex(8)}/place"


@pytest.fixture
def shared(uri: str) -> Iterator[Blobs]:
    blobs.opened.cache_clear()
    yield blobs.opened(uri)
    blobs.opened.cache_clear()


def anew(uri: str) -> Blobs:
    """The same store as another process sees it."""
    blobs.opened.cache_clear()
    return blobs.opened(uri)


def laid(uri: str, path: str) -> tuple[Any, str]:
    """The driver, and a path in the store."""
    fsspec = importlib.import_module("fsspec")
    return fsspec.core.url_to_fs(f"{uri}/{path}")


def test_a_file_and_a_folder_come_back_as_they_were(
    shared: Blobs, uri: str, tmp_path: Path
) -> None:
    for name, data in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    file, folder = of_bytes(b"{}\n"), of_folder(tmp_path / "in" / "model")
    assert not shared.has(file)
    shared.put(tmp_path / "in" / "rows.jsonl", file)
    shared.put(tmp_path / "in" / "model", folder)
    there = anew(uri)
    assert there.has(file)
    assert there.has(folder)
    there.get(file, tmp_path / "out" / "rows")
    there.get(folder, tmp_path / "out" / "model")
    assert (tmp_path / "out" / "rows").read_bytes() == b"{}\n"
    assert of_folder(tmp_path / "out" / "model") == folder


def test_what_lies_there_is_not_laid_twice(shared: Blobs, uri: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    shared.put(tmp_path / "a", of_bytes(b"a"))
    fs, path = laid(uri, f"sha256/{of_bytes(b'a')[7:]}")
    first = fs.info(path)
    anew(uri).put(tmp_path / "a", of_bytes(b"a"))
    assert fs.info(path) == first


def test_bytes_of_another_digest_are_not_laid(shared: Blobs, uri: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(StoreError, match="not sha256:"):
        shared.put(tmp_path / "a", of_bytes(b"b"))
    assert not anew(uri).has(of_bytes(b"b"))


@pytest.mark.parametrize("data", [b"", b"b", b"a" * 100])
def test_altered_bytes_are_told_removed_and_never_given(
    shared: Blobs, uri: str, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "a").write_bytes(b"a")
    digest = of_bytes(b"a")
    shared.put(tmp_path / "a", digest)
    fs, path = laid(uri, f"sha256/{digest[7:]}")
    fs.pipe_file(path, data)
    there = anew(uri)
    with pytest.raises(StoreError, match="has other bytes at sha256/"):
        there.get(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not there.has(digest)
    assert not anew(uri).has(digest), "so that its job is planned again"


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a//b", ".."])
def test_a_listing_that_leads_elsewhere_is_none(uri: str, tmp_path: Path, name: str) -> None:
    listing = canonical({name: of_bytes(b"x")[7:]})
    fs, path = laid(uri, f"folders/{of_bytes(listing)[7:]}")
    fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    fs.pipe_file(path, listing)
    with pytest.raises(StoreError, match="has other bytes at folders/"):
        anew(uri).get(of_bytes(listing), tmp_path / "out" / "in")
    assert not (tmp_path / "x").exists()


def test_an_upload_that_breaks_off_leaves_nothing_under_the_name(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uri.startswith("memory"):
        return  # an object store shows no object before it is whole
    local = importlib.import_module("fsspec.implementations.local")

    def breaks(self: Any, source: str, target: str, **more: Any) -> None:
        Path(target).write_bytes(b"ha")
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"half")
    with monkeypatch.context() as patch:
        patch.setattr(local.LocalFileSystem, "put_file", breaks)
        with pytest.raises(StoreError, match=r"cannot be written: .*No space left"):
            anew(uri).put(tmp_path / "a", of_bytes(b"half"))
    assert not anew(uri).has(of_bytes(b"half"))
    assert [p for p in Path(uri[7:]).rglob("*") if p.is_file()] == []
    anew(uri).put(tmp_path / "a", of_bytes(b"half"))
    assert anew(uri).has(of_bytes(b"half"))


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match=r"s3://bucket/x needs the package s3fs") as caught:
        anew("s3://bucket/x").has(of_bytes(b"a"))
    assert caught.value.hint == "pip install s3fs"
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name == "fsspec":
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(StoreError, match="needs the package fsspec"):
        anew("file:///mnt/x").has(of_bytes(b"a"))


def test_offline_asks_no_network_and_a_list_of_hosts_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only = (Egress("Environment/here", ("data.example.org",)),)
    blobs.opened.cache_clear()
    with pytest.raises(FetchError, match="is not on the egress list"):
        blobs.opened("sftp://store.example.org/x", only).has(of_bytes(b"a"))
    monkeypatch.setenv("LLMOPS_OFFLINE", "1")
    with pytest.raises(StoreError, match="is in the network, but LLMOPS_OFFLINE=1"):
        anew("s3://bucket/x").has(of_bytes(b"a"))


def test_what_a_driver_says_has_no_key_of_the_environment_in_it(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-0123456789")
    there: Any = anew(uri)

    def says(fs: Any) -> None:
        raise RuntimeError("signature of canary-0123456789 does not match\nmore")

    with pytest.raises(StoreError, match="does not match") as caught:
        there._try("read", says)
    assert "canary" not in str(caught.value)


# ---- a store of evidence that has one ----------------------------------------------------------


def test_a_fresh_machine_has_the_artifacts_when_it_needs_them(
    shared: Blobs, uri: str, tmp_path: Path
) -> None:
    here = Store(tmp_path / "here", shared)
    run = Maker(here).run("a", dict(FILES), folders=("model",))
    evidence = here.keep(run.job, run.result)
    here.share(evidence)
    fresh = Store(tmp_path / "fresh", anew(uri))
    statement = here.statement(run.job.closure, evidence.digest)
    target = fresh.statement(run.job.closure, evidence.digest)
    target.parent.mkdir(parents=True)
    target.write_bytes(statement.read_bytes())
    assert fresh.absent(run.job.closure) == {"model", *FILES}
    assert not fresh.missing(run.job.closure)
    assert not fresh.proofs()[run.job.closure].missing
    lookout = Lookout(tmp_path / "fresh", anew(uri))
    assert not lookout.proofs()[run.job.closure].missing
    with pytest.raises(StoreError, match="is gone"):
        lookout.artifact(run.job.closure, "model")
    model = fresh.artifact(run.job.closure, "model")
    assert of_folder(model) == next(a.digest for a in run.result.artifacts if a.name == "model")
    assert fresh.artifact(run.job.closure, "rows.jsonl").read_bytes() == b"{}\n"
    assert fresh.absent(run.job.closure) == set()
    assert not list((tmp_path / "fresh").glob(".incoming-*"))


def test_what_is_gone_from_the_shared_store_is_missing_and_planned_again(
    shared: Blobs, uri: str, tmp_path: Path
) -> None:
    here = Store(tmp_path / "here", shared)
    run = Maker(here).run("a")
    here.share(here.keep(run.job, run.result))
    shutil.rmtree(here.run_folder(run.job.closure))
    digest = run.result.artifacts[0].digest
    fs, path = laid(uri, f"sha256/{digest[7:]}")
    assert not Store(here.root, anew(uri)).missing(run.job.closure)
    fs.rm_file(path)
    assert Store(here.root, anew(uri)).missing(run.job.closure) == {"rows.jsonl"}


def test_a_store_that_cannot_be_looked_at_is_told_and_retrains_nothing(tmp_path: Path) -> None:
    here = Store(tmp_path / "here")
    run = Maker(here).run("a")
    here.keep(run.job, run.result)
    shutil.rmtree(here.run_folder(run.job.closure))
    away = Store(here.root, anew("s3://bucket/x"))
    assert not away.proofs()[run.job.closure].missing
    assert "its artifacts are taken to be there" in away.notes[-1]
    with pytest.raises(AwayError, match="needs the package s3fs"):
        away.artifact(run.job.closure, "rows.jsonl")
    with pytest.raises(AwayError):  # absent rows would be a verdict; this is none
        rows_of(away)(run.job.closure)


def test_a_result_that_failed_is_not_shared(shared: Blobs, uri: str, tmp_path: Path) -> None:
    here = Store(tmp_path / "here", shared)
    run = Maker(here).run("a")
    here.share(here.keep(run.job, replace(run.result, status="quality_failed", reason="NaN")))
    assert not anew(uri).has(run.result.artifacts[0].digest)
