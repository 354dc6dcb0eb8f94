"""A model of ours as the judge: one that knows nothing gives no judgement, never a score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmops import digest
from llmops.workers import answer, evaluate
from llmops.workers.contract import open_run
from tests.workers.judging import GOOD, KIND

ARCHITECTURE = {
    "model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
    "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 2048,
}  # fmt: skip
INIT = {
    "architecture": ARCHITECTURE,
    "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 300}},
    "format": "qa", "seed": 0,
}  # fmt: skip


def job(kit: Any, tmp_path: Path, repeats: int = 1, **judge: Any) -> Path:
    rows = [{"question": f"How are you, {i}?", "answer": "well"} for i in range(3)]
    cases = kit.write_rows(tmp_path / "cases.jsonl", rows)
    lines = [json.loads(line) for line in cases.read_text().splitlines()]
    said = tmp_path / "responses.jsonl"
    given = [{"id": c["id"], "case": c["case"], "response": "Very well."} for c in lines]
    said.write_text("".join(json.dumps(line) + "\n" for line in given))
    how = {"repeats": repeats, "temperature": 0.0, "max_tokens": 12, "base": {"init": INIT}}
    spec = {
        "format": "qa", "expected": "answer", "checks": list(KIND), "judge": {**how, **judge},
        "judge_name": "Model/tiny",
    }  # fmt: skip
    inputs = {"cases": cases, "responses": said, "judge/tokenizer": cases}
    name = f"run{len(list(tmp_path.glob('run*')))}"
    return kit.write_job(tmp_path / name, "evaluate", spec, inputs)


def kept(folder: Path, name: str) -> list[dict[str, Any]]:
    text = (folder / "artifacts" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_random_model_judges_nothing_and_twice_the_same(kit, tmp_path: Path) -> None:
    said = []
    for _ in range(2):
        folder = job(kit, tmp_path, repeats=2)
        out = evaluate.work(open_run(folder))
        measured = {m.metric: m.value for m in out.measurements}
        assert measured == {"kind/invalid": 3.0}
        rows = kept(folder, "rows.jsonl")
        assert all(row["cells"]["kind"]["reason"].startswith("repeat 1 of 2") for row in rows)
        judgements = kept(folder, "judgements.jsonl")
        assert len(judgements) == 3
        assert not any(j["valid"] for j in judgements)
        assert all(j["raw"] for j in judgements)
        said.append([j["raw"] for j in judgements])
    assert said[0] == said[1]


def test_a_question_that_is_longer_than_the_model_is_an_invalid_cell(kit, tmp_path: Path) -> None:
    folder = job(kit, tmp_path, max_tokens=2048)
    evaluate.work(open_run(folder))
    reasons = {row["cells"]["kind"]["reason"] for row in kept(folder, "rows.jsonl")}
    assert all("exceed 2048 positions" in reason for reason in reasons)


def test_a_model_that_answers_as_asked_is_believed(
    kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def good(self: Any, cases: Any, told: Any = None) -> list[answer.Response]:
        return [answer.Response("", c["case"], response=GOOD, output_tokens=9) for c in cases]

    monkeypatch.setattr(answer.Target, "answer", good)
    folder = job(kit, tmp_path)
    evaluate.work(open_run(folder))
    assert {row["cells"]["kind"]["value"] for row in kept(folder, "rows.jsonl")} == {0.8}


def test_the_prompt_of_a_question_is_kept_by_its_digest(kit, tmp_path: Path) -> None:
    folder = job(kit, tmp_path)
    evaluate.work(open_run(folder))
    prompts = {j["prompt"] for j in kept(folder, "judgements.jsonl")}
    assert len(prompts) == 3
    assert all(digest.PATTERN.fullmatch(prompt) for prompt in prompts)
