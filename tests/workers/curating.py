"""Datasets curated for tests: sources in, what came out by part and by step of the funnel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmops.workers import curate
from llmops.workers.contract import Outcome, RunFolder, open_run

ALL = {"method": "hash", "seed": 0, "parts": {"all": 1.0}}


class Curated:
    """What came out: parts by name, the funnel by step, and the outcome."""

    def __init__(self, outcome: Outcome, run: RunFolder) -> None:
        root = run.path / "artifacts"
        self.outcome = outcome
        self.parts = {
            p.stem: [json.loads(text) for text in p.read_text(encoding="utf-8").splitlines()]
            for p in sorted((root / "parts").iterdir())
        }
        self.digests = {
            p.stem: [json.loads(text) for text in p.read_text(encoding="utf-8").splitlines()]
            for p in sorted((root / "digests").iterdir())
        }
        self.funnel = {s["step"]: s for s in json.loads((root / "funnel.json").read_bytes())}

    @property
    def all(self) -> list[dict[str, Any]]:
        return self.parts["all"]


def curator(write_job: Callable[..., Path], tmp_path: Path) -> Callable[..., Curated]:
    """Curates sources given as {file name: bytes or rows}; `more` are fields of the dataset.

    `against`: curated rows of other datasets, by the name of the input.
    """

    def do(
        sources: dict[str, Any], *, against: dict[str, list[dict[str, Any]]] | None = None, **more
    ) -> Curated:
        number = len(list(tmp_path.glob("run*")))
        inputs, declared = {}, []
        for file, content in sources.items():
            name, _, media = file.partition(".")
            path = tmp_path / f"{number}-{file}"
            path.write_bytes(content if isinstance(content, bytes) else jsonl(content))
            inputs[f"source/{name}"] = path
            declared.append({"name": name, "media": media})
        for name, rows in (against or {}).items():
            inputs[name] = tmp_path / f"{number}-{name.replace('/', '-')}.jsonl"
            inputs[name].write_bytes(jsonl(rows))
        dataset = {"name": "bank", "format": "qa", "sources": declared, "splits": ALL, **more}
        folder = write_job(tmp_path / f"run{number}", "curate", {"dataset": dataset}, inputs)
        run = open_run(folder)
        return Curated(curate.work(run), run)

    return do


def jsonl(values: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(v, ensure_ascii=False).encode() + b"\n" for v in values)


def qa(number: int, **more: Any) -> dict[str, Any]:
    return {"question": f"问题 {number}?", "answer": f"label_{number % 3}", **more}
