"""The part of a page by which a reader checks it without believing its maker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.reports import html, proof
from llmops.reports.phrase import LANGS, Lang
from llmops.reports.told import content
from tests.reports.pages import BARE, FULL


@pytest.mark.parametrize("lang", LANGS)
def test_a_sealed_page_names_log_root_entry_and_trust_root_on_its_first_page(lang: Lang) -> None:
    seal = FULL.seal
    assert seal is not None
    first = dict(content(FULL, lang).front.seal)
    line = next(value for name, value in first.items() if seal.origin in value)
    assert "1,187" in line
    assert seal.root in line
    page = html.render(FULL, lang)
    for value in (seal.statement, seal.trust, "1,186"):
        assert value in page


@pytest.mark.parametrize("lang", LANGS)
def test_a_page_that_nobody_signed_says_so_twice_and_gives_no_command(lang: Lang) -> None:
    page = content(BARE, lang)
    section = next(one for one in page.sections if one.name == "proof")
    words = {"en": "no signed log", "zh": "签名日志中没有"}[lang]
    assert any(words in value for _, value in page.front.seal)
    gaps = next(one for one in page.sections if one.name == "gaps")
    assert words in str(section.blocks)
    assert words in str(gaps.blocks)
    assert "--root" not in html.render(BARE, lang)


def test_three_lines_are_all_that_a_reader_types_and_they_pin_the_trust_root() -> None:
    assert FULL.seal is not None
    lines = proof.commands(FULL.seal)
    assert len(lines) == 3
    assert all(FULL.seal.trust in line for line in lines if "verify" in line)


@pytest.mark.parametrize("lang", LANGS)
def test_another_log_makes_another_page(lang: Lang) -> None:
    assert FULL.seal is not None
    other = replace(FULL, seal=replace(FULL.seal, size=1188))
    assert html.render(other, lang) != html.render(FULL, lang)
