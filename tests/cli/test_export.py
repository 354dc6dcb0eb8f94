"""`llmops export mlflow`: kept evidence as runs of a real MLflow database on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.evidence.store import Store
from tests.conftest import GitRepo

WORDS = ("--head", "change", "--now", "2026-11-23T08:00:00Z")
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def runs(database: Path, experiment: str) -> list[Any]:
    """What MLflow's own client reads in the database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{database}")
        found = client.get_experiment_by_name(experiment)
        return list(client.search_runs([found.experiment_id]))


def test_evidence_and_verdict_are_exported_once(llmops: Run, bank: GitRepo) -> None:
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    said = llmops("export", "mlflow", "-C", bank.path, *WORDS, "--artifacts", "rows")
    assert said.code == 0, said.err
    assert said.err == ""
    assert 'experiment "repo" here: 9 runs added, 0 there already' in said.out
    found = runs(bank.path / "reports/mlflow.db", "repo")
    kept = {e.digest: e for e in Store(bank.path / "reports").proven().values()}
    by_evidence = {run.data.tags["llmops.evidence"]: run for run in found}
    [verdict] = [r for r in found if r.data.tags["llmops.kind"] == "verdict"]
    assert set(by_evidence) == {*kept, verdict.data.tags["llmops.evidence"]}
    assert verdict.data.tags["llmops.verdict"] == "passed"
    for digest, evidence in kept.items():
        run = by_evidence[digest]
        assert run.data.tags["llmops.closure"] == evidence.closure
        files = {path.name for path in Path(run.info.artifact_uri[7:]).iterdir()}
        assert f"{digest[7:]}.json" in files
        assert ("rows.jsonl" in files) == (evidence.type == "evaluate")
        for one in evidence.result.measurements:
            assert run.data.metrics[one.metric] == one.value
            assert run.data.metrics[f"{one.metric}.n"] == one.sample_size
    again = llmops("export", "mlflow", "-C", bank.path, *WORDS)
    assert "0 runs added, 9 there already, 0 of them with newer tags" in again.out
    assert len(runs(bank.path / "reports/mlflow.db", "repo")) == 9


def test_rows_that_are_personal_go_to_no_server(llmops: Run, bank: GitRepo) -> None:
    file = bank.path / "specs/datasets/bank.yaml"
    file.write_text(file.read_text().replace("spec:\n", "spec:\n  sensitivity: personal\n"))
    words = ("--tracking-uri", "https://tracking.example", "--artifacts", "rows")
    said = llmops("export", "mlflow", "-C", bank.path, *words)
    assert said.code == 2
    assert "Dataset/bank is personal, so its rows go to no server" in said.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--tracking-uri", "ftp://x"), 2, "is no tracking address"),
        (("--experiment", " "), 2, "is no name"),
        (("--tracking-uri", "https://tracking.example", "--offline"), 3, "LLMOPS_OFFLINE=1"),
    ],
)
def test_wrong_words_are_told(
    llmops: Run, bank: GitRepo, words: tuple[str, ...], code: int, said: str
) -> None:
    found = llmops("export", "mlflow", "-C", bank.path, *words)
    assert found.code == code
    assert said in found.err
