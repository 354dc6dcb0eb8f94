"""Rule `prompt-tests`: the golden text of every render test was rendered from this very prompt.

A Prompt's `tests` without `expect` have a golden text beside the spec, so that a pull request shows
what a model will read. Its first line holds the digest of the prompt, the few-shot files and the
test's values that it was rendered from. Only that digest is compared here, since nothing of a pull
request is executed while it is judged: `llmops prompt test` renders, in a process with limits, and
tells a text that was forged.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.graph.build import Graph
from llmops.prompts import golden
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info
from llmops.specs.base import Spec

INFO = Info(
    id="prompt-tests",
    why="who reviews a prompt must see the text that a model gets, as it is now",
    fix="llmops prompt test --update, and commit the golden text with the prompt",
    controls=("iso42001/A.6.2.4",),
    good="""\
kind: Prompt
spec:  # specs/prompts/golden/ask/plain.txt is rendered from these messages
  inputs: {question: {type: string}}
  messages: [{role: user, content: "{{ question }}"}]
  tests: [{name: plain, inputs: {question: hello}}]
""",
    bad="""\
kind: Prompt
spec:  # its golden text says "{{ question }}" alone, as the prompt was before
  inputs: {question: {type: string}}
  messages: [{role: user, content: "Answer briefly: {{ question }}"}]
  tests: [{name: plain, inputs: {question: hello}}]
""",
)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each test whose golden text is missing, or is that of another prompt."""
    for prompt in facts.head.of_kind("Prompt"):
        for i, test in enumerate(prompt.spec.get("tests", ())):
            if "expect" not in test and (wrong := _wrong(facts, prompt, i)):
                yield Finding(
                    INFO.id, f"{prompt.ref}/{test['name']}", Outcome.FAILED, wrong, INFO.fix,
                    facts.place("head", prompt.ref, ("spec", "tests", i)),
                )  # fmt: skip


def meaning_of(graph: Graph, prompt: Spec, i: int) -> str:
    """Digest of all that decides the text of a prompt's test."""
    shots = [graph.files[f.path] for f in prompt.files if "few_shot" in f.loc]
    return golden.meaning(prompt.spec, shots, prompt.spec["tests"][i]["inputs"])


def _wrong(facts: Facts, prompt: Spec, i: int) -> str:
    name = prompt.spec["tests"][i]["name"]
    path = golden.path(prompt.path, prompt.ref.name, name)
    kept = facts.text(path)
    if kept is None:
        return f"{prompt.ref}: test {name} has no golden text {path}"
    if golden.rendered_from(kept) != meaning_of(facts.head, prompt, i):
        return f"{prompt.ref}: the golden text {path} is not of this prompt"
    return ""
