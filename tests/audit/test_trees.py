"""Which files of a judged tree are handed over, which are withheld; the rest is neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmops.audit.trees import reads
from llmops.source.tree import Repository
from tests.audit.small import DATA, files

Make = Callable[..., Any]
SHOTS = "specs/prompts/shots.jsonl"


def told(make: Make, changes: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Paths that are handed over, and those that are withheld."""
    tree = Repository.find(make({**files(), **changes}).path).tree("HEAD")
    found = reads(tree)
    assert not found.given & found.withheld
    at = {blob.oid: path for path, blob in tree.blobs().items()}
    return {at[oid] for oid in found.given}, {at[oid] for oid in found.withheld}


def test_specs_policies_roots_and_owners_are_handed_over(git_repo: Make) -> None:
    given, withheld = told(git_repo, {})
    assert withheld == {DATA}
    assert given == files().keys() - {DATA, "notes/private.txt", "src/main.py"}
    assert {"policies/trust/1.root.json", ".github/CODEOWNERS", SHOTS} <= given


def test_the_bytes_of_a_dataset_are_withheld_whoever_else_has_them(git_repo: Make) -> None:
    given, withheld = told(git_repo, {SHOTS: files()[DATA]})
    assert SHOTS not in given
    assert DATA not in given
    assert len(withheld) == 1


def test_golden_texts_are_handed_over_and_no_other_text_beside_them(git_repo: Make) -> None:
    prompt = files()["specs/prompts/ask.yaml"]
    golden = "specs/prompts/golden/ask/plain.txt"
    tests = "tests: [{name: plain, inputs: {question: x}}]\n  messages:"
    given, _ = told(
        git_repo,
        {
            "specs/prompts/ask.yaml": prompt.replace("messages:", tests),
            golden: "golden",
            "specs/prompts/golden/ask/other.txt": "other",
        },
    )
    assert golden in given
    assert "specs/prompts/golden/ask/other.txt" not in given


def test_rows_stay_away_where_their_dataset_cannot_be_read(git_repo: Make) -> None:
    given, withheld = told(git_repo, {"specs/datasets/bank.yaml": "kind: Dataset\n  x: [\n"})
    assert "specs/datasets/bank.yaml" in given  # its mistakes are told with their lines
    assert DATA not in given
    assert withheld == set()


def test_rows_that_no_dataset_names_yet_stay_away(git_repo: Make) -> None:
    given, _ = told(git_repo, {"specs/data/new.jsonl": "private", "specs/readme.md": "private"})
    assert not given & {"specs/data/new.jsonl", "specs/readme.md"}
