"""`fmt` as a function: canonical, idempotent, and neither a meaning nor a comment is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from llmops.rewrites import syntax
from llmops.rewrites.style import formatted, same
from llmops.source.document import parse
from llmops.specs.load import load_one
from tests.rewrites.messy import texts
from tests.rewrites.texts import OTHERS, OURS, name, paths, text

EVERY = [pytest.param(path, id=name(path)) for path in paths(*OURS, *OTHERS)]


def done(source: str) -> str:
    found = formatted(source, "specs/x.yaml")
    assert found.text is not None, found.diagnostics
    return found.text


@pytest.mark.parametrize("path", EVERY)
def test_every_text_keeps_its_meaning_or_is_refused_as_parse_refuses_it(path) -> None:
    source = text(path)
    shown = path.name
    before = parse(shown, source.removeprefix("\ufeff").encode("utf-8", "surrogateescape"))
    made = formatted(source, shown)
    if before.document is None:
        assert made.text is None
        assert made.diagnostics == before.diagnostics
        return
    assert made.text is not None, made.diagnostics
    after = parse(shown, made.text.encode("utf-8"))
    assert after.document is not None
    assert after.document.value == before.document.value
    assert formatted(made.text, shown).text == made.text
    assert told(after.document) == told(before.document)


def told(document) -> Counter[tuple[str, str, str]]:
    """What `validate` says of a document, without places."""
    return Counter((d.rule, d.message, d.hint) for d in load_one(document)[1])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_any_spelling_is_formatted_once_and_keeps_value_and_comments(drawn) -> None:
    source, value, comments = drawn
    before = parse("x.yaml", source.encode("utf-8"))
    assert before.document is not None, (source, before.diagnostics)
    assert before.document.value == value, source
    made = done(source)
    after = parse("x.yaml", made.encode("utf-8"))
    assert after.document is not None
    assert same(after.document, before.document)
    assert Counter(c.rstrip() for c in comments) == syntax.comments(syntax.read(made))
    assert done(made) == made, made
    assert "\r" not in made
    assert made.endswith("\n")
