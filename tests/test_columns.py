"""Display width, cutting and breaking of text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmops.columns import around, clip, width_of, wrapped
from llmops.diagnostics import Diagnostic, Span, render

TEXTS = st.text(alphabet="ab 客服,./-é\u0301", max_size=60)


@given(TEXTS, st.integers(12, 60))
def test_a_wrapped_text_fits_and_loses_no_word(text: str, columns: int) -> None:
    lines = wrapped(text, columns, 0, 4)
    assert max(map(width_of, lines)) <= columns
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, st.integers(2, 40))
def test_a_cut_text_fits(text: str, columns: int) -> None:
    cut = clip(text, columns)
    assert width_of(cut) <= columns
    assert cut == text or cut.endswith("…")


@given(st.text(alphabet="ab 客服", min_size=1, max_size=60), st.data(), st.integers(8, 40))
def test_the_part_around_a_character_has_it(text: str, data: st.DataObject, columns: int) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    shown, before = around(text, at, columns)
    assert width_of(shown) <= columns
    assert before < columns or not width_of(text[at:])
    left = shown[: next(i for i in range(len(shown) + 1) if width_of(shown[:i]) == before)]
    assert text[:at].endswith(left.removeprefix("…")) or width_of(left) == 0


def test_a_caret_stands_below_what_it_means_behind_chinese_too() -> None:
    line = "name: 客服助手 # 备注"
    found = render([Diagnostic(Span("a.yaml", 1, 7, 4), "x", "bad")], {"a.yaml": line})
    _, shown, caret = found.splitlines()
    assert shown == f"    1 | {line}"
    assert caret == "      | " + " " * 6 + "^" * 8


def test_a_narrow_terminal_shows_the_line_around_the_caret() -> None:
    line = "description: " + "word " * 20 + "wrng: 1"
    span = Span("specs/recipes/a.yaml", 1, line.index("wrng") + 1, 4)
    found = render([Diagnostic(span, "unknown-field", "no field", "did you mean it?")],
                   {"specs/recipes/a.yaml": line}, width=40)  # fmt: skip
    assert max(map(width_of, found.splitlines())) <= 40
    shown, caret = (one.partition("| ")[2] for one in found.splitlines() if " | " in one)
    assert shown[caret.index("^") :].startswith("wrng")
    assert shown.startswith("…")
    whole = render([Diagnostic(span, "unknown-field", "no field")], {})
    assert whole == f"{span}: error[unknown-field]: no field"
