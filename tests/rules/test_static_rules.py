"""Rules that need no evidence, each with what holds and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from llmops.graph.build import Graph
from llmops.rules import pinned_revision, residency
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts
from llmops.specs.base import Ref, Reference, Spec
from tests.rules.world import World, right
from tests.trees import BANK, changed, spec

POLICY = "policies/default.yaml"
D, M = "specs/datasets/bank.yaml", "specs/models/tiny.yaml"


def found(rule: str, files: dict[str, str], owners: tuple[str, ...] = ()) -> list[Finding]:
    """What one rule finds when a policy asks for it; `rule` as written in YAML."""
    text = f"rules:\n    - {{name: asked, {rule}}}"
    asked = {**files, POLICY: files[POLICY].replace("rules:", text)}
    name = rule.removeprefix("rule: ").split(",")[0]
    return World(asked, asked, lambda m: right(199, 200), owners=owners).found(name)


LICENSE = "rule: license, with: {allow: [Apache-2.0], deny_use: [GPL-3.0-only]}"


def test_allowed_licences_hold() -> None:
    assert found(LICENSE, dict(BANK)) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (D, "license: Apache-2.0", "license: GPL-3.0-only", "denies"),
        (D, "license: Apache-2.0", "license: MIT", "allowed are Apache-2.0"),
        (M, "license: Apache-2.0", "license: MIT", "allowed are Apache-2.0"),
    ],
)
def test_a_licence_that_the_policy_does_not_allow_fails(
    path: str, old: str, new: str, said: str
) -> None:
    (one,) = found(LICENSE, changed(path, old, new))
    assert one.outcome is Outcome.FAILED
    assert said in one.message
    assert one.place.startswith(path)


def test_a_missing_licence_fails() -> None:
    (one,) = found(LICENSE, changed(M, "license: Apache-2.0\n", "provider: {name: us}\n"))
    assert "names no licence" in one.message


def test_a_warning_level_rule_warns() -> None:
    (one,) = found(LICENSE + ", severity: warning", changed(M, "Apache-2.0", "MIT"))
    assert one.outcome is Outcome.WARNED


RANGE = "rule: range, with: {field: Recipe.training.max_steps, min: 5, max: 50}"


def test_a_number_in_range_holds() -> None:
    assert found(RANGE, dict(BANK)) == []


@pytest.mark.parametrize(("value", "said"), [("4", "below"), ("51", "above")])
def test_a_number_outside_its_range_fails(value: str, said: str) -> None:
    files = changed("specs/recipes/base.yaml", "max_steps: 10", f"max_steps: {value}")
    (one,) = found(RANGE, files)
    assert said in one.message
    assert one.place.startswith("specs/recipes/base.yaml:")


def test_a_spec_without_the_field_is_not_judged() -> None:
    files = changed("specs/recipes/base.yaml", ", max_steps: 10", "")
    assert found(RANGE, files) == []


OWNERS = ("* @acme/team-cs  # everybody", "/policies/ @acme/team-compliance")


def test_owners_that_codeowners_knows_hold() -> None:
    named = {
        path: text.replace("}\nspec:", ", owner: team-cs}\nspec:") for path, text in BANK.items()
    }
    assert found("rule: owner", named, OWNERS) == []


def test_an_unknown_or_missing_owner_fails() -> None:
    named = {
        path: text.replace("}\nspec:", ", owner: team-cs}\nspec:") for path, text in BANK.items()
    }
    named[M] = named[M].replace("team-cs", "team-x")
    named[D] = named[D].replace(", owner: team-cs", "")
    said = sorted(one.message for one in found("rule: owner", named, OWNERS))
    assert said == [
        "Dataset/bank has no owner",
        'Model/tiny: owner "team-x" is not in CODEOWNERS',
    ]


def test_an_address_without_a_digest_fails() -> None:
    source = {"name": "a", "uri": "https://example.com/a.jsonl"}
    loose, pinned = made("Dataset", "d", {"sources": [source]}), {**source, "digest": "sha256:1"}
    (one,) = judged(pinned_revision.check, loose)
    assert "has no digest" in one.message
    assert judged(pinned_revision.check, made("Dataset", "d", {"sources": [pinned]})) == []


def test_an_endpoint_s_key_is_a_secret_s_name() -> None:
    served = spec(
        "Model", "served",
        "endpoint: {protocol: openai, base_url: {secret: URL}, model: m-2026-08-14,"
        " residency: [EU], api_key: {secret: KEY}}\nlicense: MIT",
    )  # fmt: skip
    assert found("rule: secret", {**BANK, "specs/models/served.yaml": served}) == []


def made(kind: str, name: str, body: dict[str, object], *targets: Ref) -> Spec:
    """A spec that no loader has seen: for what loaders refuse already."""
    uses = tuple(Reference(("spec", "x", i), target) for i, target in enumerate(targets))
    return Spec(Ref(kind, name), f"{name}.yaml", {"metadata": {}, "spec": body}, uses)


def judged(check: Callable[[Facts, Config], Iterator[Finding]], *specs: Spec) -> list[Finding]:
    """What a rule finds in a graph of these specs."""
    facts = replace(
        World().facts(), head=Graph({s.ref: s for s in specs}), place=lambda *_: "e.yaml:1:1"
    )
    return list(check(facts, Config("Policy/p/r", "r", {}, "error", (), "", "base")))


@pytest.mark.parametrize(
    ("served", "stays", "holds"),
    [(["EU"], ["CN"], False), (["CN"], ["CN"], True), ([], ["CN"], False), (["EU"], [], True)],
)
def test_rows_that_stay_in_one_place_meet_no_endpoint_elsewhere(
    served: list[str], stays: list[str], holds: bool
) -> None:
    data = made("Dataset", "d", {"residency": stays})
    model = made("Model", "m", {"endpoint": {"residency": served}})
    user = made("Evaluation", "e", {}, data.ref, model.ref)
    assert (judged(residency.check, data, model, user) == []) is holds


def test_an_application_that_nothing_judges_is_inconclusive() -> None:
    other = BANK["specs/applications/bot.yaml"].replace("name: bot", "name: other")
    files = {**BANK, "specs/applications/other.yaml": other}
    (one,) = World(files, files, lambda m: right(199, 200)).found("evidence-present")
    assert one.outcome is Outcome.INCONCLUSIVE
    assert "Application/other" in one.message
