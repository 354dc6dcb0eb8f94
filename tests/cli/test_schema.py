from __future__ import annotations

import json


def test_it_is_printed_whole_or_for_one_kind(llmops) -> None:
    every = json.loads(llmops("schema").out)
    one = json.loads(llmops("schema", "--kind", "Prompt").out)
    assert "Prompt" in every["properties"]["kind"]["enum"]
    assert one["properties"]["kind"]["enum"] == ["Prompt"]


def test_it_is_written_where_editors_look_and_checked_there(llmops, bank) -> None:
    where = ("-C", bank.path)
    assert llmops("schema", "--check", *where).code == 1
    said = llmops("schema", "--write", *where)
    assert (said.code, said.out) == (0, ".github/llmops/v1alpha1.schema.json written\n")
    assert json.loads((bank.path / ".github/llmops/v1alpha1.schema.json").read_bytes())
    assert llmops("schema", "--write", *where).out.endswith("was up to date\n")
    assert llmops("schema", "--check", *where).code == 0


def test_an_unknown_kind_hints_at_the_nearest(llmops) -> None:
    said = llmops("schema", "--kind", "Recip")
    assert said.code == 2
    assert 'did you mean "Recipe"?' in said.err


def test_one_kind_is_no_file(llmops, bank) -> None:
    assert llmops("schema", "--kind", "Prompt", "--write", "-C", bank.path).code == 2
