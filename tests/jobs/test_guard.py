"""A guardrail in jobs: whose layers, whose cases, and what moves which closure."""

from __future__ import annotations

from llmops.graph.build import Graph
from llmops.jobs import generate, guard
from llmops.jobs.make import use
from llmops.specs.base import Ref
from tests.trees import BANK, changed, graph, spec

SHIELD = Ref("Guardrail", "shield")
GUARDED = {
    **changed("specs/applications/bot.yaml", "prompt: ask", "prompt: ask\n  guardrails: [shield]"),
    "specs/datasets/words.yaml": spec(
        "Dataset", "words", "sources: [{name: ours, file: specs/data/w.jsonl}]\nformat: lexicon"
    ),
    "specs/data/w.jsonl": '{"word": "bomb"}\n',
    "specs/guardrails/shield.yaml": spec(
        "Guardrail", "shield",
        "input:\n  - {name: words, action: block, lexicon: {dataset: words}}\n"
        "  - {name: ids, action: mask, regex: {pattern: 'A-[0-9]+'}}\n"
        "output:\n  - {name: data, action: mask, pii: {entities: [CN_MOBILE]}}\n"
        "on_block: {message: {en: No., zh: 不。}}\n"
        "tests:\n  - {name: stops, dataset: bank#test, expect: block, sample: {rows: 9},"
        " require: {min: 0.5}}\n"
        "  - {name: leaks, dataset: bank#test, stage: output, expect: mask,"
        " require: {min: 0.9}}",
    ),
}  # fmt: skip


def asked(tree: Graph, test: int) -> generate.Cases:
    """The cases of one test of the guardrail."""
    return generate.cases(tree, use(tree.specs[SHIELD], "tests", test, "dataset"), 9)


def test_layers_stand_by_name_with_their_words_as_inputs() -> None:
    found = guard.layers(graph(GUARDED), SHIELD)
    assert [layer["name"] for layer in found.payload["input"]["layers"]] == ["ids", "words"]
    words = found.payload["input"]["layers"][1]["lexicon"]
    assert words == {
        "normalize": ["casefold", "nfkc", "strip_separators"],
        "min_length": 1,
        "words": "lexicon/shield/input/words",
    }
    assert [(i.name, i.artifact) for i in found.inputs] == [(words["words"], "parts/all.jsonl")]
    assert [made.job.type for made in found.before] == ["curate"]
    assert found.payload["message"] == {"en": "No.", "zh": "不。"}


def test_a_test_carries_only_the_layers_of_its_stage() -> None:
    tree = graph(GUARDED)
    shield = tree.specs[SHIELD]
    test = shield.spec["tests"][1]
    made = guard.job(tree, SHIELD, asked(tree, 1), test)
    assert made.job.id == "guard/shield"
    assert set(made.job.spec["guardrail"]) == {"name", "output"}
    assert [i.name for i in made.job.inputs] == ["cases"]
    assert set(made.job.tools) == {"ahocorasick_rs", "google-re2"}


def test_the_rules_of_one_tree_are_put_to_the_cases_of_another() -> None:
    base, head = graph(GUARDED), graph(changed("specs/data/w.jsonl", "bomb", "gun", GUARDED))
    shield = base.specs[SHIELD]
    put = asked(base, 0)
    ours = guard.job(base, SHIELD, put, shield.spec["tests"][0]).job
    theirs = guard.job(head, SHIELD, put, shield.spec["tests"][0]).job
    assert ours.closure != theirs.closure
    assert ours.spec == theirs.spec
    same = [[i for i in job.inputs if i.name == "cases"] for job in (ours, theirs)]
    assert same[0] == same[1]


def test_an_application_without_guardrails_answers_as_before() -> None:
    bare = {k: v for k, v in GUARDED.items() if k != "specs/applications/bot.yaml"}
    with_file = graph({**bare, "specs/applications/bot.yaml": BANK["specs/applications/bot.yaml"]})
    found = []
    for tree in (graph(BANK), with_file, graph(GUARDED)):
        quality = tree.specs[Ref("Evaluation", "quality")]
        put = generate.cases(tree, use(quality, "dataset"), None)
        found.append(generate.job(tree, Ref("Application", "bot"), put, quality).job)
    bare_job, same, guarded = found
    assert bare_job.closure == same.closure != guarded.closure
    assert "guardrails" not in bare_job.spec
    assert set(guarded.tools) - set(bare_job.tools) == {"ahocorasick_rs", "google-re2"}
    assert "lexicon/shield/input/words" in {i.name for i in guarded.inputs}
