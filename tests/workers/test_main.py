from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops import digest
from llmops.jobs.base import Measurement
from llmops.jobs.wire import result_from_json
from llmops.workers import __main__ as entry
from llmops.workers.contract import Outcome, RunFolder, WorkerError

SPEC = {
    "dataset": {
        "name": "bank", "format": "qa", "columns": {},
        "sources": [{"name": "s", "media": "jsonl"}],
        "splits": {"method": "hash", "seed": 0, "parts": {"all": 1.0}},
    }
}  # fmt: skip


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


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "s.jsonl"
    path.write_text('{"question": "卡丢了", "answer": "card_lost"}\n', encoding="utf-8")
    return path


def error_of(folder: Path) -> dict[str, str]:
    assert not (folder / "result.json").exists()
    return json.loads((folder / "error.json").read_text())


def test_a_job_becomes_a_result_that_wire_reads(job_folder, source) -> None:
    folder = job_folder("curate", SPEC, {"source/s": source}, tools={"rfc8785": _have("rfc8785")})
    assert entry.main([str(folder)]) == 0
    result = result_from_json(json.loads((folder / "result.json").read_text()))

    assert (result.status, result.type, result.closure[-2:]) == ("ok", "curate", "00")
    made = [a.name for a in result.artifacts]
    assert made == ["digests/all.jsonl", "funnel.json", "parts/all.jsonl"]
    for artifact in result.artifacts:
        path = folder / "artifacts" / artifact.name
        assert artifact.digest == digest.of_file(path)
        assert artifact.size_bytes == path.stat().st_size
    assert result.environment["tools"] == {"rfc8785": _have("rfc8785")}
    assert result.environment["accelerator"] == "cpu"
    assert 5 < result.resources_used["peak_memory_mb"] < 10_000
    assert result.resources_used["wall_seconds"] >= 0
    assert result.started_at <= result.finished_at
    assert not (folder / "error.json").exists()


def test_other_tool_versions_are_refused_with_a_hint(job_folder, source) -> None:
    pins = {"rfc8785": "9.9", "no-such-tool": "1.0"}
    folder = job_folder("curate", SPEC, {"source/s": source}, tools=pins)
    assert entry.main([str(folder)]) == 3
    error = error_of(folder)
    assert f"rfc8785 {_have('rfc8785')} (pinned 9.9)" in error["message"]
    assert "no-such-tool missing (pinned 1.0)" in error["message"]
    assert "make install" in error["hint"]


def test_a_local_build_of_a_tool_counts_as_its_version(monkeypatch) -> None:
    monkeypatch.setattr(entry, "_version", lambda name: "2.13.0+cpu")
    assert entry.check_tools({"torch": "2.13.0"}) == {"torch": "2.13.0+cpu"}
    with pytest.raises(WorkerError):
        entry.check_tools({"torch": "2.13"})


def test_an_unknown_job_type_lists_the_known(job_folder) -> None:
    folder = job_folder("bake", {}, {})
    assert entry.main([str(folder)]) == 3
    assert error_of(folder)["hint"] == "known are curate, evaluate, generate, guard, scan, train"


def test_every_worker_of_the_table_has_a_file() -> None:
    room = Path(entry.__file__).parent
    assert all((room / f"{m.rpartition('.')[2]}.py").is_file() for m in entry.WORKERS.values())


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["/no/such/folder"]])
def test_wrong_usage_is_2(arguments, capsys) -> None:
    assert entry.main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def given(monkeypatch, work) -> None:
    monkeypatch.setattr(entry, "worker", lambda job_type: work)


def test_a_number_json_has_not_is_no_result(job_folder, monkeypatch) -> None:
    given(monkeypatch, lambda run: Outcome(measurements=(Measurement("x", float("nan"), 1),)))
    folder = job_folder("curate", {}, {})
    assert entry.main([str(folder)]) == 3
    assert "cannot be written" in error_of(folder)["message"]


def test_a_quality_failure_is_a_result(job_folder, monkeypatch) -> None:
    given(monkeypatch, lambda run: Outcome("quality_failed", "loss is not finite at step 3"))
    folder = job_folder("train", {}, {})
    assert entry.main([str(folder)]) == 0
    result = json.loads((folder / "result.json").read_text())
    assert (result["status"], result["reason"]) == (
        "quality_failed", "loss is not finite at step 3",
    )  # fmt: skip


