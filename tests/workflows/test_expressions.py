from __future__ import annotations

import pytest

from llmops.workflows.expressions import expressions, flows, is_whole
from llmops.workflows.trust import Trust, trust


@pytest.mark.parametrize(
    ("inner", "reaches"),
    [
        ("github.sha", {"github.sha"}),
        ("GitHub.Head_Ref", {"github.head_ref"}),
        ("github['event']['issue'].title", {"github.event.issue.title"}),
        ("github.event.commits[0].message", {"github.event.commits.*.message"}),
        ("github.event.*.body", {"github.event.*.body"}),
        ("github.event_name == 'push' && github.ref_name || 'main'", {"github.ref_name"}),
        ("github.event.issue.title == 'x'", set()),
        ("!github.event.issue.title", set()),
        ("contains(github.event.issue.title, 'x') && 'a' || 'b'", set()),
        ("format('{0}', github.head_ref)", {"github.head_ref"}),
        ("toJSON(github.event)", {"github.event"}),
        ("fromJSON(needs.plan.outputs.jobs)[0]", {"needs.plan.outputs.jobs"}),
        ("(github.head_ref || github.sha)", {"github.head_ref", "github.sha"}),
        ("'it''s github.head_ref'", set()),
        ("hashFiles('**/*.lock')", set()),
        ("1.5e3", set()),
    ],
)
def test_what_reaches_a_value(inner: str, reaches: set[str]) -> None:
    assert flows(inner) == reaches


@pytest.mark.parametrize(
    "inner", ["github.head_ref ??", "(github.head_ref", "f(", "a b", "(" * 999]
)
def test_what_is_not_of_the_grammar_is_all_that_it_names(inner: str) -> None:
    if "head_ref" in inner:
        assert "github.head_ref" in flows(inner)
    else:
        flows(inner)


def test_expressions_are_found_as_they_are_written() -> None:
    text = "a ${{ x }} b ${{\n  y\n}} $" + "{ z }"
    assert [one.written for one in expressions(text)] == ["${{ x }}", "${{\n  y\n}}"]
    assert is_whole(" ${{ x }} ")
    assert not is_whole("${{ x }} && y")


@pytest.mark.parametrize(
    ("context", "who"),
    [
        ("github.sha", Trust.OURS),
        ("github.event.pull_request.head.sha", Trust.OURS),
        ("github.event.pull_request.number", Trust.OURS),
        ("github.event.merge_group.head_sha", Trust.OURS),
        ("needs.plan.result", Trust.OURS),
        ("github.event.pull_request.head.ref", Trust.OUTSIDE),
        ("github.event.pull_request.title", Trust.OUTSIDE),
        ("github.head_ref", Trust.OUTSIDE),
        ("github.ref_name", Trust.OUTSIDE),
        ("github", Trust.OUTSIDE),
        ("github.event", Trust.OUTSIDE),
        ("github.event.pull_request.head.repo.full_name", Trust.OUTSIDE),
        ("inputs.name", Trust.GIVEN),
        ("matrix.shard", Trust.MADE),
        ("needs.plan.outputs.jobs", Trust.MADE),
        ("steps.x.outputs.y", Trust.MADE),
        ("secrets.key", Trust.INSIDE),
        ("github.base_ref", Trust.INSIDE),
    ],
)
def test_who_decides_what_a_context_says(context: str, who: Trust) -> None:
    assert trust(context) is who
