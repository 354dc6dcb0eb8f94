"""Templates: what they read from outside, and that looking at them runs nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.specs.templates import needs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("no marks at all { }", set()),
        ("{{ question }} and {{profile.tier}}", {"question", "profile"}),
        ("{% for c in context %}{{ c.text }}{{ loop.index }}{% endfor %}", {"context"}),
        ("{% set x = question %}{{ x }}{{ y }}", {"question", "y"}),
        ("{% if a is defined and b %}{{ a | upper }}{% endif %}", {"a", "b"}),
        ("{% macro m(p) %}{{ p }}{{ q }}{% endmacro %}{{ m(1) }}", {"q"}),
        ("{{ true }}{{ none }}{{ range(3) }}", set()),
        ("{% raw %}{{ x }}{% endraw %}{# {{ y }} #}", set()),
        ("{{ 'a {{ b }}' }}", set()),
    ],
)
def test_a_template_needs_the_names_it_reads_and_does_not_set(text: str, names: set[str]) -> None:
    assert needs(text).names == names
    assert needs(text).wrong == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% for x in y %}", "line 1: Unexpected end of template"),
        ("{{ x", "line 1: "),
        ("a\n{{ x | nofilter }}", 'line 2: there is no filter "nofilter"'),
        ("{{ x | random }}", 'line 1: there is no filter "random"'),
        ("{{ x is nosuch }}", 'line 1: there is no test "nosuch"'),
        ("{% include 'other' %}", "another file"),
        ("{{ " + "(" * 4000 + "x" + ")" * 4000 + " }}", "too deeply"),
        ("{{ " + "9" * 5000 + " }}", "number"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_in_a_phrase(text: str, words: str) -> None:
    assert words in needs(text).wrong
    assert not needs(text).wrong.endswith(".")


@pytest.mark.parametrize(
    "text", ["{{ 9**9**9**9 }}", "{{ 'a' * 10**12 }}", "{{ x or 7**7**7**7 }}"]
)
def test_looking_at_a_template_computes_nothing(text: str) -> None:
    start = time.process_time()
    assert needs(text).wrong == ""
    assert time.process_time() - start < 5


@given(
    st.lists(
        st.sampled_from(["{{", "}}", "{%", "%}", " x", "for", "in", "|", "(", "1", "'", "\n", "if"])
    )
)
@settings(max_examples=300)
def test_any_text_gives_an_answer(words: list[str]) -> None:
    found = needs("".join(words))
    assert not found.wrong.endswith(".")
    assert "\n" not in found.wrong