def test_a_full_disk_is_an_error_with_its_story_in_the_log(job_folder, monkeypatch, capsys) -> None:
    def work(run: RunFolder) -> Outcome:
        raise OSError(28, "No space left on device", "x.bin")

    given(monkeypatch, work)
    folder = job_folder("curate", {}, {})
    assert entry.main([str(folder)]) == 3
    told = error_of(folder)["message"]
    assert told.startswith("cannot read or write x.bin: No space left on device, ")
    assert told.endswith(" bytes are free")
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_no_error_file_but_a_death(job_folder, monkeypatch) -> None:
    def work(run: RunFolder) -> Outcome:
        raise AssertionError("ours")

    given(monkeypatch, work)
    folder = job_folder("curate", {}, {})
    with pytest.raises(AssertionError):
        entry.main([str(folder)])
    assert not (folder / "error.json").exists()


def test_named_folders_and_all_files_are_artifacts(job_folder, monkeypatch) -> None:
    def work(run: RunFolder) -> Outcome:
        run.artifact("model/config.json").write_text("{}")
        run.artifact("model/weights.safetensors").write_bytes(b"123")
        return Outcome(artifacts=("model/",))

    given(monkeypatch, work)
    folder = job_folder("train", {}, {})
    assert entry.main([str(folder)]) == 0
    found = json.loads((folder / "result.json").read_text())["artifacts"]
    assert [(a["name"], a["size_bytes"]) for a in found] == [
        ("model", 5), ("model/config.json", 2), ("model/weights.safetensors", 3),
    ]  # fmt: skip
    assert found[0]["digest"] == digest.of_folder(folder / "artifacts" / "model")


def test_a_named_artifact_that_is_not_there_is_an_error(job_folder, monkeypatch) -> None:
    given(monkeypatch, lambda run: Outcome(artifacts=("adapter",)))
    folder = job_folder("train", {}, {})
    assert entry.main([str(folder)]) == 3
    assert "did not make: adapter" in error_of(folder)["message"]


def test_a_link_is_no_artifact(job_folder, monkeypatch) -> None:
    def work(run: RunFolder) -> Outcome:
        run.artifact("secret").symlink_to("/etc/hostname")
        return Outcome()

    given(monkeypatch, work)
    folder = job_folder("train", {}, {})
    assert entry.main([str(folder)]) == 3
    assert "secret is no plain file" in error_of(folder)["message"]


def test_what_a_killed_attempt_left_is_not_taken_for_ours(job_folder, monkeypatch) -> None:
    given(monkeypatch, lambda run: Outcome())
    folder = job_folder("train", {}, {})
    (folder / "artifacts").mkdir()
    (folder / "artifacts" / "half.bin").write_bytes(b"1")
    (folder / "error.json").write_text("{}")
    assert entry.main([str(folder)]) == 0
    assert json.loads((folder / "result.json").read_text())["artifacts"] == []
    assert not (folder / "error.json").exists()


def test_only_rank_0_writes_the_result(job_folder, monkeypatch) -> None:
    given(monkeypatch, lambda run: Outcome())
    folder = job_folder("train", {}, {})
    monkeypatch.setenv("RANK", "1")
    assert entry.main([str(folder)]) == 0
    assert not (folder / "result.json").exists()


def test_the_module_runs_as_a_process_and_imports_no_heavy_tool(job_folder, source) -> None:
    folder = job_folder("curate", SPEC, {"source/s": source})
    code = (
        "import sys; from llmops.workers.__main__ import main; code = main(sys.argv[1:]);"
        "heavy = {'torch', 'transformers', 'deepeval', 'numpy', 'pandas'} & set(sys.modules);"
        "sys.exit(code or (str(heavy) if heavy else 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    shown = subprocess.run(
        [sys.executable, "-m", "llmops.workers"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "RANK": "0"},
    )  # fmt: skip
    assert shown.returncode == 2


def _have(name: str) -> str:
    return entry._version(name)
