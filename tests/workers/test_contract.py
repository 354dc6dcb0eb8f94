from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops.workers.contract import RunFolder, WorkerError, open_run, write_atomically


@pytest.fixture
def job_folder(kit, tmp_path: Path) -> Callable[..., Path]:
    """A new run folder for a job type, its payload and inputs; `more` replaces fields."""

    def make(job_type: str, spec: Any, inputs: Mapping[str, Path], **more: Any) -> Path:
        number = len(list(tmp_path.glob("run*")))
        folder: Path = kit.write_job(tmp_path / f"run{number}", job_type, spec, inputs)
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        (folder / "job.json").write_text(json.dumps({**job, **more}), encoding="utf-8")
        return folder

    return make


def test_a_job_opens_with_its_inputs_verified(job_folder, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("{}\n")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")

    run = open_run(job_folder("curate", {"a": 1}, {"data/0": data, "model": folder}))

    assert run.inputs == {"data/0": data, "model": folder}
    assert run.input("model") == folder
    assert (run.spec, run.seed, run.resources.cpu) == ({"a": 1}, 42, 1)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_other_bytes_than_the_digest_name_both_digests(job_folder, tmp_path, kind: str) -> None:
    data = tmp_path / "input"
    inside = data
    if kind == "folder":
        data.mkdir()
        inside = data / "a.txt"
    inside.write_text("before")
    made = job_folder("curate", {}, {"source/x": data})
    expected = json.loads((made / "job.json").read_text())["inputs"]["source/x"]["digest"]
    inside.write_text("after")

    with pytest.raises(WorkerError, match=r"source/x.* is sha256:") as caught:
        open_run(made)

    assert expected in caught.value.message
    assert caught.value.message.count("sha256:") == 2


def test_a_missing_input_is_named(job_folder, tmp_path: Path) -> None:
    data = tmp_path / "input"
    data.write_text("x")
    made = job_folder("curate", {}, {"source/x": data})
    data.unlink()
    with pytest.raises(WorkerError, match='input "source/x" cannot be read'):
        open_run(made)


def test_an_input_the_job_has_not_lists_those_it_has(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {"id": "curate/x"}, {"cases": tmp_path})
    with pytest.raises(WorkerError, match='has no input "labels"') as caught:
        run.input("labels")
    assert "cases" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "not an object"),
        ("[" * 100_000, "not JSON"),
        ("{}", "format_version None"),
        ('{"format_version": 2}', "format_version 2"),
        ('{"format_version": 1, "id": 3}', 'no "id"'),
        (None, "cannot be read"),
    ],
)
def test_a_job_of_another_shape_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "job.json").write_text(text)
    with pytest.raises(WorkerError, match=message):
        open_run(tmp_path)


def test_a_boolean_is_no_seed(job_folder) -> None:
    with pytest.raises(WorkerError, match='no "seed"'):
        open_run(job_folder("curate", {}, {}, seed=True))


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../../x", "a/../b", "a\\b", "a\0b", "link/x"]
)
def test_no_artifact_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    run = RunFolder(tmp_path, {})
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "link").symlink_to(tmp_path.parent)
    with pytest.raises(WorkerError, match="artifacts/"):
        run.artifact(name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["artifacts"]


def test_an_artifact_has_its_parents(tmp_path: Path) -> None:
    path = RunFolder(tmp_path, {}).artifact("parts/训练 集.jsonl")
    path.write_text("x")
    assert path == tmp_path / "artifacts" / "parts" / "训练 集.jsonl"


def test_progress_is_one_strict_json_line_each(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    run = RunFolder(tmp_path, {})
    run.progress("train", step=1, loss=float("nan"))
    run.progress("train", step=2, loss=0.5, note="训练\n")

    lines = (tmp_path / "progress.jsonl").read_text().splitlines()

    first, second = (json.loads(text, parse_constant=pytest.fail) for text in lines)
    assert (first["phase"], first["step"], first["loss"]) == ("train", 1, None)
    assert (second["loss"], second["note"]) == (0.5, "训练\n")
    assert first["at"].endswith("Z")


def test_only_rank_0_tells_progress(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RANK", "1")
    RunFolder(tmp_path, {}).progress("train", step=1)
    assert not (tmp_path / "progress.jsonl").exists()


def test_a_write_that_dies_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    told = rf"cannot write {path} \(3 bytes\): No space left on device, \d.* bytes are free"
    with pytest.raises(WorkerError, match=told):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
