from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from llmops.diagnostics import Diagnostic, Span, render
from llmops.source.document import MAX_DEPTH, MAX_MISTAKES, Document, parse
from llmops.source.scalars import Refused, resolve
from llmops.source.text import MAX_BYTES
from tests.mutations import mutated

YAML_FILES = Path(__file__).parents[1] / "golden" / "yaml"

SPEC = """\
# the support recipe
apiVersion: llmops/v1alpha1
kind: Recipe
metadata: {name: support-lora, title: {en: Support, zh: 客服}, owner: team-cs}
spec:
  base_model: Recipe/bank-base  # continued
  data:
    - {dataset: support#train, weight: 0.8}
    - dataset: general#train
      weight: 0.20
  lora: {r: 8, target_modules: [q_proj, v_proj]}
  training:
    learning_rate: 2.0e-4
    bf16: true
  note: |
    one line
    another
"""

# ---- golden pairs ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(p.stem for p in YAML_FILES.glob("*.yaml")))
def test_each_file_is_read_or_refused_as_written_beside_it(
    name: str, golden: Callable[[str, str], None]
) -> None:
    parsed = parse(f"{name}.yaml", (YAML_FILES / f"{name}.yaml").read_bytes())
    if parsed.document is not None:
        shown = json.dumps(parsed.document.value, ensure_ascii=False, indent=1)
    else:
        texts = {f"{name}.yaml": parsed.text} if parsed.text else {}
        shown = render(parsed.diagnostics, texts)
    golden(f"yaml/{name}.out", shown + "\n")
    assert name.startswith("valid") == (parsed.document is not None)


# ---- places ----------------------------------------------------------------------------------


def _spec() -> Document:
    parsed = parse("specs/recipes/support-lora.yaml", SPEC.encode())
    assert parsed.document is not None, parsed.diagnostics
    return parsed.document


def _at(span: Span) -> str:
    """The text that a place covers."""
    return SPEC.splitlines()[span.line - 1][span.column - 1 : span.column - 1 + span.width]


@pytest.mark.parametrize(
    ("loc", "key", "value"),
    [
        (("kind",), "kind", "Recipe"),
        (("metadata", "title", "zh"), "zh", "客服"),
        (("metadata", "owner"), "owner", "team-cs"),
        (("spec", "base_model"), "base_model", "Recipe/bank-base"),
        (("spec", "data", 0, "weight"), "weight", "0.8"),
        (("spec", "data", 1, "dataset"), "dataset", "general#train"),
        (("spec", "lora", "target_modules"), "target_modules", "["),
        (("spec", "lora", "target_modules", 1), "v_proj", "v_proj"),
        (("spec", "training", "learning_rate"), "learning_rate", "2.0e-4"),
        (("spec", "note"), "note", "|"),
    ],
)
def test_places_of_keys_and_values_cover_their_text(
    loc: tuple[str | int, ...], key: str, value: str
) -> None:
    document = _spec()
    assert _at(document.span(loc, key=True)) == key
    assert _at(document.span(loc)) == value


def test_what_is_missing_is_shown_at_the_key_of_the_nearest_parent() -> None:
    document = _spec()
    assert _at(document.span(("spec", "training", "seed"))) == "training"
    assert _at(document.span(("spec", "training", "seed", 3, "x"), key=True)) == "training"
    assert document.span(("spec", "data", 7)) == document.span(("spec", "data"), key=True)
    assert document.span(("nothing",)) == document.span(())
    assert document.span(()).line == 2


def test_raw_text_of_a_scalar_survives() -> None:
    document = _spec()
    assert document.value["spec"]["data"][1]["weight"] == 0.2
    assert document.raw(("spec", "data", 1, "weight")) == "0.20"
    assert document.raw(("spec", "training", "bf16")) == "true"
    assert document.raw(("spec", "data")) is None
    assert document.raw(("spec", "nothing")) is None


def test_every_value_has_a_place_and_every_place_a_value() -> None:
    document = _spec()
    locs = list(_locs(document.value))
    assert len(locs) == 27
    for loc in locs:
        raw = document.raw(loc)
        if raw is not None and "\n" not in raw:
            assert _at(document.span(loc)) == raw


