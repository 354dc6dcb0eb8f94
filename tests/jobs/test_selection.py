"""Which Evaluations a selection comes to, over two trees."""

from __future__ import annotations

import pytest

from llmops.graph.build import Graph
from llmops.graph.diff import diff
from llmops.graph.methods import SelectorError
from llmops.jobs.base import Selection
from llmops.jobs.exam import exams
from llmops.jobs.selection import selection
from llmops.specs.base import Ref
from llmops.specs.load import roles
from tests.trees import BANK, read

QUALITY = "specs/evaluations/quality.yaml"
SECOND = BANK[QUALITY].replace("name: quality", "name: second")
OTHER = BANK[QUALITY].replace("name: quality", "name: of-base").replace(
    "target: Application/bot", "target: Recipe/base"
)  # fmt: skip
TREE = {
    **BANK,
    "specs/evaluations/second.yaml": SECOND,
    "specs/evaluations/of-base.yaml": OTHER,
}


def graph(files: dict[str, str]) -> Graph:
    found = read(files)
    assert found.graph is not None, found.diagnostics
    return found.graph


HEAD = graph(TREE)
FEWER = graph(dict(BANK))


def askers(
    *select: str, exclude: tuple[str, ...] = (), base: Graph = HEAD, head: Graph = HEAD,
    results: dict[Ref, str] | None = None,
) -> tuple[str, ...]:  # fmt: skip
    found = selection(base, head, diff(base, head, roles), (select, exclude), results)
    assert found is not None
    return found.askers


def test_nothing_said_is_all_of_it() -> None:
    assert selection(HEAD, HEAD, (), ((), ())) is None


@pytest.mark.parametrize(
    ("select", "exclude", "expected"),
    [
        (["Evaluation/quality"], [], ["quality"]),
        (["Application/bot"], [], ["quality", "second"]),
        (["Recipe/base"], [], ["of-base"]),
        (["Recipe/base+"], [], ["of-base", "quality", "second"]),
        (["Evaluation"], ["second"], ["of-base", "quality"]),
        (["Evaluation"], ["Application/bot"], ["of-base"]),
        ([], ["Recipe/base"], ["quality", "second"]),
        ([], ["*"], []),
        (["job:evaluate"], [], ["of-base", "quality", "second"]),
        (["result:failed"], [], ["second"]),
        (["state:modified+"], [], []),
    ],
)
def test_what_is_asked_of_the_selected_is_selected(
    select: list[str], exclude: list[str], expected: list[str]
) -> None:
    results = {Ref("Evaluation", "second"): "failed"}
    found = askers(*select, exclude=tuple(exclude), results=results)
    assert found == tuple(f"Evaluation/{name}" for name in expected)


def test_what_a_change_removes_is_judged_as_a_change() -> None:
    found = askers("state:modified", base=HEAD, head=FEWER)
    assert found == ("Evaluation/of-base", "Evaluation/second")
    part = Selection(("state:modified",), (), found)
    asked = exams(HEAD, FEWER, part)
    assert {str(exam.asker.ref) for exam in asked} == set(found)


@pytest.mark.parametrize("words", [("Dataset/bank",), ("Policy",), ("Dataset/bank", "Policy")])
def test_a_spec_that_nothing_judges_is_a_mistake(words: tuple[str, ...]) -> None:
    with pytest.raises(SelectorError, match="no gate judges what"):
        askers(*words)


def test_an_empty_selection_is_no_exam_and_not_all_of_them() -> None:
    assert exams(HEAD, HEAD, Selection(("state:new",), (), ())) == ()
    assert len(exams(HEAD, HEAD)) > 0
