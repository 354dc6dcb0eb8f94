"""Artifacts as workers write them become values; damaged ones become gaps, never numbers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmops.dossier import gather
from llmops.errors import StoreError
from llmops.jobs.base import Artifact, Job, Step
from llmops.reports.report import Gap, Report
from llmops.rules.base import Outcome
from llmops.specs.base import Ref
from tests.reports.conftest import a_plan, a_verdict, sha

LOG = '{"step": 10, "loss": 0.5}\n{"step": 1, "loss": 3.25}\n'
FUNNEL = [
    {"step": "read a", "rows_in": 9, "rows_out": 8, "dropped": 1, "sample": ["a:1"]},
    {"step": "parts", "rows_in": 8, "rows_out": 8, "dropped": 0, "sample": [], "found": 2},
]
CONFUSION = {"labels": ["a", "b"], "counts": [[3, 1], [0, 4]], "other": [0, 1], "invalid": [1, 0]}
FINDING = {
    "severity": "high",
    "group": "Performance",
    "description": "worse",
    "metric": "Recall",
    "value": 0.25,
    "slice": "x == 1",
    "cases": 40,
    "examples": [{"text": "hi"}, "plain"],
}
SCAN = {"detector": "performance_bias", "status": "ok", "reason": "", "cases": 200, "errors": 0,
        "findings": [FINDING]}  # fmt: skip
RESPONSES = [
    {"id": "1", "response": "x", "blocked": True, "guard": [{"action": "block"}]},
    {"id": "2", "response": "y", "blocked": False, "guard": [{"action": "mask"}]},
    {"id": "3", "response": "z", "blocked": False, "guard": []},
]


class Kept:
    """A store in which one job of each named type kept one artifact."""

    def __init__(self, folder: Path, files: dict[str, tuple[str, str]]) -> None:
        self.folder = folder
        self.files = {sha(str(i)): (t, *files[t]) for i, t in enumerate(files)}
        for closure, (_, name, text) in self.files.items():
            (folder / closure).mkdir()
            (folder / closure / name).write_text(text, encoding="utf-8")

    def steps(self) -> tuple[Step, ...]:
        test = {"test": {"name": "attacks", "expect": "block"}}
        return tuple(
            Step(Job(kind, Ref("Recipe", "x"), closure, test), "reuse", "")  # type: ignore[arg-type]
            for closure, (kind, _, _) in self.files.items()
        )

    def evidence(self, closure: str) -> Any:
        _, name, _ = self.files[closure]
        result = SimpleNamespace(
            reason="", measurements=(), artifacts=(Artifact(name, sha("d"), 1),), environment={},
            resources_used={"wall_seconds": 2.0},
        )  # fmt: skip
        return SimpleNamespace(closure=closure, digest=sha("e"), status="ok", result=result)

    def artifact(self, closure: str, name: str) -> Path:
        path = self.folder / closure / name
        if not path.exists():
            raise StoreError("gone")
        return path

    def read(self, closure: str, name: str) -> bytes:
        return self.artifact(closure, name).read_bytes()


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def told(folder: Path, rows: Any = None, **files: tuple[str, str]) -> Report:
    store = Kept(folder, files)
    verdict = a_verdict(Outcome.WARNED, plan=a_plan(steps=store.steps()))
    return gather(store, verdict, (), lambda _closure: rows)  # type: ignore[arg-type]


def test_every_artifact_is_read_as_its_worker_wrote_it(tmp_path: Path) -> None:
    report = told(
        tmp_path,
        train=("trainer_log.jsonl", LOG),
        curate=("funnel.json", json.dumps(FUNNEL)),
        evaluate=("confusion.json", json.dumps(CONFUSION)),
        scan=("findings.jsonl", lines(SCAN)),
        generate=("responses.jsonl", lines(*RESPONSES)),
    )
    assert report.gaps == ()
    assert report.curves[0].points == ((1, 3.25), (10, 0.5))
    assert [step.found for step in report.funnels[0].steps] == [None, 2]
    assert report.confusions[0].counts == ((3, 1), (0, 4))
    (weak,) = report.scans[0].detectors[0].findings
    assert (weak.value, weak.cases, weak.examples) == (0.25, 40, ('{"text": "hi"}', "plain"))
    filtered = report.filtered[0]
    assert (filtered.cases, filtered.blocked, filtered.masked) == (3, 1, 1)
    assert report.kept[0].resources == {"wall_seconds": 2.0}


def test_an_application_without_guardrails_filters_nothing(tmp_path: Path) -> None:
    plain = lines({"id": "1", "response": "x"})
    assert told(tmp_path, generate=("responses.jsonl", plain)).filtered == ()


def test_a_guardrail_test_counts_errors_as_neither(tmp_path: Path) -> None:
    cells = [{"value": 1.0, "valid": True}, {"value": 0.0, "valid": True},
             {"value": None, "valid": False, "reason": "no"}, {}]  # fmt: skip
    rows = [{"id": str(i), "cells": {"attacks": cell}} for i, cell in enumerate(cells)]
    (test,) = told(tmp_path, rows, guard=("rows.jsonl", "")).guards
    assert (test.cases, test.as_expected, test.errors) == (4, 1, 2)
    assert (test.name, test.expect) == ("x/attacks", "block")


def test_rows_that_cannot_be_read_are_a_gap(tmp_path: Path) -> None:
    report = told(tmp_path, None, guard=("rows.jsonl", ""))
    assert report.guards == ()
    assert report.gaps == (Gap("guard/x", "rows.jsonl", "why_gone"),)


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("train", "trainer_log.jsonl", ""),
        ("train", "trainer_log.jsonl", '{"step": 1, "loss": NaN}\n'),
        ("train", "trainer_log.jsonl", '{"step": true, "loss": 1}\n'),
        ("train", "trainer_log.jsonl", "[1]\n"),
        ("curate", "funnel.json", "[1]"),
        ("curate", "funnel.json", '[{"step": "a", "rows_in": -1, "rows_out": 0, "dropped": 0}]'),
        ("curate", "funnel.json", "7"),
        ("evaluate", "confusion.json", json.dumps({**CONFUSION, "counts": [[1]]})),
        ("evaluate", "confusion.json", json.dumps({**CONFUSION, "labels": []})),
        ("evaluate", "confusion.json", "[" * 100_000),
        ("scan", "findings.jsonl", lines({**SCAN, "cases": "many"})),
        ("scan", "findings.jsonl", lines({**SCAN, "findings": [{"severity": "high"}]})),
        ("scan", "findings.jsonl", lines("performance_bias")),
    ],
)
def test_what_has_another_shape_is_a_gap_and_no_number(
    tmp_path: Path, kind: str, name: str, text: str
) -> None:
    report = told(tmp_path, **{kind: (name, text)})
    assert report.gaps == (Gap(f"{kind}/x", name, "why_unreadable"),)
    found = (report.curves, report.funnels, report.confusions, report.scans)
    assert found == ((), (), (), ())


def test_an_artifact_that_is_gone_is_a_gap(tmp_path: Path) -> None:
    store = Kept(tmp_path, {"curate": ("funnel.json", "[]")})
    next(tmp_path.rglob("funnel.json")).unlink()
    verdict = a_verdict(Outcome.WARNED, plan=a_plan(steps=store.steps()))
    report = gather(store, verdict, (), lambda _closure: None)  # type: ignore[arg-type]
    assert report.gaps == (Gap("curate/x", "funnel.json", "why_gone"),)
