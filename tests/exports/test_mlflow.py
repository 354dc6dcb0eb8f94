"""Records as runs of a real MLflow store: once each, whole or made again, and nowhere else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmops.errors import ExportError, UsageError
from llmops.exports import mlflow
from llmops.exports.base import Record

RECORD = Record(
    key="sha256:" + "1" * 64,
    name="train/base sha256:11111111",
    parameters={f"training.p{i}": str(i) for i in range(150)},
    metrics={f"metric {i}": i / 2 for i in range(150)} | {"gate/a.b/require.low": 0.25},
    tags={"llmops.kind": "run", "llmops.tree": "a" * 40, "llmops.verdict": "passed"},
    good=True,
    started_ms=1_700_000_000_000,
    finished_ms=1_700_000_060_000,
    closure="sha256:" + "2" * 64,
)
OTHER = replace(RECORD, key="sha256:" + "3" * 64, good=False)


@pytest.fixture
def place(tmp_path: Path) -> mlflow.Target:
    return mlflow.target((tmp_path / "runs").as_uri(), "support", tmp_path)


def runs(place: mlflow.Target) -> list[Any]:
    """What MLflow's own client reads there."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=place.uri)
        found = client.search_runs([client.get_experiment_by_name(place.experiment).experiment_id])
    del os.environ["MLFLOW_ALLOW_FILE_STORE"]
    return sorted(found, key=lambda run: run.data.tags[mlflow.KEY])


def test_a_record_becomes_a_run_with_all_it_says(place: mlflow.Target, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n')
    sent = mlflow.send(place, [(RECORD, [file]), (OTHER, [])])
    assert (sent.added, sent.there, sent.moved) == (2, 0, 0)
    first, second = runs(place)
    assert first.data.params == RECORD.parameters
    assert first.data.metrics == RECORD.metrics
    assert RECORD.tags.items() <= first.data.tags.items()
    assert first.info.run_name == RECORD.name
    assert (first.info.start_time, first.info.end_time) == (RECORD.started_ms, RECORD.finished_ms)
    assert (first.info.status, second.info.status) == ("FINISHED", "FAILED")
    kept = Path(first.info.artifact_uri.removeprefix("file://"), "rows.jsonl")
    assert kept.read_text() == '{"a": 1}\n'


def test_a_second_export_adds_nothing(place: mlflow.Target) -> None:
    mlflow.send(place, [(RECORD, [])])
    before = runs(place)[0].to_dictionary()
    sent = mlflow.send(place, [(RECORD, [])])
    assert (sent.added, sent.there, sent.moved) == (0, 1, 0)
    assert [run.to_dictionary() for run in runs(place)] == [before]


def test_tags_follow_the_change_it_is_exported_with(place: mlflow.Target) -> None:
    mlflow.send(place, [(RECORD, [])])
    later = replace(RECORD, tags={**RECORD.tags, "llmops.tree": "b" * 40})
    sent = mlflow.send(place, [(later, [])])
    assert (sent.added, sent.there, sent.moved) == (0, 1, 1)
    [run] = runs(place)
    assert run.data.tags["llmops.tree"] == "b" * 40


def test_a_run_that_was_cut_short_is_made_again(
    place: mlflow.Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mlflow._parts

    def stops(values: list[Any]) -> Iterator[list[Any]]:
        yield from list(real(values))[:1]
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow, "_parts", stops)
        with pytest.raises(ExportError, match="no space left"):
            mlflow.send(place, [(RECORD, [])])
    sent = mlflow.send(place, [(RECORD, [])])
    assert sent.added == 1
    [run] = runs(place)
    assert run.data.params == RECORD.parameters


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("databricks", "no tracking address"),
        ("postgresql://db/x", "no tracking address"),
        ("https://me:hunter2@host/x", "no user and no password"),
        ("", "no tracking address"),
    ],
)
def test_an_address_that_is_none_is_refused(uri: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said) as found:
        mlflow.target(uri, "support", tmp_path)
    assert "hunter2" not in found.value.message + found.value.hint


def test_offline_means_that_no_server_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMOPS_OFFLINE", "1")
    place = mlflow.target("https://tracking.example/x", "support", tmp_path)
    with pytest.raises(ExportError, match=r"tracking\.example, but LLMOPS_OFFLINE=1"):
        mlflow.send(place, [])


ALONE = """
import socket, sys, time
asked = []
def refused(*words, **more):
    asked.append(str(words[0]))
    raise OSError("no network in this test")
socket.getaddrinfo = refused
from llmops.exports import mlflow
from llmops.exports.base import Record
from pathlib import Path
place = mlflow.target(sys.argv[1], "support", Path("."))
mlflow.send(place, [(Record("k", "n", {}, {}, {}, True, 0, 0), [])])
time.sleep(0.3)  # what else it would send, it sends from a thread of its own
print("asked", asked)
"""


def test_nothing_but_the_store_is_asked(place: mlflow.Target) -> None:
    """MLflow looks up a host for its own telemetry, but not under CI and not in a test."""
    hidden = ("CI", "PYTEST_", "GITHUB_", "DO_NOT_TRACK", "MLFLOW_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, place.uri],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "asked []\n"


def test_a_deleted_experiment_is_told(place: mlflow.Target) -> None:
    mlflow.send(place, [(RECORD, [])])
    with mlflow._quiet(place):
        client = mlflow._client(place.uri)
        client.delete_experiment(client.get_experiment_by_name("support").experiment_id)
    with pytest.raises(ExportError, match='"support" was deleted'):
        mlflow.send(place, [(RECORD, [])])


def test_without_mlflow_the_extra_is_named(
    place: mlflow.Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ExportError) as found:
        mlflow.send(place, [])
    assert found.value.hint == "in a clone of llmops: pip install '.[mlflow]'"


def test_a_server_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ExportError, match="MLflow refused"):
        mlflow.send(mlflow.target(uri, "support", tmp_path), [(RECORD, [])])
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"  # what somebody set stays


def test_what_mlflow_prints_is_not_our_output(
    place: mlflow.Target, capsys: pytest.CaptureFixture[str]
) -> None:
    with mlflow._quiet(place):
        print("View run at: http://…")
    assert capsys.readouterr().out == ""
