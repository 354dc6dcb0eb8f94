"""Annotations: on lines that a reviewer sees, the worst first, on no path but a file's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.jobs.base import PlannedGate
from llmops.reports import github_annotations as annotations
from llmops.reports.escape import is_path
from llmops.rules.base import Outcome
from tests.reports import pulls
from tests.reports.conftest import CHANGES, FAILED, FINE, SPEC, UNSURE, a_plan, a_verdict, require

RECIPE = pulls.RECIPE


def places(found: tuple) -> list[tuple[str, int, str]]:
    return [(one["path"], one["start_line"], one["annotation_level"]) for one in found]


def test_changed_lines_come_first_then_claims_and_warnings_last() -> None:
    warned = require("tone", Outcome.WARNED, 0.79, place=f"{SPEC}:30:1")
    verdict = a_verdict(Outcome.FAILED, replace(FAILED, causes=pulls.CAUSES), UNSURE, warned, FINE)
    assert places(annotations.of_verdict(verdict)) == [
        (RECIPE, 12, "failure"), (RECIPE, 16, "failure"), (SPEC, 14, "failure"),
        (SPEC, 14, "failure"), (SPEC, 30, "warning"),
    ]  # fmt: skip


def test_a_failure_comes_before_the_changed_line_of_a_warning() -> None:
    warned = require("tone", Outcome.WARNED, 0.79, causes=pulls.CAUSES)
    found = annotations.of_verdict(a_verdict(Outcome.FAILED, FAILED, warned))
    assert [one["annotation_level"] for one in found] == ["failure"] + ["warning"] * 3


def test_sixty_findings_below_one_line_are_one_annotation_there() -> None:
    found = annotations.of_verdict(pulls.JUDGED["60-findings-in-one-file"])
    first, second, *claims = found
    assert (first["path"], first["start_line"]) == (RECIPE, 12)
    assert first["title"] == "60 gates may rest on this line"
    assert first["message"].split("\n")[0] == "changed here: Recipe/support-lora lora.r"
    assert first["message"].endswith("… 54 more")
    assert second["start_line"] == 16
    assert len(claims) == 60


def test_no_more_than_a_check_shows_and_the_worst_of_them() -> None:
    mild = [require(f"w{i}", Outcome.WARNED, 0.7) for i in range(300)]
    bad = [require(f"x{i}", Outcome.FAILED, 0.5) for i in range(150)]
    found = annotations.of_verdict(a_verdict(Outcome.FAILED, *mild, *bad))
    assert len(found) == 200
    assert [one["annotation_level"] for one in found] == ["failure"] * 150 + ["warning"] * 50


def test_a_claim_that_base_judged_stands_where_head_has_it() -> None:
    """The pull request shows head's lines: base's number there is another line."""
    here = PlannedGate(
        FAILED.gate, "require", "accuracy min 0.8", "head", "sha256:e", place=f"{SPEC}:19:9"
    )
    plan = a_plan(gates=(here,))
    (found,) = annotations.of_verdict(a_verdict(Outcome.FAILED, FAILED, plan=plan))
    assert (found["path"], found["start_line"], found["start_column"]) == (SPEC, 19, 9)


def test_a_file_that_head_removes_bears_none() -> None:
    gone = replace(FAILED, place="specs/datasets/old.yaml:3:1")
    plan = a_plan(changes=CHANGES)
    assert annotations.of_verdict(a_verdict(Outcome.FAILED, gone, plan=plan)) == ()


def test_the_line_of_a_policy_that_asks_is_annotated() -> None:
    found = annotations.of_verdict(pulls.JUDGED["waiting-for-approval"])
    assert ("policies/default.yaml", 21, "failure") in places(found)


def test_diagnostics_stand_on_their_lines_errors_first() -> None:
    info = Diagnostic(Span("specs/a.yaml", 1), "told", "m", severity=Severity.INFO)
    found = annotations.of_diagnostics((*reversed(pulls.MISTAKES), info))
    assert places(found) == [
        (RECIPE, 12, "failure"), ("specs/releases/support.yaml", 9, "failure"),
        ("specs/推荐.yaml", 1, "warning"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["specs/a.yaml", "specs/客服 提示.yaml", "policies/a-b_c.d.yaml", "a", ".github/x.yml"],
)  # fmt: skip
def test_a_path_of_a_file_is_safe(path: str) -> None:
    assert is_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", ".git/config", ".GIT/config",
     "a\\b", "C:/x", "a\nb", "a\u202eb", "a\u200bb", "\ud800", " a", "a ", "a\x00", "x" * 1_001,
     "e\u0301.yaml"],
)  # fmt: skip
def test_a_path_that_could_be_anything_else_is_not(path: str) -> None:
    assert not is_path(path)
    named = Diagnostic(Span(path, 1), "rule", "m")
    assert annotations.of_diagnostics([named]) == ()


def test_a_line_of_any_size_is_a_number_that_githubs_schema_takes() -> None:
    found = annotations.of_diagnostics([Diagnostic(Span("a", 10**30, 10**30), "r", "m")])
    (one,) = found
    assert one["start_line"] == one["end_line"] < 2**31
    assert json.loads(json.dumps(one)) == one
