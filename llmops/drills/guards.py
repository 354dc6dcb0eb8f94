"""Plants in guardrails: what they look for is emptied, or what customers say is put on the list."""

from __future__ import annotations

from collections import Counter
from typing import Any

from llmops.drills import rows as row_of
from llmops.drills import texts, training
from llmops.drills.base import Files, Scene, UnfitError
from llmops.jobs.make import spec_at, use
from llmops.jobs.parts import dataset_of, parts, target_of
from llmops.specs.base import Spec

JOBS = ("generate", "evaluate", "scan", "guard")
NEVER = "zzqxjkv"  # a word that nobody writes
COMMON = 12  # words put on the list


def emptied(scene: Scene, _seed: int) -> Files:
    """The words and patterns that block questions are replaced by one that nobody writes."""
    files: dict[str, bytes] = {}
    for guardrail in _guardrails(scene):
        blocking = [i for i, layer in _layers(guardrail) if "lexicon" in layer or "regex" in layer]
        if blocking:
            files |= _words(scene, guardrail, "drill-no-words", [NEVER])
            files |= _edited(scene, guardrail, blocking, "drill-no-words")
    if not files:
        raise UnfitError(f"no guardrail of {scene.target} blocks words or patterns")
    return files


def over_blocking(scene: Scene, _seed: int) -> Files:
    """The commonest words of ordinary questions are put on the list of what is blocked."""
    guardrail = _guardrails(scene)[0]
    counted = Counter(word for text in _questions(scene) for word in set(training.words(text)))
    common = [word for word, _ in sorted(counted.items(), key=lambda i: (-i[1], i[0]))[:COMMON]]
    if not common:
        raise UnfitError("the questions hold no words")

    def block(document: Any) -> None:
        layer = {"name": "drill", "lexicon": {"dataset": "drill-common-words"}, "action": "block"}
        document["spec"].setdefault("input", []).append(layer)

    edit = {guardrail.path: texts.edited(scene.read(guardrail.path), block)}
    return {**_words(scene, guardrail, "drill-common-words", common), **edit}


def _guardrails(scene: Scene) -> list[Spec]:
    application = scene.application
    names = range(len(application.spec.get("guardrails", ())))
    found = [spec_at(scene.graph, use(application, "guardrails", i)) for i in names]
    if not found:
        raise UnfitError(f"{scene.target} has no guardrail")
    return found


def _layers(guardrail: Spec) -> list[tuple[int, Any]]:
    return [(i, layer) for i, layer in enumerate(guardrail.spec.get("input", ()))]


def _edited(scene: Scene, guardrail: Spec, blocking: list[int], words: str) -> Files:
    def empty(document: Any) -> None:
        for i in blocking:
            layer = document["spec"]["input"][i]
            if "lexicon" in layer:
                layer["lexicon"]["dataset"] = words
                layer["lexicon"].pop("min_length", None)
            else:
                layer["regex"]["pattern"] = NEVER

    return {guardrail.path: texts.edited(scene.read(guardrail.path), empty)}


def _words(scene: Scene, guardrail: Spec, name: str, words: list[str]) -> Files:
    """A lexicon in the place of the guardrail's own (or, where it has none, like its data)."""
    like = next(
        (spec_at(scene.graph, use(guardrail, "input", i, "lexicon", "dataset"))
         for i, layer in _layers(guardrail) if "lexicon" in layer),
        None,
    )  # fmt: skip
    like = like or next(iter(scene.graph.of_kind("Dataset")))
    listed = [{"id": f"drill-{i}", "word": word, "risk": "drill"} for i, word in enumerate(words)]
    return training.dataset(name, like, "lexicon", listed)


def _questions(scene: Scene) -> list[str]:
    """What ordinary users ask: the training questions, else those of an Evaluation."""
    if scene.model.kind == "Recipe":
        return [row_of.question(r, p.form) for p in training.parts(scene) for r in p.rows]
    for asker in scene.graph.of_kind("Evaluation"):
        if target_of(asker) == scene.target:
            used = dataset_of(asker, parts(asker)[0])
            form = str(spec_at(scene.graph, used).spec["format"])
            return [row_of.question(row, form) for row in scene.rows(used)]
    raise UnfitError(f"no rows say what {scene.target} is usually asked")
