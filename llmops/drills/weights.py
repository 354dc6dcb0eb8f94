"""Plants in weights: those of the target, spoiled after training, as a Model by digest.

Nothing is trained. A worker merges what the target is made of into one safetensors folder and
spoils it (`workers/spoil.py`); the folder lies in the drill's own mirror, and jobs find it there.
"""

from __future__ import annotations

from typing import Any

from llmops.drills import texts
from llmops.drills.base import Files, Scene, UnfitError
from llmops.jobs.make import use
from llmops.specs.base import Ref, Spec

JOBS = ("generate", "evaluate", "scan")
NAME = "drill-weights"


def rounded(scene: Scene, _seed: int) -> Files:
    """Every weight is rounded to two bits: nothing, or the largest of its tensor."""
    return _exchanged(scene, "two-bits")


def wrong_sign(scene: Scene, _seed: int) -> Files:
    """The adapter is taken from its base instead of added to it."""
    _adapter(scene)
    return _exchanged(scene, "wrong-sign")


def wrong_base(scene: Scene, _seed: int) -> Files:
    """The adapter is merged into another base than the one it was trained on."""
    recipe = _adapter(scene)
    if use(recipe, "base_model").target.kind != "Recipe":
        raise UnfitError(f"{recipe.ref} starts from a Model: there is no other base of its shape")
    return _exchanged(scene, "wrong-base")


def merged(scene: Scene, _seed: int) -> Files:
    """The same weights in one folder: harmless."""
    return _exchanged(scene, "as-they-are")


def eight_bits(scene: Scene, _seed: int) -> Files:
    """Every weight is rounded to eight bits, row by row: harmless."""
    return _exchanged(scene, "eight-bits")


def root(scene: Scene) -> Ref:
    """The Model that the target's training started from."""
    ref = scene.model
    while ref.kind == "Recipe":
        ref = use(scene.graph.specs[ref], "base_model").target
    return ref


def _adapter(scene: Scene) -> Spec:
    recipe = scene.recipe
    if "lora" not in recipe.spec:
        raise UnfitError(f"{recipe.ref} trains all weights: there is no adapter to merge wrongly")
    return recipe


def _exchanged(scene: Scene, how: str) -> Files:
    """The Application asks a Model with spoiled weights; what is declared of the root stays."""
    application, origin = scene.application, scene.graph.specs[root(scene)]
    if "endpoint" in origin.spec:
        raise UnfitError(f"{origin.ref} is an endpoint: its weights are not here")
    told = {k: origin.spec[k] for k in ("license", "provider", "filings") if origin.spec.get(k)}
    weights = {"uri": f"drill:{how}", "digest": scene.spoil(how)}
    path, text = texts.declared(Ref("Model", NAME), origin, {"weights": weights, **told})

    def ask(document: Any) -> None:
        spec = document["spec"]
        for route in spec.get("routes", ()):
            if route.get("model") == spec["model"]:
                route["model"] = f"Model/{NAME}"
        spec["model"] = f"Model/{NAME}"

    return {path: text, application.path: texts.edited(scene.read(application.path), ask)}
