from __future__ import annotations

import pytest

from tests.workers.curating import qa

EXACT = [{"dedup": {"exact": True}}]
NEAR = [{"dedup": {"minhash": {"threshold": 0.7, "num_perm": 128, "ngram": 4}}}]
LONG = "I stood at the till of the bookshop and my credit card was refused three times in a row"


def asked(*questions: str, **more: str) -> list[dict[str, str]]:
    return [{"question": q, "answer": "a", "n": str(n), **more} for n, q in enumerate(questions)]


@pytest.mark.parametrize(
    "again",
    [
        "Lost my card!",
        "LOST MY CARD",
        "ｌｏｓｔ ｍｙ ｃａｒｄ",
        "lost  my\tcard...",
        "“Lost my card”",
    ],
)
def test_a_planted_repetition_is_dropped_whatever_its_case_width_and_marks(curated, again) -> None:
    out = curated({"s.jsonl": asked("lost my card", "where is my card", again)}, curation=EXACT)
    assert [r["n"] for r in out.all] == ["0", "1"]
    step = out.funnel["the same again"]
    assert (step["rows_in"], step["rows_out"], step["sample"]) == (3, 2, ["s:3"])
    measured = {m.metric: (m.value, m.sample_size) for m in out.outcome.measurements}
    assert measured["duplicates"] == (1.0, 3)
    assert measured["contradictions"] == (0.0, 3)


def test_without_dedup_only_the_very_same_row_goes(curated) -> None:
    out = curated({"s.jsonl": asked("lost my card", "Lost my card!")})
    assert len(out.all) == 2
    assert "duplicates" not in {m.metric for m in out.outcome.measurements}


def test_a_repetition_with_another_answer_is_counted_as_a_contradiction(curated) -> None:
    rows = [
        {"question": "卡丢了", "answer": "card_lost"},
        {"question": "卡丢了！", "answer": "card_frozen"},
        {"question": "卡 丢了", "answer": "card_lost"},
    ]
    out = curated({"s.jsonl": rows}, curation=EXACT)
    assert [r["answer"] for r in out.all] == ["card_lost"]
    step = out.funnel["the same again, answered differently"]
    assert (step["found"], step["sample"], step["dropped"]) == (1, ["s:2"], 0)


def test_nearly_the_same_is_dropped_and_what_is_less_alike_stays(curated) -> None:
    rows = asked(LONG, LONG.replace("three", "four"), LONG.replace("bookshop", "bakery down there"))
    out = curated({"s.jsonl": rows}, curation=NEAR)
    assert [r["n"] for r in out.all] == ["0", "2"]
    assert out.funnel["nearly the same again"]["sample"] == ["s:2"]


def test_what_exact_dropped_is_not_asked_for_nearness_and_both_are_counted(curated) -> None:
    both = [{"dedup": {**EXACT[0]["dedup"], **NEAR[0]["dedup"]}}]
    out = curated({"s.jsonl": asked(LONG, LONG.upper(), LONG + " today")}, curation=both)
    assert len(out.all) == 1
    assert out.funnel["the same again"]["dropped"] == 1
    assert out.funnel["nearly the same again"]["rows_in"] == 2
    assert {m.metric: m.value for m in out.outcome.measurements}["duplicates"] == 2.0


def test_given_parts_are_each_their_own_and_hashed_ones_are_one(curated) -> None:
    given = {"method": "given", "parts": {"train": "a", "test": "b"}}
    sources = {"a.jsonl": asked("lost my card"), "b.jsonl": asked("LOST my card")}
    assert [len(p) for p in curated(sources, splits=given, curation=EXACT).parts.values()] == [1, 1]
    assert len(curated(sources, curation=EXACT).all) == 1


def test_a_repetition_on_the_other_side_of_a_hash_split_cannot_leak(curated) -> None:
    halves = {"method": "hash", "seed": 0, "parts": {"a": 0.5, "b": 0.5}}
    rows = asked(*(f"question number {n % 40}" + "!" * (n // 40) for n in range(120)))
    for row in rows:
        row["id"] = row["n"]
    out = curated({"s.jsonl": rows}, splits=halves, curation=EXACT)
    kept = [r["question"] for part in out.parts.values() for r in part]
    assert len(kept) == len({q.strip("!") for q in kept}) == 40


def test_steps_come_in_the_order_in_which_they_are_written(curated) -> None:
    rows = [qa(1, group="x"), {**qa(1, group="y"), "question": "问题 1"}]
    select = {"select": {"column": "group", "in": ["y"]}}
    first = curated({"s.jsonl": rows}, curation=[select, *EXACT])
    last = curated({"s.jsonl": rows, "t.jsonl": [qa(2, group="y")]}, curation=[*EXACT, select])
    assert [r["group"] for r in first.all] == ["y"]
    assert [r["question"] for r in last.all] == ["问题 2?"]
    assert list(first.funnel).index("select group in y") < list(first.funnel).index(
        "the same again"
    )


def test_words_of_a_list_are_compared_too(curated) -> None:
    words = [{"word": "Bomb"}, {"word": "bomb "}, {"word": "ｂｏｍｂ"}]
    out = curated({"s.jsonl": words}, format="lexicon", curation=EXACT)
    assert [r["word"] for r in out.all] == ["Bomb"]