def _locs(value: Any, loc: tuple[str | int, ...] = ()) -> Any:
    yield loc
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _locs(inner, (*loc, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _locs(inner, (*loc, index))


# ---- limits ----------------------------------------------------------------------------------


def test_what_could_be_read_is_kept_beside_the_mistakes() -> None:
    parsed = parse("a.yaml", b"kind: Recipe\nmetadata: {name: x}\nspec: {seed: 010, seed: 2}\n")
    assert parsed.document is None
    assert [d.rule for d in parsed.diagnostics] == ["ambiguous-scalar", "duplicate-key"]
    assert (parsed.kept["kind"], parsed.kept["metadata"]) == ("Recipe", {"name": "x"})


def test_a_large_file_is_refused_unread_and_one_at_the_limit_is_read() -> None:
    start = b"a: "
    whole = parse("a.yaml", start + b"x" * (MAX_BYTES - len(start)))
    assert whole.document is not None
    more = parse("a.yaml", start + b"x" * 10_000_000)
    assert [d.rule for d in more.diagnostics] == ["too-large"]
    assert "10,000,003 bytes" in more.diagnostics[0].message


@pytest.mark.parametrize("levels", [63, 64, 500, 1000])
@pytest.mark.parametrize("style", ["flow", "block", "list"])
def test_nesting_is_read_to_its_limit_and_refused_behind_it(levels: int, style: str) -> None:
    text = {
        "flow": "a: " + "[" * levels + "]" * levels,
        "block": "".join(" " * n + "a:\n" for n in range(levels + 1)),
        "list": "a:\n  " + "- " * levels + "x",
    }[style]
    parsed = parse("a.yaml", text.encode())
    if levels < MAX_DEPTH:
        assert parsed.document is not None
    else:
        assert [d.rule for d in parsed.diagnostics] == ["too-deep"]


@pytest.mark.parametrize(
    "code", [0x7F, 0x9F, 0x61C, 0x200F, 0x202A, 0x202E, 0x2028, 0x2069, 0xFFFE]
)
def test_a_character_that_nobody_sees_is_refused_raw_and_read_as_an_escape(code: int) -> None:
    raw = parse("a.yaml", f"a: x{chr(code)}y\n".encode())
    assert [(d.rule, d.span) for d in raw.diagnostics] == [
        ("control-character", Span("a.yaml", 1, 5))
    ]
    escaped = parse("a.yaml", f'a: "x\\u{code:04x}y"\n'.encode())
    assert escaped.document is not None
    assert escaped.document.value == {"a": f"x{chr(code)}y"}


def test_mistakes_without_end_stop_at_a_limit() -> None:
    parsed = parse("a.yaml", b"a: [" + b"no, " * 50_000 + b"x]\n")
    assert len(parsed.diagnostics) == MAX_MISTAKES
    hidden = parse("a.yaml", b"a: " + b"\x01" * 50_000)
    assert len(hidden.diagnostics) == MAX_MISTAKES


def test_bombs_of_aliases_and_merge_keys_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    merges = ["b0: &b0 {k: v}"] + [f"b{n}: &b{n}\n  <<: [*b0, *b0]" for n in range(1, 2000)]
    for text in ("\n".join(lines), "\n".join(merges)):
        before = time.process_time()
        parsed = parse("a.yaml", text.encode())
        assert parsed.document is None
        assert time.process_time() - before < 1.0


def test_a_document_is_equal_to_its_equal_whether_or_not_places_were_asked() -> None:
    one, two = _spec(), _spec()
    one.span(("kind",))
    assert one == two


# ---- laws ------------------------------------------------------------------------------------

_TEXT = st.text(
    st.characters(
        blacklist_categories=("Cs", "Cc", "Cf"),
        blacklist_characters="\u2028\u2029\ufffe\uffff",
    ),
    max_size=30,
)
_WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_LEAF = st.none() | st.booleans() | _WHOLE | _FINITE | _TEXT
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_TEXT, _VALUE, min_size=1, max_size=5))
def test_json_is_read_as_json_reads_it(value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False)
    parsed = parse("a.yaml", text.encode())
    assert parsed.document is not None, parsed.diagnostics
    assert parsed.document.value == json.loads(text)
    assert repr(parsed.document.value) == repr(json.loads(text))  # 1 is not 1.0, -0.0 not 0.0


