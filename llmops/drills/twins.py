"""Harmless edits of text: a comment and an owner, and a prompt that says the same."""

from __future__ import annotations

import re
from typing import Any

from llmops.drills import texts
from llmops.drills.base import Files, Scene, UnfitError
from llmops.jobs.make import spec_at, use

_PLAIN = re.compile(r"{{ *([A-Za-z_]\w*) *}}")


def reformatted(scene: Scene, _seed: int) -> Files:
    """Every spec of the target gets a comment, and the target another owner: nothing runs."""
    refs = {scene.target, scene.model}
    files = {
        spec.path: b"# the same, with a comment\n" + scene.read(spec.path)
        for ref, spec in scene.graph.specs.items()
        if ref in refs
    }

    def hand_over(document: Any) -> None:
        document["metadata"]["owner"] = "team-drill"

    path = scene.graph.specs[scene.target].path
    return {**files, path: texts.edited(files[path], hand_over)}


def trimmed(scene: Scene, _seed: int) -> Files:
    """The prompt trims what it is given: the same text for whoever wrote no spaces around it.

    Its render tests go: a golden text of another template is stale, and no harm to find.
    """
    application = scene.application
    if "prompt" not in application.spec:
        raise UnfitError(f"{scene.target} has no prompt")
    prompt = spec_at(scene.graph, use(application, "prompt"))
    changed = 0

    def trim(document: Any) -> None:
        nonlocal changed
        document["spec"].pop("tests", None)
        for message in document["spec"]["messages"]:
            text, count = _PLAIN.subn(r"{{ \1 | trim }}", str(message["content"]))
            if count:
                message["content"] = text
                changed += count

    text = texts.edited(scene.read(prompt.path), trim)
    if not changed:
        raise UnfitError(f"{prompt.ref} has no plain {{{{ input }}}} to trim")
    return {prompt.path: text}
