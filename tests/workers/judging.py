"""One evaluate job whose judge is the server of the tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops import digest
from llmops.jobs.base import SECRET_PREFIX
from llmops.workers import evaluate
from llmops.workers.contract import Outcome, open_run
from tests.openai_server import Raw, Server, serving

MODEL = "judge-2026-08-14"
STEPS = {"evaluation_steps": ["look for kindness"]}
KIND = ({"name": "kind", "metric": "deepeval/g_eval", "with": STEPS},)
GOOD = '{"reason": "polite words", "score": 8}'
# What a judge that finds nothing wrong says to each schema of the library.
SOUND: Mapping[str, Mapping[str, Any]] = {
    "Opinions": {"opinions": ["an opinion"]},
    "Statements": {"statements": ["a statement"]},
    "Truths": {"truths": ["a truth"]},
    "Claims": {"claims": ["a claim"]},
    "Steps": {"steps": ["look for kindness"]},
    "ReasonScore": {"reason": "polite words", "score": 8},
    "ExtractedPII": {"extracted_pii": ["a name"]},
    "Misuses": {"misuses": ["a misuse"]},
    "RoleViolations": {"role_violations": ["a slip"]},
    "Advices": {"advices": ["an advice"]},
}
Reply = str | Raw


def step(request: Mapping[str, Any]) -> str:
    """The schema that a request asks for."""
    name: str = request["response_format"]["json_schema"]["name"]
    return name


def sound(request: Mapping[str, Any], verdict: str = "no") -> str:
    """A sound answer to any question, with one verdict."""
    said = {**SOUND, "Verdicts": {"verdicts": [{"verdict": verdict, "reason": "so it is"}]}}
    return json.dumps(said[step(request)])


@dataclass(frozen=True)
class Judged:
    """What came of a job."""

    folder: Path
    outcome: Outcome
    server: Server

    def _lines(self, name: str) -> list[dict[str, Any]]:
        text = (self.folder / "artifacts" / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self._lines("rows.jsonl")

    @property
    def judgements(self) -> list[dict[str, Any]]:
        return self._lines("judgements.jsonl")

    @property
    def anchors(self) -> list[dict[str, Any]]:
        return self._lines("anchors.jsonl")

    def cells(self, check: str = "kind") -> dict[str, dict[str, Any]]:
        """Cells by the case's question."""
        return {row["input"]: row["cells"][check] for row in self.rows}

    @property
    def cell(self) -> dict[str, Any]:
        """The only cell."""
        ((_, cell),) = self.cells().items()
        return cell

    def written(self) -> str:
        """Every byte below the run folder, but for the job itself."""
        files = [p for p in self.folder.rglob("*") if p.is_file() and p.name != "job.json"]
        return "\n".join(p.read_bytes().decode("utf-8", "replace") for p in files)


def judge(
    tmp_path: Path,
    replies: Callable[[Mapping[str, Any]], Reply],
    *,
    checks: Sequence[Mapping[str, Any]] = KIND,
    rated: Sequence[Mapping[str, Any]] = (),
    cases: Sequence[Mapping[str, Any]] = ({"question": "How are you?", "answer": "Well."},),
    response: str = "Very well, thank you.",
    responses: Mapping[str, str] | None = None,
    limits: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    monkeypatch: Any = None,
    **more: Any,
) -> Judged:
    """Judges cases that all have one response (or `responses` by question), and rated rows."""
    from tests.workers.conftest import write_job

    number = len(list(tmp_path.glob("run*")))
    inputs = {name: tmp_path / f"{number}-{name}.jsonl" for name in ("cases", "responses")}
    whole = []
    for case in cases:
        name = digest.of_value(dict(case))
        whole.append({**case, "case": name, "id": name[7:23]})
    said = responses or {}
    given = [
        {"id": c["id"], "case": c["case"], "response": said.get(c["question"], response)}
        for c in whole
    ]
    anchors = [{**row, "case": digest.of_value(dict(row))} for row in rated]
    anchors = [{"id": row["case"][7:23], **row} for row in anchors]
    if rated:
        inputs["anchors"] = tmp_path / f"{number}-anchors.jsonl"
    for name, lines in (("cases", whole), ("responses", given), ("anchors", anchors)):
        if name not in inputs:
            continue
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        inputs[name].write_text(text, encoding="utf-8")
    for name, value in (secrets or {}).items():
        monkeypatch.setenv(f"{SECRET_PREFIX}{name}", value)
        for stream in ("stdout", "stderr"):  # which the job guards: put back after the test
            monkeypatch.setattr(sys, stream, getattr(sys, stream))
    with serving(replies) as server:
        endpoint = {
            "base_url": server.base_url, "model": MODEL, "response_format": "json_schema",
            **more.pop("endpoint", {}),
        }  # fmt: skip
        how = {"repeats": 1, "temperature": 0.0, "max_tokens": 64, **more.pop("judge", {})}
        access = {"limits": {"max_retries": 0, **(limits or {})}, "api_key": more.pop("key", None)}
        spec = {
            "format": "qa", "expected": "answer", "checks": list(checks),
            "judge": {**how, "endpoint": endpoint}, "judge_access": access,
            "judge_name": "Model/served", "secrets": sorted(secrets or {}), **more,
        }  # fmt: skip
        folder = write_job(tmp_path / f"run{number}", "evaluate", spec, inputs)
        return Judged(folder, evaluate.work(open_run(folder)), server)
