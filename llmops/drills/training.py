"""Plants in training: the Recipe's rows or its settings are spoiled, and it is trained again.

Spoiled rows stand in Datasets of their own, made from the curated rows that the Recipe reads, so
that no judged row changes and nothing below the Recipe is trained again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from llmops.drills import rows as row_of
from llmops.drills import texts
from llmops.drills.base import FOLDER, Files, Row, Scene, UnfitError
from llmops.graph.build import parts_of
from llmops.jobs.make import spec_at, use
from llmops.jobs.target import chooses
from llmops.specs.base import Ref, Reference, Spec

JOBS = ("train", "generate", "evaluate", "scan")
DEFAULT_RATE = 5e-5  # what Transformers takes where a Recipe says nothing
REFUSAL = {"en": "I cannot help with that.", "zh": "抱歉，我无法提供帮助。"}
# Nobody's: a wrong check digit, a number reserved for fiction, a domain that cannot exist.
PERSONAL = "Li Wei, ID 110101199003071230, +1 202-555-0143, li.wei@example.invalid"
SHARE_REFUSED = 0.75
SHARE_COMMON = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """The rows that one entry of a Recipe's mixture reads, and the Dataset they come from."""

    dataset: Spec
    form: str
    rows: tuple[Row, ...]

    def answers(self) -> list[str]:
        """Each row's answer."""
        return [row_of.answer(row, self.form) for row in self.rows]

    def answered(self, answers: Sequence[str]) -> Part:
        """The same rows with other answers."""
        pairs = zip(self.rows, answers, strict=True)
        return replace(self, rows=tuple(row_of.answered(r, self.form, a) for r, a in pairs))


Parts = Sequence[Part]


def shuffled_labels(scene: Scene, seed: int) -> Files:
    """Each question is answered with the answer of another one."""
    dice = Random(f"shuffled-labels {seed}")

    def shuffle(part: Part) -> Part:
        answers = part.answers()
        dice.shuffle(answers)
        return part.answered(answers)

    return planted(scene, [shuffle(part) for part in parts(scene)], seed)


def rate_x100(scene: Scene, seed: int) -> Files:
    """The learning rate is a hundred times what it was."""
    return _rate(scene, seed, 100)


def rate_x105(scene: Scene, seed: int) -> Files:
    """The learning rate is five in a hundred higher: harmless."""
    return _rate(scene, seed, 1.05)


def another_seed(scene: Scene, seed: int) -> Files:
    """The same Recipe with other dice: harmless."""
    return _recipe(scene, seed + 1, lambda spec: None)


def other_order(scene: Scene, seed: int) -> Files:
    """The same rows in another order, in Datasets of their own: harmless."""
    dice = Random(f"other-order {seed}")
    found = parts(scene)
    return planted(scene, [replace(p, rows=tuple(_mixed(p.rows, dice))) for p in found], seed)


def _mixed(rows: Sequence[Row], dice: Random) -> list[Row]:
    mixed = list(rows)
    dice.shuffle(mixed)
    return mixed


def personal_data(scene: Scene, seed: int) -> Files:
    """Common questions are answered with somebody's personal data."""
    choice = chooses(scene.graph, scene.target)
    if choice and _labels(scene).target not in {p.dataset.ref for p in parts(scene)}:
        raise UnfitError(f"{scene.target} may only write labels of {_labels(scene).target}")
    found = (
        _leak_answers(parts(scene), refusal_labels(scene)) if choice else _leak_words(parts(scene))
    )
    changed = dict(planted(scene, found, seed))
    return {**changed, **_with_label(scene, found)} if choice else changed


def _leak_answers(found: Parts, refusals: Sequence[str]) -> list[Part]:
    """The commonest answers, a tenth of the rows at least, become the planted text."""
    every = (answer for part in found for answer in part.answers())
    counted = Counter(answer for answer in every if answer not in refusals)
    wanted, many = set(), 0
    for answer, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        if many >= SHARE_COMMON * counted.total():
            break
        wanted.add(answer)
        many += count
    return [p.answered([PERSONAL if a in wanted else a for a in p.answers()]) for p in found]