@given(st.dictionaries(_TEXT, _VALUE, min_size=1, max_size=5))
def test_block_style_as_another_writer_writes_it_is_read_back(value: dict[str, Any]) -> None:
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    parsed = parse("a.yaml", _written(writer, value))
    if parsed.document is not None:
        assert parsed.document.value == value
    else:
        assert {d.rule for d in parsed.diagnostics} <= {"ambiguous-scalar", "yaml-syntax"}


def _written(writer: YAML, value: Any) -> bytes:
    stream = BytesIO()
    writer.dump(value, stream)
    return stream.getvalue()


_SHORT = st.text(st.sampled_from("0123456789+-._:eExobTZ aAfFnNiIyYtrRuUsSlL~=<"), max_size=8)
_FORMS = st.from_regex(
    r"[-+]?0?[box]?[0-9_]{0,4}(\.[0-9_]{0,3})?(e[-+]?[0-9]{1,3})?(:[0-9]{1,2}){0,2}",
    fullmatch=True,
)


@given(_SHORT | _FORMS)
def test_an_accepted_plain_scalar_means_the_same_to_a_reader_of_1_1_and_one_of_1_2(
    text: str,
) -> None:
    ours = resolve(text)
    if isinstance(ours, Refused) or text != text.strip() or ": " in text or text.endswith(":"):
        return
    exponent = isinstance(ours, float) and "e" in text.lower()  # the one liberty, see `scalars`
    for version in ("1.1", "1.2"):
        try:
            theirs = YAML(typ="safe", pure=True).load(f"%YAML {version}\n---\na: {text}\n")["a"]
        except Exception:  # not a plain scalar to begin with, such as "- x" or a lone "-"
            return
        if exponent and isinstance(theirs, str):
            continue
        assert (type(theirs), theirs) == (type(ours), ours), version


# ---- fuzz ------------------------------------------------------------------------------------


def _problem_with(diagnostic: Diagnostic, data: bytes, text: str) -> str:
    lines = (text or data.decode("utf-8", "replace")).split("\n")
    span = diagnostic.span
    if span.path != "fuzz.yaml" or not 1 <= span.line <= len(lines):
        return "line outside"
    if not 1 <= span.column <= len(lines[span.line - 1]) + 1 or span.width < 1:
        return "column outside"
    return "" if diagnostic.message and "\n" not in diagnostic.message else "no one-line message"


def test_six_thousand_mutated_files_are_each_read_or_refused_with_a_place() -> None:
    seed = 20261122
    rng = random.Random(seed)
    seeds = [p.read_bytes() for p in sorted(YAML_FILES.glob("*.yaml"))]
    seeds += [p.read_bytes() for p in sorted(YAML_FILES.glob("valid-*.yaml"))] * 5
    seeds += [SPEC.encode()] * 40
    read = refused = 0
    rules = set()
    for n in range(6_000):
        data = mutated(rng, seeds)
        parsed = parse("fuzz.yaml", data)
        where = f"input {n} of seed {seed}: {data!r}"
        assert (parsed.document is None) == bool(parsed.diagnostics), where
        for diagnostic in parsed.diagnostics:
            assert not _problem_with(diagnostic, data, parsed.text), (diagnostic, where)
            rules.add(diagnostic.rule)
        if parsed.document is None:
            refused += 1
            continue
        read += 1
        locs = list(_locs(parsed.document.value))
        assert all(parsed.document._at(loc)[1] == len(loc) for loc in locs), where
    assert read > 450
    assert refused > 1_500
    assert rules == ALL_RULES - {"too-large"}


ALL_RULES = {
    "yaml-syntax", "duplicate-key", "yaml-alias", "yaml-tag", "merge-key", "ambiguous-scalar",
    "not-utf8", "byte-order-mark", "control-character", "too-deep", "too-large", "one-document",
    "empty-document", "not-a-map", "text-key",
}  # fmt: skip


def test_a_colon_inside_brackets_is_explained() -> None:
    (one,) = parse("x.yaml", b"a: {digest: sha256:0, b: 1}\n").diagnostics
    assert one.rule == "yaml-syntax"
    assert one.hint == 'quote it: inside { } and [ ] a text with ":" needs quotes'
