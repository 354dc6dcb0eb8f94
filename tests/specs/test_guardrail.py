"""Kind Guardrail: layers decide what runs, tests and their bounds judge it."""

from __future__ import annotations

import pytest

from llmops.specs.base import Ref
from llmops.specs.load import load_one
from tests.specs.examples import GUARDRAIL, document, spec


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("min_length: 2", "min_length: 3", {"generate", "scan", "guard"}),
        (r"\d{6}", r"\d{7}", {"generate", "scan", "guard"}),
        ("CN_MOBILE]", "EMAIL_ADDRESS]", {"generate", "scan", "guard"}),
        ("name: pii, action: mask", "name: pii, action: block", {"generate", "scan", "guard"}),
        ("I cannot help", "I will not help", {"generate", "scan"}),
        ("rows: 200", "rows: 201", {"guard"}),
        ("expect: mask", "expect: allow", {"guard"}),
        ("probes#test", "probes#train", {"guard"}),
        ("{min: 0.95}", "{min: 0.9}", {"gate"}),
        ("alpha: 0.01", "alpha: 0.05", {"gate"}),
    ],
)
def test_a_change_touches_what_its_role_says(before: str, after: str, parts: set[str]) -> None:
    text = GUARDRAIL.replace(before, after)
    assert text != GUARDRAIL
    old, new = spec("support-guard").projections, spec("support-guard", text).projections
    assert {key for key in old | new if old.get(key) != new.get(key)} == parts


def test_the_order_of_layers_means_nothing() -> None:
    pii = "    - {name: pii, action: mask, pii: {entities: [CN_ID_CARD, CN_MOBILE]}}\n"
    assert pii in GUARDRAIL
    moved = GUARDRAIL.replace(pii, "").replace("  input:\n", f"  input:\n{pii}")
    assert spec("support-guard").meaning == spec("support-guard", moved).meaning


def test_lexicons_and_cases_are_references() -> None:
    found = {(r.target, r.part) for r in spec("support-guard").references}
    assert found == {
        (Ref("Dataset", "words"), None),
        (Ref("Dataset", "given"), "train"),
        (Ref("Dataset", "probes"), "test"),
        (Ref("Dataset", "support"), "test"),
    }


def test_an_applications_guardrails_are_references_in_their_order() -> None:
    application = spec("assistant")
    assert application.spec["guardrails"] == ["support-guard"]
    found = {r.loc: r.target for r in application.references}
    assert found["spec", "guardrails", 0] == Ref("Guardrail", "support-guard")


def test_a_lexicon_is_read_in_every_way_unless_it_says_less() -> None:
    layer = spec("support-guard").spec["output"][2]
    assert layer["lexicon"]["normalize"] == ["casefold", "nfkc", "strip_separators"]
    assert layer["lexicon"]["min_length"] == 1


@pytest.mark.parametrize(
    ("pattern", "what", "hint"),
    [
        ("", "empty", "remove the layer"),
        ("a*", "matches the empty text", "write + instead of *"),
        ("(?=a)b", 'lookaround "(?="', r"\b"),
        ("(?<!a)b", 'lookaround "(?<!"', r"\b"),
        (r"(a)\\1", r"backreference", "spell out"),
        ("a{1001}", "maximum of 1000: {1001}", "repeat at most"),
        ("((a{100}){100}){100}", "maximum of 1000", "nested"),
        (r"\\u4e00", r'escape', r"\x{4e00}"),
        (r"\\Z", "escape", r"\z"),
        ("a++", "possessive", "plain repeat"),
        ("(?x) a", "verbose flag", "without spaces"),
        ("a(", "RE2 refuses the pattern: missing )", "RE2's syntax"),
        ("[[:nope:]]", "RE2 refuses the pattern", "RE2's syntax"),
        ("x" * 2001, "2001 characters, above the maximum 2000", "several layers"),
        (r"\\pL{1,100}", "steps, above the maximum 20000", "smaller repeats"),
        (r"(\\pL{1,300}){3}", "too large for RE2", "smaller repeats"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_guard_is_a_mistake_at_its_place(
    pattern: str, what: str, hint: str
) -> None:
    text = GUARDRAIL.replace(r"'\b[A-Z]{2}-\d{6}\b'", f'"{pattern}"')
    found, told = load_one(document("support-guard", text))
    assert found is None
    (only,) = told
    assert only.rule == "bad-pattern"
    assert what in only.message
    assert hint in only.hint
    assert text.split("\n")[only.span.line - 1][only.span.column - 1] == '"'
