"""Selectors: names, kinds, states, labels, and steps up and down the graph."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.graph.base import Change, FieldChange
from llmops.graph.build import Graph
from llmops.graph.methods import METHODS, SelectorError
from llmops.graph.select import Scene, depends_on_change, needs, select
from llmops.specs.base import KIND_NAMES, FileUse, Ref, Reference, Spec
from llmops.specs.load import KINDS

CHAIN = ("Dataset/rows", "Model/tiny", "Recipe/base", "Recipe/lora", "Application/bot")
LABELS = {"Application/bot": {"risk": "high"}, "Recipe/lora": {"risk": "low", "team": "客服"}}
OWNERS = {"Recipe/lora": "team-cs"}
BODIES = {
    "Recipe/lora": {"lora": {"r": 8, "targets": ["q_proj", "v_proj"]}, "packed": True},
    "Dataset/rows": {"sources": [{"name": "helpdesk", "uri": "https://example.org/a+b.jsonl"}]},
}
PATHS = {"Model/tiny": "specs/模型/tiny+big.yaml"}


def spec(text: str, *needs: str) -> Spec:
    ref = Ref.parse(text)
    about = {"name": ref.name, "labels": LABELS.get(text, {}), "owner": OWNERS.get(text, "team-a")}
    uses = tuple(Reference(("spec",), Ref.parse(need)) for need in needs)
    path = PATHS.get(text, f"specs/{ref.kind.lower()}s/{ref.name}.yaml")
    files = (FileUse(("spec",), "specs/data/rows.jsonl"),) if text == "Dataset/rows" else ()
    body = {"metadata": about, "spec": BODIES.get(text, {})}
    return Spec(ref, path, body, uses, files, {"train": {}, "gate": {}})


def graph(*specs: Spec) -> Graph:
    return Graph({one.ref: one for one in specs})


GRAPH = graph(
    spec("Dataset/rows"),
    spec("Model/tiny", "Dataset/rows"),
    spec("Recipe/base", "Model/tiny", "Dataset/rows"),
    spec("Recipe/lora", "Recipe/base"),
    spec("Application/bot", "Recipe/lora"),
)
BEFORE = graph(spec("Dataset/gone"), spec("Recipe/old", "Dataset/gone"))
ROLE = FieldChange("lora.r", 8, 16, "job: [train]")
OWNED = FieldChange("metadata.owner", "a", "b", "descriptive")
CHANGES = (
    Change(Ref.parse("Recipe/base"), "changed", "x", "train", (ROLE, OWNED)),
    Change(Ref.parse("Model/tiny"), "changed", "x", "descriptive", (OWNED,)),
    Change(Ref.parse("Application/bot"), "added", "x", "train"),
    Change(Ref.parse("Dataset/gone"), "removed", "x", "curate"),
    Change(Ref.parse("Recipe/lora"), "follows", "x", "train"),
)
SCENE = Scene(
    (GRAPH,),
    CHANGES,
    {Ref.parse("Recipe/lora"): frozenset({"train"})},
    {Ref.parse("Recipe/base"): "failed"},
)


def chosen(*selectors: str, exclude: Sequence[str] = (), scene: Scene = SCENE) -> set[str]:
    return {str(ref) for ref in select(scene, selectors, exclude)}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ("", set(CHAIN)),
        ("Recipe", {"Recipe/base", "Recipe/lora"}),
        ("recipe", {"Recipe/base", "Recipe/lora"}),
        ("kind:Recipe", {"Recipe/base", "Recipe/lora"}),
        ("kind:recipe", {"Recipe/base", "Recipe/lora"}),
        ("kind:*ec*", {"Recipe/base", "Recipe/lora"}),
        ("kind:Policy", set()),
        ("Recipe/base", {"Recipe/base"}),
        ("recipe/base", {"Recipe/base"}),
        ("bot", {"Application/bot"}),
        ("b[ao][st]*", {"Application/bot", "Recipe/base"}),
        ("*", set(CHAIN)),
        ("Recipe/*a*e", {"Recipe/base"}),
        ("+Recipe/base", {"Recipe/base", "Model/tiny", "Dataset/rows"}),
        ("Recipe/base+", {"Recipe/base", "Recipe/lora", "Application/bot"}),
        ("+Recipe/base+", set(CHAIN)),
        ("Recipe/base+1", {"Recipe/base", "Recipe/lora"}),
        ("1+Recipe/lora", {"Recipe/base", "Recipe/lora"}),
        ("0+Recipe/lora", {"Recipe/lora"}),
        ("1+Recipe/lora+1", {"Recipe/base", "Recipe/lora", "Application/bot"}),
        ("@Recipe/lora", set(CHAIN)),
        ("@Model/tiny", set(CHAIN)),
        ("state:modified", {"Recipe/base", "Model/tiny", "Application/bot"}),
        ("state:changed", {"Recipe/base", "Model/tiny"}),
        ("state:modified.train", {"Recipe/base", "Application/bot"}),
        ("state:modified.job", {"Recipe/base", "Application/bot"}),
        ("state:modified.descriptive", {"Recipe/base", "Model/tiny"}),
        ("state:modified.gate", {"Application/bot"}),
        ("state:modified.placement", set()),
        ("state:new", {"Application/bot"}),
        ("state:old", set(CHAIN) - {"Application/bot"}),
        ("state:unmodified", {"Dataset/rows", "Recipe/lora"}),
        ("state:follows", {"Recipe/lora"}),
        ("state:changed+", {"Model/tiny", "Recipe/base", "Recipe/lora", "Application/bot"}),
        ("label:risk=high", {"Application/bot"}),
        ("label:risk", {"Application/bot", "Recipe/lora"}),
        ("label:risk=*,label:team=客服", {"Recipe/lora"}),
        ("owner:team-cs", {"Recipe/lora"}),
        ("path:specs/recipes", {"Recipe/base", "Recipe/lora"}),
        ("path:specs/recipes/", {"Recipe/base", "Recipe/lora"}),
        ("path:specs/re*", {"Recipe/base", "Recipe/lora"}),
        ("path:.", set(CHAIN)),
        ("specs/recipes/base.yaml", {"Recipe/base"}),
        ("./specs/recipes", {"Recipe/base", "Recipe/lora"}),
        ("base.yaml", {"Recipe/base"}),
        ("file:b*.yaml", {"Recipe/base", "Application/bot"}),
        ("path:specs/模型/tiny+big.yaml", {"Model/tiny"}),
        ("path:specs/模型/tiny+big.yaml+", set(CHAIN) - {"Dataset/rows"}),
        ("source:helpdesk", {"Dataset/rows"}),
        ("source:specs/data/rows.jsonl", {"Dataset/rows"}),
        ("source:https://example.org/*", {"Dataset/rows"}),
        ("config.lora.r:8", {"Recipe/lora"}),
        ("config.lora.targets:v_proj", {"Recipe/lora"}),
        ("config.packed:true", {"Recipe/lora"}),
        ("job:train", {"Recipe/lora"}),
        ("job:scan", set()),
        ("result:failed", {"Recipe/base"}),
        ("result:failed+1", {"Recipe/base", "Recipe/lora"}),
        ("Model bot", {"Model/tiny", "Application/bot"}),
        ("Recipe,state:changed", {"Recipe/base"}),
        ("+Recipe/lora,Recipe bot", {"Recipe/base", "Recipe/lora", "Application/bot"}),
    ],
)
def test_a_selector_names_these(selectors: str, expected: set[str]) -> None:
    assert chosen(*filter(None, [selectors])) == expected
    assert chosen(*selectors.split()) == expected


def test_what_is_excluded_is_taken_away() -> None:
    assert chosen("Recipe", exclude=["Recipe/base"]) == {"Recipe/lora"}
    assert chosen(exclude=["Recipe/base+"]) == {"Dataset/rows", "Model/tiny"}
    assert chosen("Recipe", exclude=["*"]) == set()


def test_with_base_beside_it_what_is_gone_can_be_selected() -> None:
    both = Scene((GRAPH, BEFORE), CHANGES)
    assert chosen("Dataset/gone+", scene=both) == {"Dataset/gone", "Recipe/old"}
    assert "Dataset/gone" in chosen("state:modified", scene=both)
    with pytest.raises(SelectorError, match="nothing is called"):
        chosen("Dataset/gone")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "is no selector", "write Kind"),
        ("+", "is no selector", "write Kind"),
        ("@", "is no selector", "write Kind"),
        (",", "is no selector", "without a space"),
        ("Recipe,", "is no selector", "without a space"),
        ("Recipe, bot", "is no selector", "without a space"),
        ("@bot+", "do not go together", "all that follows"),
        ("nothing", 'nothing is called "nothing"', "llmops ls"),
        ("bott", 'nothing is called "bott"', '"bot"'),
        ("Recipe/bse", 'nothing is called "Recipe/bse"', '"Recipe/base"'),
        ("Recpie", 'nothing is called "Recpie"', '"Recipe"'),
        ("a+b", 'nothing is called "a+b"', ""),
        ("++bot", 'nothing is called "+bot"', ""),
        ("99999+bot", "nothing is called", ""),
        ("Recipe/z*", "nothing is called", ""),
        ("specs/recipe", 'no spec has the path "specs/recipe"', '"specs/recipes"'),
        ("state:gone", 'there is no state "gone"', "known are modified"),
        ("state:modifed", 'there is no state "modifed"', '"modified"'),
        ("state:modified.gat", "part of state:modified", '"gate"'),
        ("state:", "needs a value", ""),
        ("colour:red", 'there is no selector "colour:"', "label:"),
        ("stat:new", 'there is no selector "stat:"', '"state"'),
        ("tag:nightly", 'there is no selector "tag:"', "label:nightly"),
        ("resource_type:model", 'there is no selector "resource_type:"', "kind:model"),
        ("kind:Recipes", 'there is no kind "Recipes"', '"Recipe"'),
        ("kind:z*", 'there is no kind "z*"', "Recipe"),
        ("label:rsk=high", 'no spec has a label "rsk=high"', '"risk=high"'),
        ("label:risk=hihg", "no spec has a label", '"risk=high"'),
        ("label.x:risk", "has no part", "label:risk"),
        ("owner:team-c", 'no spec has the owner "team-c"', '"team-cs"'),
        ("path:specs/recipe", "no spec has the path", '"specs/recipes"'),
        ("file:bas.yaml", "no spec has a file", '"base.yaml"'),
        ("source:helpdsk", "no spec has a source", '"helpdesk"'),
        ("config.lora.q:8", 'no spec has a field "lora.q"', '"lora.r"'),
        ("config.lora.r:9", 'no spec has lora.r "9"', "known are 8"),
        ("job:trian", 'there is no job type "trian"', '"train"'),
        ("result:fail", 'there is no result "fail"', '"failed"'),
        ("标签:甲", "nothing is called", "llmops ls"),
    ],
)
def test_what_means_nothing_is_said_with_the_nearest(text: str, message: str, hint: str) -> None:
    for said in ((text,), ("bot", text)):
        with pytest.raises(SelectorError) as raised:
            select(SCENE, said)
        assert message in str(raised.value)
        assert hint in raised.value.hint
    with pytest.raises(SelectorError):
        select(SCENE, [], [text])


def test_kinds_are_those_that_can_be_declared() -> None:
    assert tuple(KINDS) == KIND_NAMES


def test_what_a_selector_asks_for_is_known_before() -> None:
    assert needs(["bot,label:risk", "+result:failed"]) == {"", "label", "result"}
    assert depends_on_change(["bot", "state:new"])
    assert not depends_on_change(["bot", "label:risk"])


def test_order_is_the_graphs_whatever_was_asked_first() -> None:
    found = select(SCENE, ["bot", "rows", "tiny"])
    assert [str(ref) for ref in found] == ["Dataset/rows", "Model/tiny", "Application/bot"]


@given(st.text(alphabet="@+,:/*?[]!.abRecipe12= 客\x1b\n", max_size=24) | st.text(max_size=12))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = select(SCENE, [text])
    except SelectorError:
        return
    assert set(found) <= set(GRAPH.specs)


# ---- the law: selection equals brute force -----------------------------------------------------


NAMES = [f"{kind}/n{i}" for i, kind in enumerate(("Dataset", "Model", "Recipe", "Application") * 3)]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to twelve specs; each refers to some before it."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    return graph(
        *(
            spec(name, *draw(st.sets(st.sampled_from(names[:i])) if i else st.just(set())))
            for i, name in enumerate(names)
        )
    )


def edges(of: Graph) -> set[tuple[Ref, Ref]]:
    return {(one.ref, use.target) for one in of.specs.values() for use in one.references}


def walked(start: set[Ref], pairs: set[tuple[Ref, Ref]], steps: int) -> set[Ref]:
    """Everything at the end of a path of at most `steps` pairs, one step at a time."""
    found = set(start)
    for _ in range(steps):
        found |= {b for a, b in pairs if a in found}
    return found


@given(graphs(), st.data())
def test_selection_is_what_walking_every_edge_gives(of: Graph, data: st.DataObject) -> None:
    ref = data.draw(st.sampled_from(sorted(of.specs)))
    up, down = data.draw(st.integers(0, 4) | st.none()), data.draw(st.integers(0, 4) | st.none())
    needs_, users = edges(of), {(b, a) for a, b in edges(of)}
    text = f"{'' if up is None else up}+{ref}+{'' if down is None else down}"
    expected = walked({ref}, needs_, 99 if up is None else up)
    expected |= walked({ref}, users, 99 if down is None else down)
    assert set(select(Scene((of,)), [text])) == expected
    follows = walked({ref}, users, 99)
    assert set(select(Scene((of,)), [f"@{ref}"])) == walked(follows, needs_, 99)


@given(graphs(), st.data())
def test_unions_and_intersections_may_be_written_in_any_order(
    of: Graph, data: st.DataObject
) -> None:
    words = st.sampled_from(
        [f"{a}{ref}{b}" for ref in of.specs for a in ("", "+") for b in ("", "+")]
    )
    a, b, c = data.draw(words), data.draw(words), data.draw(words)

    def found(*selectors: str, exclude: Sequence[str] = ()) -> set[Ref]:
        return set(select(Scene((of,)), selectors, exclude))

    assert found(a, b) == found(b, a) == found(f"{a} {b}") == found(a) | found(b)
    assert found(f"{a},{b}") == found(f"{b},{a}") == found(a) & found(b)
    assert found(f"{a},{b},{c}") == found(a) & found(b) & found(c)
    assert found(a, b, c) == found(f"{a} {b}", c) == found(a, f"{b} {c}")
    assert found(a, a) == found(f"{a},{a}") == found(a)
    assert found(f"{a},{b}", f"{a},{c}") == found(a) & (found(b) | found(c))
    assert found(a, b, exclude=[c]) == (found(a) | found(b)) - found(c)
    order = list(of.specs)
    shown = select(Scene((of,)), [a, b, c])
    assert list(shown) == [ref for ref in order if ref in shown]


def test_every_method_is_in_the_manual() -> None:
    from pathlib import Path

    page = Path(__file__).parents[2] / "llmops/docs/en/how-to/selectors.md"
    text = page.read_text("utf-8")
    assert [name for name in METHODS if f"`{name}" not in text] == []
