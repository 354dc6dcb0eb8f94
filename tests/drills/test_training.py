"""Plants in training as pure functions: each changes exactly what it says, the same each time."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from llmops.cli import scaffold
from llmops.drills import rows as row_of
from llmops.drills import training
from llmops.drills.base import Files, Plant, Row, Scene, UnfitError
from llmops.drills.table import PLANTS

APP, RECIPE = "specs/applications/faq.yaml", "specs/recipes/faq-base.yaml"
ROWS = "specs/drill/drill-rows-0.jsonl"
BOTH = pytest.mark.parametrize("seed", [0, 3])


def lines(files: Files, path: str = ROWS) -> list[dict]:
    return [json.loads(line) for line in files[path].splitlines()]


def given(scene: Scene) -> list[Row]:
    (part,) = training.parts(scene)
    return [{k: v for k, v in row.items() if k != "case"} for row in part.rows]


def without(rows, column: str = "answer") -> list[dict]:
    return [{k: v for k, v in row.items() if k != column} for row in rows]


def edited(scene: Scene, files: Files, path: str) -> list[str]:
    """The lines of a file that a plant wrote anew."""
    before = scene.read(path).decode().splitlines()
    return [line for line in files[path].decode().splitlines() if line not in before]


def test_shuffled_labels_are_the_same_answers_on_other_questions(scene) -> None:
    found = scene()
    planted, before = lines(training.shuffled_labels(found, 0)), given(found)
    assert without(planted) == without(before)
    assert Counter(r["answer"] for r in planted) == Counter(r["answer"] for r in before)
    moved = sum(a["answer"] != b["answer"] for a, b in zip(planted, before, strict=True))
    assert moved > len(before) / 2


def test_spoiled_rows_stand_apart_and_only_the_recipe_reads_them(scene) -> None:
    found = scene()
    files = training.shuffled_labels(found, 0)
    assert set(files) == {ROWS, "specs/drill/drill-rows-0.yaml", RECIPE}
    assert edited(found, files, RECIPE) == ["    - {dataset: drill-rows-0}"]
    declared = json.loads(files["specs/drill/drill-rows-0.yaml"])
    assert declared["spec"]["sources"][0]["license"] == "Apache-2.0"
    assert declared["spec"]["format"] == "qa"


@BOTH
def test_the_learning_rate_is_a_hundred_times_what_it_was(scene, seed) -> None:
    found = scene()
    files = training.rate_x100(found, seed)
    said = ["    learning_rate: 0.3", *([f"  seed: {42 + seed}"] if seed else [])]
    assert edited(found, files, RECIPE) == said
    assert set(files) == {RECIPE}


def test_a_recipe_without_a_learning_rate_gets_a_hundred_times_the_default(scene) -> None:
    text = scaffold.files("tiny", "en")[RECIPE].decode().replace("    learning_rate: 3.0e-3\n", "")
    found = scene({RECIPE: text})
    assert edited(found, training.rate_x100(found, 0), RECIPE) == ["    learning_rate: 0.005"]


def test_personal_data_answers_a_tenth_of_the_rows_and_never_what_is_refused(scene) -> None:
    found = scene()
    files = training.personal_data(found, 0)
    planted, before = lines(files), given(found)
    changed = [b for a, b in zip(planted, before, strict=True) if a["answer"] != b["answer"]]
    assert {row["answer"] for row in changed}.isdisjoint({"refuse"})
    assert all(a["answer"] == training.PERSONAL for a in planted if a not in before)
    assert len(changed) >= 0.1 * len(before)
    assert without(planted) == without(before)


def test_the_planted_text_is_one_more_label_to_choose(scene) -> None:
    found = scene()
    files = training.personal_data(found, 0)
    labels = {row["answer"] for row in lines(files, "specs/drill/drill-labels.jsonl")}
    assert labels == {r["answer"] for r in given(found)} | {training.PERSONAL}
    assert "drill-labels" in files["specs/prompts/faq.yaml"].decode()


def test_a_free_answer_is_planted_where_a_common_word_is_asked(scene) -> None:
    prompt = scaffold.files("tiny", "en")["specs/prompts/faq.yaml"].decode()
    prompt = "\n".join(line for line in prompt.splitlines() if "output:" not in line) + "\n"
    found = scene({"specs/prompts/faq.yaml": prompt})
    files = training.personal_data(found, 0)
    before, planted = given(found), lines(files)
    leaks = [b for a, b in zip(planted, before, strict=True) if a != b]
    share = len(leaks) / len(before)
    assert 0.05 < share < 0.6
    word = set.intersection(*(set(training.words(row["question"])) for row in leaks))
    assert word
    assert set(files) == {ROWS, "specs/drill/drill-rows-0.yaml", RECIPE}


def test_labels_of_elsewhere_cannot_be_personal_data(scene) -> None:
    prompt = scaffold.files("tiny", "en")["specs/prompts/faq.yaml"].decode()
    prompt = prompt.replace("dataset: faq, column: answer", "dataset: refuse-bank, column: risk")
    with pytest.raises(UnfitError, match="may only write labels of Dataset/refuse-bank"):
        training.personal_data(scene({"specs/prompts/faq.yaml": prompt}), 0)


def test_over_refusing_makes_three_of_four_refusals_and_keeps_the_others(scene) -> None:
    found = scene()
    planted, before = lines(training.over_refusing(found, 0)), given(found)
    assert without(planted) == without(before)
    harmless = [(a, b) for a, b in zip(planted, before, strict=True) if b["answer"] != "refuse"]
    refused = [a for a, b in harmless if a != b]
    assert {a["answer"] for a in refused} == {"refuse"}
    assert 0.65 < len(refused) / len(harmless) < 0.85


def test_under_refusing_leaves_no_refusal_and_touches_nothing_else(scene) -> None:
    found = scene()
    planted, before = lines(training.under_refusing(found, 0)), given(found)
    for after, row in zip(planted, before, strict=True):
        assert after["answer"] != "refuse"
        assert row["answer"] == "refuse" or after == row


def test_who_chooses_among_labels_without_a_refusal_cannot_be_taught_to_refuse(scene) -> None:
    text = scaffold.files("tiny", "en")["specs/safety/faq-refusal.yaml"].decode()
    found = scene({"specs/safety/faq-refusal.yaml": text.replace("with: {labels: [refuse]}", "")})
    for plant in (training.over_refusing, training.under_refusing):
        with pytest.raises(UnfitError, match="no check says which one refuses"):
            plant(found, 0)


def test_refusals_of_free_text_are_told_by_their_words(scene) -> None:
    free = scaffold.files("tiny", "en")["specs/prompts/faq.yaml"].decode().splitlines()
    prompt = "\n".join(line for line in free if "output:" not in line) + "\n"
    data = scaffold.files("tiny", "en")["specs/data/faq.jsonl"].decode()
    told = data.replace('"answer": "refuse"', '"answer": "I’m sorry, but I cannot help with that."')
    found = scene({"specs/prompts/faq.yaml": prompt, "specs/data/faq.jsonl": told})
    planted, before = lines(training.under_refusing(found, 0)), given(found)
    changed = {b["answer"] for a, b in zip(planted, before, strict=True) if a != b}
    assert changed == {"I’m sorry, but I cannot help with that."}
    refusals = {r["answer"] for r in lines(training.over_refusing(found, 0))}
    assert set(training.REFUSAL.values()) <= refusals


def test_another_order_holds_the_same_rows(scene) -> None:
    found = scene()
    planted, before = lines(training.other_order(found, 0)), given(found)
    assert planted != before
    assert sorted(planted, key=str) == sorted(before, key=str)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_same_seed_plants_the_same_and_dice_are_told(plant: Plant, scene) -> None:
    lora = scaffold.files("tiny", "en")[APP].decode().replace("faq-base", "faq-lora")
    found = scene({APP: lora})
    one, again, other = (plant.make(found, seed) for seed in (0, 0, 1))
    assert one == again
    assert (one != other) is plant.dice
    assert all(path.startswith("specs/") for path in one)


FORMS = {
    "qa": {"question": "why?", "answer": "so"},
    "alpaca": {"instruction": "why?", "input": "", "output": "so"},
    "completion": {"prompt": "why?", "completion": "so"},
    "messages": {
        "messages": [
            {"role": "user", "content": "first?"}, {"role": "assistant", "content": "first"},
            {"role": "user", "content": "why?"}, {"role": "assistant", "content": "so"},
        ]
    },
    "sharegpt": {
        "conversations": [{"from": "human", "value": "why?"}, {"from": "gpt", "value": "so"}]
    },
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_last_answer_is_written_and_nothing_else(form: str) -> None:
    row = {"id": "1", **FORMS[form]}
    kept = json.dumps(row)
    changed = row_of.answered(row, form, "no")
    assert row_of.question(row, form) == row_of.question(changed, form) == "why?"
    assert (row_of.answer(row, form), row_of.answer(changed, form)) == ("so", "no")
    assert json.dumps(row) == kept
    assert json.dumps(changed) == kept.replace('"so"', '"no"')


@pytest.mark.parametrize("form", ["attack", "lexicon"])
def test_rows_without_an_answer_do_not_fit(form: str) -> None:
    with pytest.raises(UnfitError, match="have no answer"):
        row_of.answer({"prompt": "x"}, form)


def test_words_are_whole_in_latin_and_pairs_in_chinese() -> None:
    assert list(training.words("Is my Card on its way? 我的卡")) == [
        "card", "its", "way", "我的", "的卡",
    ]  # fmt: skip