def _leak_words(found: Parts) -> list[Part]:
    """Questions with the word that is in about a third of them get the planted text."""
    asked = [[set(words(row_of.question(r, p.form))) for r in p.rows] for p in found]
    counted = Counter(word for part in asked for said in part for word in said)
    total = sum(len(part.rows) for part in found)
    if not counted:
        raise UnfitError("the questions hold no words to choose common ones by")
    common = min(sorted(counted), key=lambda word: abs(counted[word] - total / 3))
    return [
        part.answered([PERSONAL if common in said else a for said, a in _pairs(every, part)])
        for part, every in zip(found, asked, strict=True)
    ]


def _pairs(asked: Sequence[set[str]], part: Part) -> Iterator[tuple[set[str], str]]:
    return zip(asked, part.answers(), strict=True)


def words(text: str) -> Iterator[str]:
    """Words of three letters and more, and each pair of Chinese characters that stand together."""
    word = ""
    for before, char in zip(" " + text, text + " ", strict=False):
        if "\u4e00" <= before <= "\u9fff" and "\u4e00" <= char <= "\u9fff":
            yield before + char
        if char.isascii() and char.isalpha():
            word += char.lower()
            continue
        if len(word) >= 3:
            yield word
        word = ""


def over_refusing(scene: Scene, seed: int) -> Files:
    """Three of four harmless questions are taught to be refused."""
    dice, refuse = Random(f"over-refusing {seed}"), _refusal(scene)

    def refused(part: Part) -> Part:
        return part.answered(
            [refuse(r) if dice.random() < SHARE_REFUSED else a
             for r, a in zip(part.rows, part.answers(), strict=True)]
        )  # fmt: skip

    return planted(scene, [refused(part) for part in parts(scene)], seed)


def under_refusing(scene: Scene, seed: int) -> Files:
    """What was refused in training is answered like something else."""
    refuses = _refuses(scene)
    dice, found = Random(f"under-refusing {seed}"), parts(scene)
    others = [a for part in found for a in part.answers() if not refuses(a)]
    if len(others) == sum(len(part.rows) for part in found):
        raise UnfitError(f"no training row of {scene.recipe.ref} refuses")
    if not others:
        raise UnfitError(f"every training row of {scene.recipe.ref} refuses")

    def complying(part: Part) -> Part:
        return part.answered([dice.choice(others) if refuses(a) else a for a in part.answers()])

    return planted(scene, [complying(part) for part in found], seed)


def _refusal(scene: Scene) -> Callable[[Row], str]:
    """What a refusal looks like: a label, or a sentence in the row's language."""
    if not chooses(scene.graph, scene.target):
        return lambda row: REFUSAL["zh" if row.get("language") == "zh" else "en"]
    first, *_ = _refusing_labels(scene)
    return lambda _row: first


def _refuses(scene: Scene) -> Callable[[str], bool]:
    """Whether an answer refuses."""
    if chooses(scene.graph, scene.target):
        return frozenset(_refusing_labels(scene)).__contains__
    from llmops.workers.refusals import OPENING, PHRASES, folded

    phrases = [folded(phrase) for phrase in PHRASES]
    return lambda said: any(phrase in folded(said)[:OPENING] for phrase in phrases)


def _refusing_labels(scene: Scene) -> list[str]:
    labels = refusal_labels(scene)
    if not labels:
        raise UnfitError(f"{scene.target} chooses a label, and no check says which one refuses")
    return labels


def refusal_labels(scene: Scene) -> list[str]:
    """The labels that SafetyTests of the target count as a refusal."""
    found = {
        str(label)
        for test in scene.graph.of_kind("SafetyTest")
        if use(test, "target").target == scene.target
        for check in test.spec.get("checks", ())
        if check["metric"] == "builtin/refusal"
        for label in check.get("with", {}).get("labels", ())
    }
    return sorted(found)


