from __future__ import annotations

import pytest

from llmops.forge.owners import match, of


@pytest.mark.parametrize(
    ("pattern", "path", "held"),
    [
        ("*", "policies/a.yaml", True),
        ("/policies/", "policies/a/b.yaml", True),
        ("policies/", "x/policies/a.yaml", True),
        ("/policies/", "x/policies/a.yaml", False),
        ("policies", "policies/a.yaml", True),
        ("/policies/*", "policies/a.yaml", True),
        ("/policies/*", "policies/a/b.yaml", False),
        ("policies/**", "policies/a/b.yaml", True),
        ("**/policies/**", "x/policies/a.yaml", True),
        ("*.yaml", "policies/a.yaml", True),
        ("*.yaml", "policies/a.yml", False),
        ("/policy", "policies/a.yaml", False),
        (".github/workflows/llmops.yml", ".github/workflows/llmops.yml", True),
    ],
)
def test_what_a_pattern_holds(pattern: str, path: str, held: bool) -> None:
    assert match([pattern], path) is held


def test_the_last_line_that_matches_wins() -> None:
    text = "* @a  # all\n\n/policies/ @b @c\n/policies/drafts/\n"
    assert of(text, "README.md") == ("@a",)
    assert of(text, "policies/a.yaml") == ("@b", "@c")
    assert of(text, "policies/drafts/a.yaml") == ()
