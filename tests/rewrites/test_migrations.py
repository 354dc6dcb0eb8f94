"""Migrations: older words become today's, comments stay, and no closure or verdict changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.graph.fingerprint import fingerprints
from llmops.rewrites import layout, syntax
from llmops.rewrites.migrations import VERSIONS, WORDS, Version, migrated
from llmops.rewrites.style import formatted, unmarked
from llmops.rewrites.syntax import Node
from llmops.source.document import parse
from llmops.specs.load import load_one
from tests import trees
from tests.rewrites.messy import texts
from tests.rewrites.test_write import VALUES
from tests.rewrites.texts import OTHERS, OURS, name, paths, text

RECIPE = """\
apiVersion: llmops/v1alpha1
kind: Recipe
metadata: {{name: a}}
spec:
  base_model: m
  data: [{{dataset: d}}]
  full: {{}}
  training: {training}
  deepspeed:
    zero_optimization: {zero}
"""


def recipe(training: str = "{}", zero: str = "{}") -> str:
    return RECIPE.format(training=training, zero=zero)


CASES = [
    ("{warmup_ratio: 0.03}", "{}", "{warmup_steps: 0.03}", "{}"),
    ("{warmup_ratio: 0}", "{}", "{warmup_steps: 0}", "{}"),
    ("{group_by_length: true}", "{}", "{train_sampling_strategy: group_by_length}", "{}"),
    ("{group_by_length: false}", "{}", "{train_sampling_strategy: random}", "{}"),
    ("{per_gpu_train_batch_size: 4}", "{}", "{per_device_train_batch_size: 4}", "{}"),
    ("{}", "{cpu_offload: true}", "{}", "{offload_optimizer: {device: cpu}}"),
    ("{}", "{cpu_offload_param: false}", "{}", "{offload_param: {device: none}}"),
    (
        "{}", "{stage3_gather_fp16_weights_on_model_save: true}",
        "{}", "{stage3_gather_16bit_weights_on_model_save: true}",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("training", "zero", "now", "then"), CASES)
def test_each_old_word_is_refused_by_validate_and_mended(training, zero, now, then) -> None:
    old = recipe(training, zero)
    document = parse("a.yaml", old.encode()).document
    assert document is not None
    spec, found = load_one(document)
    assert spec is None
    assert "llmops migrate does it" in found[0].hint
    done = migrated(old, "a.yaml")
    assert done.text == formatted(recipe(now, then), "a.yaml").text
    assert len(done.changes) == 1
    assert migrated(done.text, "a.yaml") == migrated(recipe(), "a.yaml")


@pytest.mark.parametrize(
    "training",
    [
        "{warmup_ratio: 1.0}",  # all steps: as warmup_steps it would be one step
        "{warmup_ratio: 0.1, warmup_steps: 5}",
        "{warmup_ratio: '0.1'}",
        "{group_by_length: maybe}",
        "{per_gpu_train_batch_size: 4, per_device_train_batch_size: 8}",
    ],
)
def test_what_has_no_plain_answer_is_left_to_people(training: str) -> None:
    assert migrated(recipe(training), "a.yaml").text is None


def test_what_cannot_be_loaded_afterwards_is_told_and_not_written() -> None:
    done = migrated(recipe("{warmup_ratio: 0.1, learning_rat: 1e-3}"), "a.yaml")
    assert done.text is None
    assert [d.rule for d in done.diagnostics] == ["unknown-field"]
    assert "learning_rat" in done.diagnostics[0].message
    done = migrated("a: 1\na: 2\n", "a.yaml")
    assert [d.rule for d in done.diagnostics] == ["duplicate-key"]


@pytest.mark.parametrize("path", [pytest.param(p, id=name(p)) for p in paths(*OURS, *OTHERS)])
def test_specs_that_are_right_are_left_and_no_mistake_is_made_worse(path) -> None:
    source = text(path)
    done = migrated(source, path.name)
    before = parse(path.name, unmarked(source).encode("utf-8", "surrogateescape")).document
    if before is None or load_one(before)[0] is not None:
        assert done.text is None
        assert done.changes == ()
    elif done.text is not None:
        after = parse(path.name, done.text.encode()).document
        assert after is not None
        assert load_one(after)[0] is not None


OLD = st.fixed_dictionaries(
    {},
    optional={
        "warmup_ratio": st.sampled_from([0, 0.03, 0.5]),
        "group_by_length": st.booleans(),
        "per_gpu_train_batch_size": st.integers(1, 64),
        "learning_rate": st.sampled_from([1e-4, 2.0]),
        "max_steps": st.integers(1, 9),
    },
)
ZERO = st.fixed_dictionaries(
    {"stage": st.integers(0, 3)},
    optional={"cpu_offload": st.booleans(), "cpu_offload_param": st.booleans()},
)


def value(training: Mapping[str, object], zero: Mapping[str, object]) -> dict[str, object]:
    spec = {
        "base_model": "m", "data": [{"dataset": "d"}], "full": {}, "training": training,
        "deepspeed": {"zero_optimization": zero},
    }  # fmt: skip
    return {
        "apiVersion": "llmops/v1alpha1", "kind": "Recipe", "metadata": {"name": "a"}, "spec": spec,
    }  # fmt: skip


@settings(max_examples=60)
@given(texts(st.builds(value, OLD, ZERO)))
def test_any_spelling_of_old_words_is_mended_once_with_its_comments(drawn) -> None:
    source, given_, comments = drawn
    done = migrated(source, "a.yaml")
    spec = given_["spec"]
    words = (*spec["training"], *spec["deepspeed"]["zero_optimization"])
    old = [word for word in words if word in OLD_WORDS]
    assert len(done.changes) == len(old)
    if not old:
        assert done.text is None
        return
    assert done.text is not None
    assert Counter(c.rstrip() for c in comments) == syntax.comments(syntax.read(done.text))
    assert formatted(done.text, "a.yaml").text == done.text
    assert migrated(done.text, "a.yaml").text is None


OLD_WORDS = (
    "warmup_ratio", "group_by_length", "per_gpu_train_batch_size", "cpu_offload",
    "cpu_offload_param",
)  # fmt: skip


# A version that only this test knows: v0 called three things otherwise.
NAMES = {key: f"{key}_v0" for key in ("base_model", "dataset", "target", "owner")}


def to_today(root: Node) -> Iterator[str]:
    today = {old: new for new, old in NAMES.items()}
    for node in syntax.walk(root):
        for entry in node.entries:
            if entry.key is not None and entry.key.text in today:
                new = today[entry.key.text]
                yield f"{entry.key.text} -> {new}"
                entry.key.text = new


def to_v0(source: str) -> str:
    """A spec of today as v0 had it."""
    found = syntax.read(unmarked(source))
    for node in syntax.walk(found.root):
        for entry in node.entries:
            if entry.key is not None and entry.key.text in NAMES:
                entry.key.text = NAMES[entry.key.text]
    found.root.get("apiVersion").text = "llmops/v0"  # type: ignore[union-attr]
    return layout.text(found)


V0 = {"llmops/v0": Version("llmops/v1alpha1", to_today)}
RIGHT = [
    pytest.param(path, id=name(path))
    for path in paths(*OURS)
    if "apiVersion" in VALUES.get(name(path), ())
]


@pytest.mark.parametrize("path", RIGHT)
def test_a_version_step_gives_the_same_spec_with_its_comments(path) -> None:
    before = parse(path.name, path.read_bytes()).document
    assert before is not None
    old = to_v0(text(path))
    assert load_one(parse(path.name, old.encode()).document)[0] is None  # type: ignore[arg-type]
    done = migrated(old, path.name, V0)
    assert done.text is not None, done.diagnostics
    after = parse(path.name, done.text.encode()).document
    assert after is not None
    assert load_one(after)[0] == load_one(before)[0]
    assert syntax.comments(syntax.read(done.text)) == syntax.comments(syntax.read(text(path)))
    assert done.changes[-1] == "apiVersion: llmops/v0 -> llmops/v1alpha1"
    assert migrated(done.text, path.name, V0).text is None


def test_a_migrated_tree_has_the_same_fingerprints_so_no_closure_and_no_verdict_changes() -> None:
    old = {p: to_v0(t) if p.endswith(".yaml") else t for p, t in trees.BANK.items()}
    new = {p: migrated(t, p, V0).text or "" if p.endswith(".yaml") else t for p, t in old.items()}
    assert fingerprints(trees.graph(new)) == fingerprints(trees.graph(trees.BANK))
    assert new != dict(trees.BANK)


def test_steps_follow_each_other_up_to_the_newest_version() -> None:
    table = {**V0, "llmops/v00": Version("llmops/v0", lambda root: iter(()))}
    old = recipe().replace("llmops/v1alpha1", "llmops/v00")
    changes = migrated(old, "a.yaml", table).changes
    assert changes[0] == "apiVersion: llmops/v00 -> llmops/v0"
    assert changes[-1] == "apiVersion: llmops/v0 -> llmops/v1alpha1"


def test_a_step_that_would_change_a_meaning_is_refused() -> None:
    def wrong(root: Node) -> Iterator[str]:
        seed = Node("scalar", "7", "7")
        root.get("spec").entries.append(syntax.Entry(seed, Node("scalar", "seed", "seed")))  # type: ignore[union-attr]
        yield "seed"

    done = migrated(recipe(), "a.yaml", words=(wrong,))
    assert done.text is None
    assert [d.rule for d in done.diagnostics] == ["not-kept"]


def test_a_step_that_loses_a_comment_is_refused() -> None:
    def careless(root: Node) -> Iterator[str]:
        root.entries[0].beside = ""
        yield "tidied"

    source = recipe().replace("v1alpha1\n", "v1alpha1  # keep me\n")
    done = migrated(source, "a.yaml", words=(careless,))
    assert done.text is None
    assert [d.rule for d in done.diagnostics] == ["not-kept"]


def test_versions_lead_to_the_newest_and_every_step_says_its_source() -> None:
    assert VERSIONS == {}
    assert all(len(step.__doc__ or "") >= 20 for step in WORDS)
