from __future__ import annotations

import pytest

from llmops.evidence.committed import committed


def test_a_tree_without_evidence_has_no_mistake() -> None:
    files = ["specs/a.yaml", "reports/README.md", "reports/.gitignore", "reports-old/runs/x"]
    assert committed(files, ["link", "specs/runs"]) == ()


@pytest.mark.parametrize("path", ["evidence/ab/cd.json", "runs/ab/result.json",
                                  "blobs/sha256/ab", "signed/ab/cd.json"])  # fmt: skip
def test_evidence_in_a_tree_is_a_mistake_at_its_place(path: str) -> None:
    (one,) = committed(["specs/a.yaml", f"reports/{path}"], [])
    assert one.rule == "committed-evidence"
    assert one.span.path == f"reports/{path}"
    assert ".gitignore" in one.hint


@pytest.mark.parametrize("link", ["reports", "reports/runs", "reports/evidence/ab"])
def test_a_link_in_the_place_of_evidence_is_a_mistake(link: str) -> None:
    (one,) = committed(["specs/a.yaml"], [link])
    assert one.span.path == link


def test_many_files_are_one_mistake_that_counts_them() -> None:
    (one,) = committed([f"reports/runs/{i}" for i in range(30)], ["reports/evidence"])
    assert "and 30 more" in one.message