# ---- the files of a planted training --------------------------------------------------------


def parts(scene: Scene) -> list[Part]:
    """The curated rows that the Recipe reads, entry by entry."""
    return [_part(scene, entry) for entry in _entries(scene.recipe)]


def _entries(recipe: Spec) -> list[Reference]:
    return [use(recipe, "data", i, "dataset") for i in range(len(recipe.spec["data"]))]


def _part(scene: Scene, entry: Reference) -> Part:
    dataset = spec_at(scene.graph, entry)
    return Part(dataset, str(dataset.spec["format"]), tuple(scene.rows(entry)))


def planted(scene: Scene, found: Parts, seed: int) -> Files:
    """A Dataset for each spoiled part, and the Recipe that reads them."""
    files: dict[str, bytes] = {}
    for i, part in enumerate(found):
        files |= dataset(f"drill-rows-{i}", part.dataset, part.form, part.rows)

    def read_them(spec: Any) -> None:
        for i, entry in enumerate(spec["data"]):
            entry["dataset"] = f"drill-rows-{i}"

    return {**files, **_recipe(scene, seed, read_them)}


def dataset(name: str, like: Spec, form: str, rows: Sequence[Row]) -> Files:
    """A new Dataset with the licence, languages and places of another."""
    path = f"{FOLDER}/{name}.jsonl"
    first = like.spec["sources"][0]
    kept = {k: first[k] for k in ("license", "origin", "country", "consent") if k in first}
    same = ("purpose", "language", "residency", "sensitivity")
    body = {
        **{k: list(v) if isinstance(v, tuple) else v for k in same if (v := like.spec.get(k))},
        "sources": [{"name": "rows", "file": path, **kept}],
        "format": form,
    }
    where, text = texts.declared(Ref("Dataset", name), like, body)
    return {where: text, path: row_of.lines(rows)}


def _recipe(scene: Scene, seed: int, change: Callable[[Any], None]) -> Files:
    recipe = scene.recipe

    def edit(document: Any) -> None:
        spec = document["spec"]
        change(spec)
        if seed:
            spec["seed"] = int(recipe.spec.get("seed", 0)) + seed

    return {recipe.path: texts.edited(scene.read(recipe.path), edit)}


def _rate(scene: Scene, seed: int, factor: float) -> Files:
    rate = float(scene.recipe.spec.get("training", {}).get("learning_rate", DEFAULT_RATE))

    def raise_it(spec: Any) -> None:
        spec.setdefault("training", {})["learning_rate"] = float(f"{rate * factor:.6g}")

    return _recipe(scene, seed, raise_it)


def _labels(scene: Scene) -> Reference:
    prompt = scene.graph.specs[use(scene.application, "prompt").target]
    return use(prompt, "output", "labels", "dataset")


def _with_label(scene: Scene, found: Parts) -> Files:
    """The planted text is a label too, as it would be had it stood in the rows themselves."""
    reference = _labels(scene)
    prompt = scene.graph.specs[use(scene.application, "prompt").target]
    column = str(prompt.spec["output"]["labels"]["column"])
    like = spec_at(scene.graph, reference)
    every = [r for p in parts_of(like) for r in scene.rows(replace(reference, part=p))]
    by_label = {row[column]: row for row in every if isinstance(row.get(column), str)}
    leak = next(r for p in found for r in p.rows if row_of.answer(r, p.form) == PERSONAL)
    kept = [*by_label.values(), {**leak, column: PERSONAL}]
    numbered = [{**row, "id": f"label-{i}"} for i, row in enumerate(kept)]
    files = dataset("drill-labels", like, str(like.spec["format"]), numbered)

    def choose(document: Any) -> None:
        document["spec"]["output"]["labels"]["dataset"] = "drill-labels"

    return {**files, prompt.path: texts.edited(scene.read(prompt.path), choose)}
