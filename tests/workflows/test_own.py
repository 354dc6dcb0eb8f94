"""This repository runs itself: its workflow calls the jobs that other repositories call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from llmops.jobs.tools import PINS
from llmops.workflows.templates import Choice, called, files

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"


def read(text: str) -> dict[str, Any]:
    return YAML(typ="safe").load(text)


def own() -> dict[str, Any]:
    return read((FOLDER / "llmops.yml").read_text("utf-8"))


def test_the_jobs_that_others_call_are_the_template() -> None:
    kept = (FOLDER / "llmops-jobs.yml").read_text("utf-8")
    assert kept == called("en", PINS["torch"]), "write it anew from workflows/templates.py"


def test_it_runs_when_the_template_does_and_one_at_a_time_like_it() -> None:
    template = read(files(Choice(), "en", PINS["torch"])[".github/workflows/llmops.yml"])
    for key in ("name", "on", "permissions", "concurrency"):
        assert own()[key] == template[key]


def test_it_grants_what_the_jobs_ask_for_and_not_more() -> None:
    jobs = read(called("en", PINS["torch"]))["jobs"]
    asked = {name: level for job in jobs.values() for name, level in job["permissions"].items()}
    assert asked | jobs["gate"]["permissions"] == own()["jobs"]["llmops"]["permissions"]
    assert own()["jobs"]["llmops"]["uses"] == "$/.github/workflows/llmops-jobs.yml"


def test_the_package_is_the_callers_variable() -> None:
    assert own()["jobs"]["llmops"]["with"] == {
        "package": "${{ vars.LLMOPS_PACKAGE }}", "root": "${{ vars.LLMOPS_ROOT }}",
    }  # fmt: skip
    assert "vars." not in called("en", PINS["torch"])


def test_the_action_takes_no_secret_and_no_token() -> None:
    text = (ROOT / ".github" / "actions" / "llmops" / "action.yml").read_text("utf-8")
    action = read(text)
    assert set(action["inputs"]) == {"package", "command"}
    assert "token" not in text.replace("no token is given", "")
    assert all("${{" not in step.get("run", "") for step in action["runs"]["steps"])
