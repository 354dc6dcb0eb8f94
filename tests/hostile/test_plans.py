"""Plans that were changed by hand: what they run becomes evidence, so they run nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edit = Callable[[dict[str, Any]], None]


def _job(plan: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        s["job"] for s in plan["steps"] if s["job"]["type"] == kind and s["job"]["side"] == "head"
    )
    return found


def _spec(plan: dict[str, Any]) -> None:
    _job(plan, "train")["spec"]["training"]["max_steps"] = 1


def _checks(plan: dict[str, Any]) -> None:
    _job(plan, "evaluate")["spec"]["expected"] = "question"


def _aside(plan: dict[str, Any]) -> None:
    _job(plan, "curate")["inputs"][0]["file"] = "/etc/passwd"


def _processes(plan: dict[str, Any]) -> None:
    _job(plan, "train")["resources"]["processes"] = 100_000


def _closure(plan: dict[str, Any]) -> None:
    _job(plan, "train")["closure"] = "sha256:" + "0" * 64


def _traversal(plan: dict[str, Any]) -> None:
    _job(plan, "train")["closure"] = "sha256:" + "../" * 21 + "a"


def _needs(plan: dict[str, Any]) -> None:
    job = _job(plan, "train")
    job["needs"] = [job["closure"]]


def _tools(plan: dict[str, Any]) -> None:
    _job(plan, "train")["tools"] = {}


@pytest.mark.parametrize(
    "edit", [_spec, _checks, _aside, _processes, _closure, _traversal, _needs, _tools]
)
def test_a_job_that_its_trees_do_not_make_is_not_run(llmops, bank, tmp_path: Path, edit: Edit):
    file = tmp_path / "plan.json"
    assert llmops("plan", "-C", bank.path, "--head", "change", "--out", file).code == 0
    plan = json.loads(file.read_text())
    edit(plan)
    file.write_text(json.dumps(plan))
    said = llmops("run", "-C", bank.path, "--accept-undecidable", file)
    assert said.code == 2
    assert "the plan was edited: its trees make no such" in said.err
    assert not (bank.path / "reports").exists()


def test_a_plan_of_one_evaluation_is_its_own(llmops, bank, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    words = ("--select", "Evaluation/quality", "--no-reuse")
    llmops("plan", "-C", bank.path, "--head", "change", "--out", file, *words)
    assert llmops("run", "-C", bank.path, "--accept-undecidable", file).code == 0


def test_a_plan_whose_tree_is_gone_is_wrong_usage(llmops, bank, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    llmops("plan", "-C", bank.path, "--head", "change", "--out", file)
    for tree in ("0" * 40, "--help", "main:specs", "../x"):
        plan = json.loads(file.read_text())
        plan["head"]["tree"] = tree
        (tmp_path / "other.json").write_text(json.dumps(plan))
        said = llmops("run", "-C", bank.path, tmp_path / "other.json")
        assert said.code == 2
        assert said.err.startswith("llmops: error: ")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000, b"NaN"])
def test_what_is_no_plan_is_wrong_usage(llmops, bank, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    assert llmops("run", "-C", bank.path, tmp_path / "plan.json").code == 2
    assert llmops("run", "-C", bank.path, tmp_path).code == 2


def test_a_plan_of_another_version_is_wrong_usage(llmops, bank, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    llmops("plan", "-C", bank.path, "--head", "change", "--out", file)
    for key, value in (("format_version", 2), ("tool_version", "9.9.9")):
        plan = json.loads(file.read_text()) | {key: value}
        (tmp_path / "other.json").write_text(json.dumps(plan))
        said = llmops("run", "-C", bank.path, tmp_path / "other.json")
        assert said.code == 2
        assert str(value) in said.err
        assert "plan again" in said.err
