from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.diagnostics import Diagnostic, Span
from llmops.graph import build as build_room
from llmops.graph.build import Graph, build
from llmops.specs.base import Ref, Reference, Spec
from tests.trees import BANK, changed, graph, read


def rules(found: tuple[Diagnostic, ...]) -> list[str]:
    return [d.rule for d in found]


def test_a_right_tree_has_its_dependencies_first() -> None:
    order = list(graph(dict(BANK)).specs)
    assert order.index(Ref("Dataset", "bank")) < order.index(Ref("Model", "tiny"))
    assert order.index(Ref("Recipe", "base")) < order.index(Ref("Recipe", "adapter"))


def test_a_dangling_reference_says_where_and_which_name_is_near() -> None:
    (one,) = read(changed("specs/applications/bot.yaml", "adapter", "adaptor")).diagnostics
    assert one.rule == "unknown-ref"
    assert str(one.span).startswith("specs/applications/bot.yaml:5:")
    assert one.message == 'no Recipe named "adaptor"'
    assert one.hint == 'did you mean "adapter"?'


def test_a_reference_to_a_spec_with_a_mistake_is_not_a_second_mistake() -> None:
    found = read(changed("specs/recipes/base.yaml", "seed: 1", "sead: 1"))
    assert rules(found.diagnostics) == ["unknown-field"]
    assert found.graph is None


def test_a_reference_to_a_file_that_is_no_yaml_is_not_a_second_mistake() -> None:
    found = read({**BANK, "specs/recipes/base.yaml": "kind: [\n"})
    assert {d.span.path for d in found.diagnostics} == {"specs/recipes/base.yaml"}


def test_a_broken_spec_of_another_kind_hides_no_dangling_reference() -> None:
    files = changed("specs/applications/bot.yaml", "Recipe/adapter", "Recipe/tiny")
    files = changed("specs/models/tiny.yaml", "seed: 0", "sead: 0", files)
    found = rules(read(files).diagnostics)
    assert found == ["unknown-field", "unknown-ref"]


def test_a_split_that_the_dataset_has_not_is_a_mistake() -> None:
    (one,) = read(changed("specs/recipes/base.yaml", "bank#train", "bank#tran")).diagnostics
    assert one.rule == "unknown-part"
    assert 'did you mean "train"?' in one.hint


def test_a_split_dataset_is_used_by_part() -> None:
    (one,) = read(changed("specs/recipes/base.yaml", "bank#train", "bank")).diagnostics
    assert one.rule == "unknown-part"
    assert one.hint == 'write "bank#train", "bank#test"'


def test_a_missing_file_is_a_mistake_at_its_place() -> None:
    files = {p: t for p, t in BANK.items() if not p.endswith(".jsonl")}
    (one,) = read(files).diagnostics
    assert one.rule == "missing-file"
    assert one.span.path == "specs/datasets/bank.yaml"


def test_a_circle_is_told_once_with_its_path() -> None:
    files = changed("specs/recipes/base.yaml", "base_model: tiny", "base_model: Recipe/adapter")
    found = read(files).diagnostics
    assert rules(found) == ["circle"]
    assert "Recipe/base -> Recipe/adapter" in found[0].message or (
        "Recipe/adapter -> Recipe/base" in found[0].message
    )


def test_all_mistakes_are_told_at_once() -> None:
    files = changed("specs/recipes/base.yaml", "bank#train", "bank#tran")
    files = changed("specs/applications/bot.yaml", "adapter", "nothing-like-it", files)
    assert sorted(rules(read(files).diagnostics)) == ["unknown-part", "unknown-ref"]


def test_the_same_name_twice_is_a_mistake_that_names_the_other_file() -> None:
    files = {**BANK, "specs/team/bank.yaml": BANK["specs/datasets/bank.yaml"]}
    (one,) = read(files).diagnostics
    assert one.rule == "duplicate-name"
    assert "specs/datasets/bank.yaml" in one.hint


def test_reach_is_everything_below() -> None:
    reached = graph(dict(BANK)).reach(Ref("Application", "bot"))
    assert set(map(str, reached)) == {
        "Application/bot", "Recipe/adapter", "Recipe/base", "Model/tiny", "Dataset/bank",
        "Prompt/ask",
    }  # fmt: skip


def test_dependents_are_the_other_way_round() -> None:
    found: Graph = graph(dict(BANK))
    assert Ref("Application", "bot") in found.dependents[Ref("Recipe", "adapter")]


@given(st.permutations(sorted(BANK)))
def test_the_order_of_files_never_matters(order: list[str]) -> None:
    assert list(graph({p: BANK[p] for p in order}).specs) == list(graph(dict(BANK)).specs)


def test_a_chain_of_a_thousand_recipes_is_no_recursion() -> None:
    specs = read(dict(BANK)).loaded.specs
    base = specs[Ref("Recipe", "base")]
    chain = {Ref("Model", "tiny"): specs[Ref("Model", "tiny")]}
    chain |= {Ref("Dataset", "bank"): specs[Ref("Dataset", "bank")]}
    from dataclasses import replace

    below = base.references
    for i in range(1000):
        ref = Ref("Recipe", f"r{i}")
        chain[ref] = replace(base, ref=ref, references=below)
        below = tuple(replace(u, target=ref) if u.target.kind != "Dataset" else u for u in below)
    built = build(chain, {"specs/data/bank.jsonl": "x"}, lambda *_: None, ())  # type: ignore[arg-type,return-value]
    assert built.graph is not None
    assert len(built.graph.specs) == 1002


def test_a_tree_that_lost_a_folder_is_told_whole_and_searches_few_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(build_room, "did_you_mean", lambda word, *_, **__: asked.append(word) or "")
    lost = Ref("Dataset", "gone")
    uses = [(Ref("Recipe", f"r{i}"), (lost, Ref("Dataset", f"d{i}"))) for i in range(500)]
    specs = {
        ref: Spec(ref, f"{ref.name}.yaml", {"metadata": {}, "spec": {}},
                  tuple(Reference(("spec", "data", n), target) for n, target in enumerate(targets)))
        for ref, targets in uses
    }  # fmt: skip
    found = build_room.build(specs, {}, lambda ref, loc: Span(ref.name), ())
    assert len(found.diagnostics) == 1_000
    assert len(asked) == len(set(asked)) == build_room.MOST_HINTS
