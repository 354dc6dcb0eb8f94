from __future__ import annotations

import pytest

from llmops.graph.base import Change
from llmops.graph.diff import diff, leaves, loc_of
from llmops.graph.fingerprint import fingerprints
from llmops.specs.base import Ref
from llmops.specs.load import roles
from tests.trees import BANK, changed, graph

P = "specs/prompts/ask.yaml"


def between(head: dict[str, str], base: dict[str, str] | None = None) -> dict[str, Change]:
    before = graph(dict(BANK) if base is None else base)
    return {str(c.ref): c for c in diff(before, graph(head), roles)}


def test_diff_of_a_tree_with_itself_is_empty() -> None:
    assert between(dict(BANK)) == {}


def test_a_changed_field_is_told_with_before_and_after_and_what_follows() -> None:
    found = between(changed("specs/recipes/adapter.yaml", "r: 8", "r: 16"))
    assert set(found) == {"Recipe/adapter", "Application/bot", "Evaluation/quality"}
    (field,) = found["Recipe/adapter"].fields
    assert (field.path, field.before, field.after) == ("lora.r", 8, 16)
    assert found["Recipe/adapter"].category == "train"
    assert found["Application/bot"].action == "follows"
    assert found["Application/bot"].through == ("model",)
    assert found["Application/bot"].category == "generate"
    assert found["Evaluation/quality"].through == ("target",)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("specs/recipes/adapter.yaml", "spec:", "# a comment\nspec:"),
        ("specs/recipes/adapter.yaml", "r: 8, lora_alpha: 16", "lora_alpha: 16, r: 8"),
        ("specs/recipes/adapter.yaml", "learning_rate: 1.0e-3", "learning_rate: 0.001"),
        ("specs/recipes/adapter.yaml", "kind: Recipe\n", "kind:   Recipe\n\n\n"),
        ("specs/recipes/adapter.yaml", "target_modules: [q_proj, v_proj]",
         "target_modules: ['q_proj', \"v_proj\"]"),
    ],
)  # fmt: skip
def test_reformatting_is_no_change(path: str, old: str, new: str) -> None:
    assert between(changed(path, old, new)) == {}


def test_a_moved_file_is_no_change() -> None:
    head = dict(BANK)
    head["specs/team/adapter.yaml"] = head.pop("specs/recipes/adapter.yaml")
    assert between(head) == {}


def test_renaming_an_owner_is_descriptive_and_nothing_follows() -> None:
    base = changed("specs/recipes/adapter.yaml", "{name: adapter}", "{name: adapter, owner: a}")
    head = changed("specs/recipes/adapter.yaml", "{name: adapter}", "{name: adapter, owner: b}")
    found = between(head, base)
    assert set(found) == {"Recipe/adapter"}
    assert found["Recipe/adapter"].category == "descriptive"


def test_another_owner_on_the_way_hides_nothing_of_what_follows() -> None:
    head = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16")
    bot = "specs/applications/bot.yaml"
    head[bot] = head[bot].replace("{name: bot}", "{name: bot, owner: b}")
    found = between(head)
    assert found["Application/bot"].category == "descriptive"  # what its own text changed
    assert found["Evaluation/quality"].category == "generate"


def test_a_moved_bound_is_a_gate_change() -> None:
    found = between(changed("specs/evaluations/quality.yaml", "{min: 0.8}", "{min: 0.7}"))
    assert found["Evaluation/quality"].category == "gate"
    assert found["Evaluation/quality"].fields[0].path == "checks[accuracy].require.min"


def test_other_bytes_of_a_file_are_a_change_of_whoever_names_it() -> None:
    found = between({**BANK, "specs/data/bank.jsonl": '{"question": "x", "answer": "y"}\n'})
    (field,) = found["Dataset/bank"].fields
    assert field.path == "specs/data/bank.jsonl (content)"
    assert found["Dataset/bank"].category == "curate"
    assert found["Recipe/base"].category == "train"


def test_added_and_removed_specs_are_told() -> None:
    head = {p: t for p, t in BANK.items() if "evaluations" not in p}
    assert between(head)["Evaluation/quality"].action == "removed"
    assert between(dict(BANK), head)["Evaluation/quality"].action == "added"


def test_against_nothing_everything_is_added() -> None:
    changes = diff(None, graph(dict(BANK)), roles)
    assert {c.action for c in changes} == {"added"}
    assert len(changes) == 8


def test_true_and_one_differ_but_one_and_one_point_zero_do_not() -> None:
    path, rate = "specs/recipes/adapter.yaml", "learning_rate: 1.0e-3"
    base = changed(path, rate, "learning_rate: 1")
    assert between(changed(path, rate, "learning_rate: 1.0"), base) == {}


def test_lists_of_named_things_are_keyed_by_name() -> None:
    value = {"spec": {"checks": [{"name": "a", "require": {"min": 1}}]}, "metadata": {}}
    assert "checks[a].require.min" in leaves(value)


def test_order_of_named_things_has_no_meaning_for_changes() -> None:
    path = "specs/evaluations/quality.yaml"
    two = "checks:\n    - {name: b, metric: builtin/tokens}\n    - {name: accuracy"
    base = changed(path, "checks:\n    - {name: accuracy", two)
    line = next(x for x in BANK[path].split("\n") if "name: accuracy" in x)
    other = BANK[path].replace(line, f"{line}\n    - {{name: b, metric: builtin/tokens}}")
    assert between({**BANK, path: other}, base) == {}


def test_a_fingerprint_is_blind_to_the_place_of_a_file() -> None:
    moved = dict(BANK)
    moved["specs/x/bank.yaml"] = moved.pop("specs/datasets/bank.yaml")
    assert fingerprints(graph(moved)) == fingerprints(graph(dict(BANK)))


def test_a_fingerprint_covers_what_is_referred_to() -> None:
    head = graph(changed("specs/models/tiny.yaml", "seed: 0", "seed: 1"))
    before, after = fingerprints(graph(dict(BANK))), fingerprints(head)
    assert before[Ref("Application", "bot")] != after[Ref("Application", "bot")]
    assert before[Ref("Prompt", "ask")] == after[Ref("Prompt", "ask")]


def test_a_mixture_is_told_by_its_datasets_in_order() -> None:
    path = "specs/recipes/base.yaml"
    two = "data: [{dataset: bank#train, weight: 0.5}, {dataset: bank#test, weight: 0.5}]"
    (field,) = between(changed(path, "data: [{dataset: bank#train}]", two))["Recipe/base"].fields
    assert field.path == "data"
    assert field.before == ["bank#train"]
    assert field.after == ["bank#train x 0.5", "bank#test x 0.5"]
    assert field.role == "job: [train]"


def test_messages_and_examples_of_a_prompt_are_told_one_by_one() -> None:
    shots = "few_shot: [{user: a, assistant: b}]\n  messages: [{role: user"
    before = {**BANK, P: BANK[P].replace("messages: [{role: user", shots)}
    after = changed(P, "'{{ question }}'", "'Q: {{ question }}'", before)
    after = changed(P, "assistant: b", "assistant: c", after)
    (told, *_) = diff(graph(before), graph(after), roles)
    assert [(f.path, f.before, f.after, f.role) for f in told.fields] == [
        ("few_shot[0].assistant", "b", "c", "job: [generate, scan]"),
        ("messages[0].content", "{{ question }}", "Q: {{ question }}", "job: [generate, scan]"),
    ]
    head = graph(after).specs[Ref("Prompt", "ask")]
    assert loc_of(head, "messages[0].content") == ("spec", "messages", 0, "content")
    assert loc_of(head, "messages[7].content") == ("spec", "messages")
