"""`fmt` as a function: canonical, idempotent, and neither a meaning nor a comment is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from llmops.rewrites import layout, syntax
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


HEAD = "apiVersion: llmops/v1alpha1\nkind: Recipe\nmetadata: {name: x}\nspec:\n"


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        # quotes where a reader of YAML 1.1 or 1.2 would see something else, and nowhere else
        ("'no'", '"no"'), ("'on'", '"on"'), ("'0777'", '"0777"'), ("'1:30'", '"1:30"'),
        ("'2026-11-22'", '"2026-11-22"'), ("'1e3'", '"1e3"'), ("'null'", '"null"'), ("''", '""'),
        ("'~'", '"~"'), ("'1_000'", '"1_000"'), ("'a b'", "a b"), ('"bank#train"', "bank#train"),
        ("'a #b'", '"a #b"'), ("'a: b'", '"a: b"'), ("'https://x/y'", "https://x/y"),
        ("'保险，客服'", "保险，客服"), ('"\\u4fdd"', "保"), (r'"a\u200e"', r'"a\u200e"'),
        (r"'\d+'", r"'\d+'"),
        ("'{{ x }}'", '"{{ x }}"'), ("\"it's\"", "it's"), ("'say \"x\"'", "'say \"x\"'"),
        # other scalars as they are, words in one spelling
        ("2.0e-4", "2.0e-4"), ("1.10", "1.10"), ("0x1F", "0x1F"), ("True", "true"),
        ("NULL", "null"), ("~", "null"), ("a   # c", "a   # c"), ("a # c", "a  # c"),
        # brackets
        ("[ a,b ,'c' ]", "[a, b, c]"), ("{b: 1, a: {c: 'x, y'}}", '{b: 1, a: {c: "x, y"}}'),
        ("['https://x']", '["https://x"]'), ("{ }", "{}"), ("[a,\n    b]", "[a, b]"),
    ],
)  # fmt: skip
def test_a_value_is_written_so(given_: str, wanted: str) -> None:
    assert done(f"{HEAD}  training:\n    x: {given_}\n") == f"{HEAD}  training:\n    x: {wanted}\n"


def test_brackets_that_do_not_fit_are_opened_outermost_first_and_open_ones_stay() -> None:
    words = ", ".join(f"word_number_{n}" for n in range(5))
    wide = "客" * 45
    source = (
        f"{HEAD}  data:\n    - {{dataset: a, weight: 0.5}}\n"
        f"  training:\n    short:\n      a: 1\n    long: {{first: [{words}], second: [x],"
        f" third: z}}\n"
        f"    fits: {{a: {wide}}}\n    opens: {{a: {wide}, b: 客客客客客客}}\n"
    )
    wanted = (
        f"{HEAD}  data:\n    - {{dataset: a, weight: 0.5}}\n"
        f"  training:\n    short:\n      a: 1\n    long:\n      first: [{words}]\n"
        f"      second: [x]\n      third: z\n"
        f"    fits: {{a: {wide}}}\n    opens:\n      a: {wide}\n      b: 客客客客客客\n"
    )
    assert done(source) == wanted


def test_brackets_with_a_comment_inside_are_opened_and_the_comment_stays_with_its_value() -> None:
    source = f"{HEAD}  training: {{a: 1, # one\n    # two\n    b: 2}} # all\n"
    wanted = f"{HEAD}  training:  # all\n    a: 1  # one\n    # two\n    b: 2\n"
    assert done(source) == wanted
    source = f"{HEAD}  data:\n    - {{dataset: a, # one\n       weight: 1}} # all\n"
    wanted = f"{HEAD}  data:\n    # all\n    - dataset: a  # one\n      weight: 1\n"
    assert done(source) == wanted


def test_keys_of_kinds_are_sorted_and_those_of_authors_and_tools_are_not() -> None:
    source = (
        "# of the file\nkind: Recipe  # k\nspec:\n  # why\n  training: {z: 1, a: 2}\n"
        "  base_model: m\nmetadata:\n  labels: {z: '1', a: '2'}\n  name: x\n"
        "  title: {zh: 中, en: e}\napiVersion: llmops/v1alpha1\n"
    )
    assert done(source) == (
        "# of the file\napiVersion: llmops/v1alpha1\nkind: Recipe  # k\nmetadata:\n  name: x\n"
        '  title: {zh: 中, en: e}\n  labels: {z: "1", a: "2"}\nspec:\n  base_model: m\n  # why\n'
        "  training: {z: 1, a: 2}\n"
    )


def test_a_map_with_a_key_that_no_kind_knows_keeps_its_order() -> None:
    source = f"{HEAD}  seed: 1\n  base_modell: m\n  method: sft\n"
    assert done(source) == source
    assert done("b: 1\na: 2\n") == "b: 1\na: 2\n"


def test_block_texts_are_kept_as_they_are_written() -> None:
    texts_ = (
        "a: |\n  x\n\n\n    y\n  # no comment\nb: >-\n  one\n  two\n\n  three\nc: |+\n  x\n\n\n"
    )
    assert done(texts_) == texts_
    source = "a:    |4-   # c\n      deep\n    less\nb: >\n   one\n     more\n\n\nc: |\n    x"
    wanted = "a: |2-  # c\n    deep\n  less\nb: >\n  one\n    more\n\nc: |-\n  x\n"
    assert done(source) == wanted


def test_a_long_text_over_several_lines_is_broken_again_and_one_on_a_line_is_left() -> None:
    long = " ".join(["word"] * 40)
    folded = done(f"a: {long[:99]}\n   {long[100:]}\n")
    assert all(len(line) <= 110 for line in folded.splitlines())
    assert len(folded.splitlines()) == 2
    assert done(f"a: {long}\n") == f"a: {long}\n"


def test_comments_keep_their_column_and_their_place_between_items_and_at_ends() -> None:
    source = (
        "# yaml-language-server: $schema=x.json\n\n# head\n\n\na:\n      # first\n"
        "      - x            # at 21\n\n      # between\n      -   z # near\n      # last\n"
        "# of b\nb: 1\n\n\n# tail\n\n"
    )
    assert done(source) == (
        "# yaml-language-server: $schema=x.json\n\n# head\n\na:\n  # first\n"
        "  - x                # at 21\n\n  # between\n  - z  # near\n  # last\n"
        "# of b\nb: 1\n\n# tail\n"
    )


@pytest.mark.parametrize(
    "source", ["", "# only a comment\n", "- a\n", "a: 1\n---\nb: 2\n", "a: &x 1\n"]
)
def test_what_is_no_spec_text_is_refused_with_its_place(source: str) -> None:
    found = formatted(source, "specs/x.yaml")
    assert found.text is None
    assert found.diagnostics[0].span.path == "specs/x.yaml"
    assert found.diagnostics[0].hint


def test_a_comment_under_a_list_that_stands_at_its_key_is_the_next_keys() -> None:
    source = "a:\n- x\n# of b\nb: 1\n"
    assert done(source) == "a:\n  - x\n# of b\nb: 1\n"


@pytest.mark.parametrize(
    ("spoil", "what"),
    [(lambda made: made.replace("  # why", ""), "comments"),
     (lambda made: made + "z: 1\n", "values"), (lambda made: made + "}", "values")],
)  # fmt: skip
def test_a_text_that_would_not_keep_everything_is_never_given(monkeypatch, spoil, what) -> None:
    real = layout.text
    monkeypatch.setattr(layout, "text", lambda source: spoil(real(source)))
    found = formatted("a:   1  # why\n", "x.yaml")
    assert found.text is None
    assert found.diagnostics[0].message == f"formatting would not keep its {what}"
