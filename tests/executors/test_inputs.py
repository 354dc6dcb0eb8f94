"""An input is verified bytes at a path, or an error that says what they are instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.digest import of_bytes
from llmops.errors import FetchError, StoreError
from llmops.evidence.store import Store
from llmops.executors.base import Given
from llmops.executors.inputs import Inputs
from llmops.jobs.base import Input

DATA = b"row\n"
DIGEST = of_bytes(DATA)


class Tree:
    def __init__(self, data: bytes) -> None:
        self.data, self.reads = data, 0

    def __call__(self, digest: str, file: str) -> bytes:
        self.reads += 1
        return self.data


def no_fetch(digest: str, uri: str | None) -> Path:
    raise AssertionError("not to be fetched")


def test_a_file_of_the_tree_is_written_by_its_digest_once(tmp_path: Path) -> None:
    tree = Tree(DATA)
    inputs = Inputs(Store(tmp_path), no_fetch, tree)
    wanted = Input("source/a", digest=DIGEST, file="data/a b.jsonl")
    path = tmp_path / "blobs" / "sha256" / DIGEST[7:]
    assert inputs(wanted) == inputs(wanted) == Given(path, DIGEST)
    assert path.read_bytes() == DATA
    assert tree.reads == 1
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("damage", [b"row ", b"", None])
def test_a_damaged_blob_is_written_anew(tmp_path: Path, damage: bytes | None) -> None:
    inputs = Inputs(Store(tmp_path), no_fetch, Tree(DATA))
    wanted = Input("source/a", digest=DIGEST, file="a.jsonl")
    path = inputs(wanted).path
    if damage is None:
        (tmp_path / "else").write_bytes(DATA)
        path.unlink()
        path.symlink_to(tmp_path / "else")
    else:
        path.write_bytes(damage)
    assert inputs(wanted).path.read_bytes() == DATA
    assert not path.is_symlink()


def test_a_file_that_is_not_what_the_plan_names_is_refused(tmp_path: Path) -> None:
    inputs = Inputs(Store(tmp_path), no_fetch, Tree(b"other"))
    with pytest.raises(FetchError) as caught:
        inputs(Input("source/a", digest=DIGEST, file="a.jsonl"))
    assert of_bytes(b"other") in caught.value.message
    assert DIGEST in caught.value.message
    assert not (tmp_path / "blobs").exists()


def test_content_by_address_is_fetched_by_digest(tmp_path: Path) -> None:
    asked = []

    def fetch(digest: str, uri: str | None) -> Path:
        asked.append((digest, uri))
        return tmp_path / "cached"

    inputs = Inputs(Store(tmp_path), fetch, Tree(b""))
    wanted = Input("source/a", digest=DIGEST, uri="https://example.org/a.csv")
    assert inputs(wanted) == Given(tmp_path / "cached", DIGEST)
    assert asked == [(DIGEST, "https://example.org/a.csv")]


def test_a_path_is_absolute_because_the_worker_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = Inputs(Store(Path("reports")), lambda digest, uri: Path("mirror/x"), Tree(DATA))
    assert inputs(Input("a", digest=DIGEST, uri="https://x")).path == tmp_path / "mirror" / "x"
    blob = inputs(Input("a", digest=DIGEST, file="a")).path
    assert blob == tmp_path / "reports" / "blobs" / "sha256" / DIGEST[7:]


def test_an_input_of_a_job_without_evidence_is_an_error(tmp_path: Path) -> None:
    inputs = Inputs(Store(tmp_path), no_fetch, Tree(b""))
    with pytest.raises(StoreError, match="no evidence"):
        inputs(Input("cases", job=DIGEST, artifact="rows.jsonl"))


def test_an_input_without_any_origin_is_an_error(tmp_path: Path) -> None:
    inputs = Inputs(Store(tmp_path), no_fetch, Tree(b""))
    with pytest.raises(StoreError, match="neither a job nor a digest"):
        inputs(Input("cases"))
