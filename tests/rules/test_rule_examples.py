"""Every rule's own examples: they parse, what is good holds, and what is bad is found.

An example is one YAML document or several, each the part of a spec that matters. It is laid over a
small tree: over the first spec of its kind, or that of its name, else as a new spec.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from llmops.diagnostics import Severity
from llmops.jobs.make import Made
from llmops.prompts import golden
from llmops.rules import prompt_tests
from llmops.rules.base import Outcome
from llmops.rules.facts import Approval
from llmops.rules.verdict import INFOS
from llmops.source.document import parse
from llmops.specs.base import Ref
from tests.rules.world import World, right
from tests.trees import BANK, read, spec

UNANSWERED = ("fail-on", "bank-classes")  # made-up rows answer Evaluations only
TREE = {
    **BANK,
    "specs/safety/safe.yaml": spec(
        "SafetyTest", "safe",
        "target: Application/bot\n"
        "suites: [{name: scan, giskard: {detectors: [ethical_bias], dataset: bank#test}}]\n"
        "fail_on: {severity: low}",
    ),
    "specs/datasets/attacks.yaml": spec(
        "Dataset", "attacks",
        "purpose: [attack]\nformat: attack\n"
        "sources: [{name: all, file: specs/data/bank.jsonl, license: Apache-2.0,"
        " origin: synthetic}]",
    ),
}  # fmt: skip
FOLDERS = {"Environment": "specs/environments", "Policy": "policies", "Model": "specs/models",
           "Dataset": "specs/datasets"}  # fmt: skip
CODEOWNERS = ("* @acme/team-quality",)


def plain(text: str) -> dict[str, Any]:
    parsed = parse("example.yaml", text.encode())
    assert parsed.document is not None, parsed.diagnostics
    assert not parsed.diagnostics
    value = parsed.document.value
    assert isinstance(value, dict)
    return value


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Maps are merged, anything else is taken from above."""
    found = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


def laid(text: str, files: Mapping[str, str] = BANK) -> tuple[dict[str, str], set[str]]:
    """The tree with an example laid over it, and the files that it touched."""
    found, touched = dict(files), set[str]()
    for document in re.split(r"^---\n", text, flags=re.MULTILINE):
        part = plain(document)
        path, below = _under(part, found)
        found[path] = json.dumps(merged(below, part))
        touched.add(path)
    return found, touched


def _under(part: Mapping[str, Any], files: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    name = part.get("metadata", {}).get("name")
    for path, text in files.items():
        if path.endswith(".yaml"):
            known = plain(text)
            if known["kind"] == part["kind"] and name in (None, known["metadata"]["name"]):
                return path, known
    own = name or "example"
    head = {"apiVersion": "llmops/v1alpha1", "metadata": {"name": own}}
    return f"{FOLDERS[part['kind']]}/{own}.yaml", head


def tree_of(rule: str) -> Mapping[str, str]:
    return TREE if rule in UNANSWERED else BANK


def found(rule: str, text: str) -> list[str]:
    """What is wrong with an example: diagnostics, else what the rule finds in its files."""
    files, touched = laid(text, tree_of(rule))
    wrong = [d.message for d in read(files).diagnostics if d.severity is not Severity.INFO]
    if wrong or rule in UNANSWERED:
        return wrong
    base = BANK if rule == "policy-looser" else files
    authors = frozenset({"release-bot"} if rule == "approval" else ())
    world = World(
        head=files, base=base, owners=CODEOWNERS, head_rows=_rows, authors=authors,
        approvals=(Approval("team-cs", "lihua"),), texts=golden_texts(),
    )  # fmt: skip
    return [
        one.message
        for one in world.found(rule)
        if one.outcome is not Outcome.PASSED
        and (not one.place or one.place.rsplit(":", 2)[0] in touched)
    ]


def golden_texts() -> dict[str, str]:
    """The golden text of the prompt that the good example of `prompt-tests` shows."""
    graph = read(laid(prompt_tests.INFO.good)[0]).graph
    assert graph is not None
    prompt = graph.specs[Ref("Prompt", "ask")]
    digest = prompt_tests.meaning_of(graph, prompt, 0)
    return {"specs/prompts/golden/ask/plain.txt": golden.text("Prompt/ask", digest, [])}


def _rows(made: Made) -> list[dict[str, Any]]:
    """Rows of a target without a fault: what is still found is the example's own."""
    return right(200, 200)


@pytest.mark.parametrize("rule", INFOS)
def test_the_good_example_of_a_rule_holds(rule: str) -> None:
    assert found(rule, INFOS[rule].good) == []


@pytest.mark.parametrize("rule", INFOS)
def test_the_bad_example_of_a_rule_is_found(rule: str) -> None:
    assert found(rule, INFOS[rule].bad)


@pytest.mark.parametrize("rule", INFOS)
def test_an_example_is_short_and_is_of_a_kind(rule: str) -> None:
    for text in (INFOS[rule].good, INFOS[rule].bad):
        assert 0 < len(text.splitlines()) <= 25
        assert text.endswith("\n")
        assert all(plain(one)["kind"] for one in re.split(r"^---\n", text, flags=re.MULTILINE))


@pytest.mark.parametrize("rule", INFOS)
def test_controls_name_a_body_and_a_clause(rule: str) -> None:
    controls = INFOS[rule].controls
    assert len(set(controls)) == len(controls)
    assert all(re.fullmatch(r"[a-z0-9-]+/[A-Za-z0-9][A-Za-z0-9.-]*", one) for one in controls)
