"""Selectors: names, kinds, states, labels, and steps up and down the graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.select import Scene, SelectorError, select
from llmops.specs.base import Ref, Reference, Spec

CHAIN = ("Dataset/rows", "Model/tiny", "Recipe/base", "Recipe/lora", "Application/bot")
LABELS = {"Application/bot": {"risk": "high"}, "Recipe/lora": {"risk": "low", "team": "cs"}}
OWNERS = {"Recipe/lora": "team-cs"}


def spec(text: str, *needs: str) -> Spec:
    ref = Ref.parse(text)
    about = {"name": ref.name, "labels": LABELS.get(text, {}), "owner": OWNERS.get(text, "team-a")}
    uses = tuple(Reference(("spec",), Ref.parse(need)) for need in needs)
    path = f"specs/{ref.kind.lower()}s/{ref.name}.yaml"
    return Spec(ref, path, {"metadata": about, "spec": {}}, uses)


GRAPH = Graph(
    {
        one.ref: one
        for one in (
            spec("Dataset/rows"),
            spec("Model/tiny", "Dataset/rows"),
            spec("Recipe/base", "Model/tiny", "Dataset/rows"),
            spec("Recipe/lora", "Recipe/base"),
            spec("Application/bot", "Recipe/lora"),
        )
    }
)
SCENE = Scene(
    GRAPH,
    (
        Change(Ref.parse("Recipe/base"), "changed", "x", "train"),
        Change(Ref.parse("Dataset/gone"), "removed", "x", "curate"),
        Change(Ref.parse("Recipe/lora"), "follows", "x", "train"),
    ),
)


def chosen(*selectors: str) -> set[str]:
    return {str(ref) for ref in select(SCENE, selectors)}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ((), set(CHAIN)),
        (("Recipe",), {"Recipe/base", "Recipe/lora"}),
        (("recipe",), {"Recipe/base", "Recipe/lora"}),
        (("Recipe/base",), {"Recipe/base"}),
        (("bot",), {"Application/bot"}),
        (("Recipe/*a*e",), {"Recipe/base"}),
        (("+Recipe/base",), {"Recipe/base", "Model/tiny", "Dataset/rows"}),
        (("Recipe/base+",), {"Recipe/base", "Recipe/lora", "Application/bot"}),
        (("+Recipe/base+",), set(CHAIN)),
        (("Recipe/base+1",), {"Recipe/base", "Recipe/lora"}),
        (("1+Recipe/lora",), {"Recipe/base", "Recipe/lora"}),
        (("0+Recipe/lora",), {"Recipe/lora"}),
        (("state:modified",), {"Recipe/base"}),
        (("state:modified+",), {"Recipe/base", "Recipe/lora", "Application/bot"}),
        (("state:new",), set()),
        (("state:follows",), {"Recipe/lora"}),
        (("label:risk=high",), {"Application/bot"}),
        (("label:risk",), {"Application/bot", "Recipe/lora"}),
        (("label:risk=*,label:team=cs",), {"Recipe/lora"}),
        (("owner:team-cs",), {"Recipe/lora"}),
        (("path:specs/models",), {"Model/tiny"}),
        (("Model", "bot"), {"Model/tiny", "Application/bot"}),
        (("Recipe,state:modified",), {"Recipe/base"}),
        (("nothing",), set()),
    ],
)
def test_a_selector_names_these(selectors: tuple[str, ...], expected: set[str]) -> None:
    assert chosen(*selectors) == expected


@pytest.mark.parametrize("text", ["", "+", "a+b", "state:old", "colour:red", ",", "Recipe,", "++x"])
def test_what_means_nothing_is_said(text: str) -> None:
    with pytest.raises(SelectorError):
        select(SCENE, [text])


def test_order_is_the_graphs_whatever_was_asked_first() -> None:
    found = select(SCENE, ["bot", "rows", "tiny"])
    assert [str(ref) for ref in found] == ["Dataset/rows", "Model/tiny", "Application/bot"]


@given(st.text(alphabet="+,:/*abRecipe1= ", max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = select(SCENE, [text])
    except SelectorError:
        return
    assert set(found) <= set(GRAPH.specs)
