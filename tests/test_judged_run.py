"""A judge from the text to the verdict: real workers, a server on loopback, a small repository."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops.cli.main import main
from tests.conftest import GitRepo
from tests.openai_server import serving
from tests.trees import spec
from tests.workers.judging import GOOD

KEY = "sk-judge-0123456789abcdef"
ROWS = "".join(
    json.dumps({"question": f"How are you, {i}?", "answer": "well"}) + "\n" for i in range(60)
)


def tree(base_url: str, **judge: Any) -> dict[str, str]:
    """A random model that is asked, and an Evaluation that a served judge decides."""
    how = "".join(f", {name}: {value}" for name, value in judge.items())
    return {
        ".gitignore": "reports/\n",
        "specs/data/rows.jsonl": ROWS,
        "specs/datasets/chat.yaml": spec(
            "Dataset", "chat",
            "purpose: [evaluation]\nformat: qa\nresidency: [CN]\nsources:\n"
            "  - {name: ours, file: specs/data/rows.jsonl, license: MIT, origin: synthetic}",
        ),
        "specs/models/tiny.yaml": spec(
            "Model", "tiny",
            "license: MIT\ninit:\n  architecture: {model_type: llama, hidden_size: 16,"
            " intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2,"
            " num_key_value_heads: 2, max_position_embeddings: 128}\n"
            "  tokenizer: {train: {algorithm: byte_level_bpe, vocab_size: 300, data: chat}}",
        ),
        "specs/models/judge.yaml": spec(
            "Model", "judge",
            f"license: MIT\nendpoint: {{protocol: openai, base_url: '{base_url}',"
            " model: judge-2026-08-14, api_key: {secret: JUDGE_KEY}, limits: {max_retries: 0}}",
        ),
        "specs/evaluations/kindness.yaml": spec(
            "Evaluation", "kindness",
            "target: Model/tiny\ndataset: chat\ngeneration: {max_tokens: 4, temperature: 0.0}\n"
            f"judge: {{model: judge{how}}}\nchecks:\n"
            "  - {name: kind, metric: deepeval/g_eval, require: {min: 0.5},"
            " with: {evaluation_steps: [look for kindness]}}",
        ),
        "policies/main.yaml": spec(
            "Policy", "main",
            "rules:\n  - {name: places, rule: residency}\n"
            "  - {name: evidence, rule: evidence-present, with: {kinds: [Evaluation]}}",
        ),
    }  # fmt: skip


@pytest.fixture
def world(
    git_repo: Callable[..., GitRepo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., GitRepo]:
    """A repository of a tree; nothing of the machine's settings, offline, and the judge's key."""
    monkeypatch.setenv("LLMOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LLMOPS_OFFLINE", "1")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("JUDGE_KEY", KEY)

    return lambda base_url: git_repo(tree(base_url))


def types(repo: GitRepo) -> list[str]:
    """The job types that have run folders, one for each."""
    found = (json.loads(p.read_bytes()) for p in repo.path.glob("reports/runs/*/job.json"))
    return sorted(job["type"] for job in found)


def test_a_judge_is_asked_once_and_its_word_is_kept_and_decides(
    world: Callable[..., GitRepo], capfd: pytest.CaptureFixture[str]
) -> None:
    answers = {"says": GOOD}

    def replies(_request: Mapping[str, Any]) -> str:
        return answers["says"]

    with serving(replies) as server:
        repo = world(server.base_url)
        assert main(["run", "-C", str(repo.path)]) == 0, capfd.readouterr().err
        assert types(repo) == ["curate", "evaluate", "generate"]
        assert len(server.requests) == 60
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
        assert main(["gate", "-C", str(repo.path)]) == 0
        said = capfd.readouterr().out
        assert "judged by Model/judge" in said
        assert main(["run", "-C", str(repo.path)]) == 0
        assert len(server.requests) == 60  # kept: not asked again

        answers["says"] = "As an AI I would rather not say."
        repo.write(tree(server.base_url, repeats=2))  # another judging of the same responses
        assert main(["run", "-C", str(repo.path), "--accept-undecidable"]) == 0
        assert types(repo) == ["curate", "evaluate", "evaluate", "generate"]
        assert len(server.requests) == 120
        assert main(["gate", "-C", str(repo.path)]) == 1
        assert "Verdict: inconclusive" in capfd.readouterr().out
    kept = [p.read_text() for p in repo.path.glob("reports/runs/*/artifacts/judgements.jsonl")]
    valid = [[json.loads(line)["valid"] for line in text.splitlines()] for text in kept]
    assert sorted(valid) == [[False] * 60, [True] * 60]
    everything = b"".join(p.read_bytes() for p in repo.path.rglob("*") if p.is_file())
    assert KEY.encode() not in everything


def test_without_its_key_nothing_is_asked_and_the_secret_is_named(
    world: Callable[..., GitRepo],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JUDGE_KEY")
    with serving(lambda _request: GOOD) as server:
        repo = world(server.base_url)
        assert main(["run", "-C", str(repo.path)]) == 3
    said = capfd.readouterr()
    assert "needs the secret JUDGE_KEY, which is not set" in said.out + said.err
    assert not server.requests


@pytest.mark.slow
def test_a_judge_elsewhere_is_not_asked_offline_and_fails_residency(
    world: Callable[..., GitRepo], capfd: pytest.CaptureFixture[str]
) -> None:
    repo = world("https://judge.example.org/v1")
    assert main(["validate", "-C", str(repo.path)]) == 1
    assert "served in an unnamed place" in capfd.readouterr().out
    assert main(["run", "-C", str(repo.path)]) == 3
    said = capfd.readouterr()
    assert "asks the judge at judge.example.org:443, but LLMOPS_OFFLINE=1" in said.out + said.err
