"""Kind Dataset: what curation reads, files and digests, sets without an order."""

from __future__ import annotations

from llmops.specs.base import FileUse
from tests.specs.examples import DATASET, HEX, spec


def test_curation_reads_sources_columns_checks_and_splits_and_no_licence() -> None:
    found = spec("support").projections["curate"]
    assert set(found) == {"sources", "format", "columns", "expectations", "curation", "splits"}
    assert found["sources"] == {
        "helpdesk": {"name": "helpdesk", "file": "specs/data/helpdesk.jsonl"},
        "outside": {"name": "outside", "digest": f"sha256:{HEX}"},
    }


def test_a_file_of_the_repository_is_named_with_its_place() -> None:
    path = "specs/data/helpdesk.jsonl"
    assert spec("support").files == (FileUse(("spec", "sources", 0, "file"), path),)


def test_the_order_of_sources_and_of_sets_means_nothing() -> None:
    text = DATASET.replace("[zh, en]", "[en, zh]").replace(
        "[question, answer]", "[answer, question, answer]"
    )
    assert text != DATASET
    assert spec("support", text).projections == spec("support").projections


def test_the_order_of_curation_means_something() -> None:
    first, second = "{column: domain, in: [billing, claims]}", "{column: language, not_in: [fr]}"
    text = DATASET.replace(first, "@").replace(second, first).replace("@", second)
    before, after = spec("support").projections, spec("support", text).projections
    one, two, *rest = before["curate"]["curation"]
    assert after["curate"]["curation"] == [two, one, *rest]
    assert before != after


def test_a_given_split_names_its_sources() -> None:
    found = spec("given").projections["curate"]["splits"]
    assert found == {"method": "given", "parts": {"train": "one", "test": "two"}}


def test_where_a_source_is_fetched_from_is_placement() -> None:
    text = DATASET.replace("https://example.org/rows.csv", "https://mirror.example.org/rows.csv")
    before, after = spec("support").projections, spec("support", text).projections
    assert {key for key in before if before[key] != after[key]} == {"placement"}
