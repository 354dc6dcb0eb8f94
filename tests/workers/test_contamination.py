from __future__ import annotations

from typing import Any

import pytest

from tests.workers.curating import Curated, qa

GIVEN = {"method": "given", "parts": {"train": "a", "test": "b"}}
ASKED = "Could you tell me why my card was not accepted at the restaurant yesterday"


def looking(
    ngram: int, *, most: float = 0.0, own: list[str] | None = None, against=()
) -> list[Any]:
    entry = {"ngram": ngram, "max": most, "own_parts": own or [], "against": list(against)}
    return [{"contamination": entry}]


def rows(*questions: str) -> list[dict[str, str]]:
    return [{"id": f"r{n}", "question": q, "answer": "x"} for n, q in enumerate(questions, 1)]


def split(curated, train: list[Any], test: list[Any], **more: Any) -> Curated:
    return curated({"a.jsonl": train, "b.jsonl": test}, splits=GIVEN, **more)


def found(out: Curated) -> tuple[float, int]:
    return next(
        (m.value, m.sample_size) for m in out.outcome.measurements if m.metric == "contaminated"
    )


@pytest.mark.parametrize(
    "leak",
    [
        ASKED,
        ASKED.upper() + "?!",
        "Hello team! " + ASKED.replace(" ", "   "),
        "".join(chr(ord(c) + 0xFEE0) if c > " " else "\u3000" for c in ASKED),
        "My question: why my card was not accepted at the, well, other place",
    ],
)
def test_a_planted_leak_is_found_and_gives_nobody_a_part(curated, leak: str) -> None:
    train = rows("How do I get a new card?", leak)
    with_leak = {"curation": looking(8, own=["test"])}
    with pytest.raises(StopIteration):
        found(split(curated, train[:1], rows(ASKED)))
    out = split(curated, train, rows(ASKED), **with_leak)
    assert out.outcome.status == "quality_failed"
    assert "contamination: 1 row shares 8 tokens in a row with what is asked" in out.outcome.reason
    assert "0.3333 of 3 (max 0), first train r2 with #test" in out.outcome.reason
    assert out.parts == {}
    assert found(out) == (1.0, 3)
    step = out.funnel["shares 8 tokens with #test"]
    assert (step["found"], step["dropped"], step["sample"]) == (1, 0, ["train r2"])


def test_a_run_of_one_token_less_is_no_leak(curated) -> None:
    train = rows("why my card was not accepted at work, and when it will be")
    ok = split(curated, train, rows(ASKED), curation=looking(8, own=["test"]))
    bad = split(curated, train, rows(ASKED), curation=looking(7, own=["test"]))
    assert (ok.outcome.status, found(ok)) == ("ok", (0.0, 2))
    assert (bad.outcome.status, found(bad)) == ("quality_failed", (1.0, 2))


def test_chinese_runs_are_of_characters(curated) -> None:
    train = rows("请问为什么我的信用卡在餐厅付款失败了呢", "新卡多久能寄到")
    test = rows("昨天我的信用卡在餐厅付款被拒")
    assert found(split(curated, train, test, curation=looking(9, own=["test"]))) == (1.0, 3)
    assert found(split(curated, train, test, curation=looking(11, own=["test"]))) == (0.0, 3)


def test_a_short_row_leaks_when_it_says_all_of_a_short_one(curated) -> None:
    out = split(
        curated, rows("解冻", "Unblock it"), rows("解冻！"), curation=looking(13, own=["test"])
    )
    assert found(out) == (1.0, 3)
    other = split(curated, rows("解冻卡"), rows("解冻！"), curation=looking(13, own=["test"]))
    assert found(other) == (0.0, 2)


def test_a_part_is_not_held_against_itself_but_against_the_others_that_are_named(curated) -> None:
    three = {"method": "given", "parts": {"train": "a", "test": "b", "validation": "c"}}
    sources = {"a.jsonl": rows("some other words"), "b.jsonl": rows(ASKED), "c.jsonl": rows(ASKED)}
    alone = curated(sources, splits=three, curation=looking(8, own=["test"]))
    both = curated(sources, splits=three, curation=looking(8, own=["test", "validation"]))
    assert found(alone) == (1.0, 3)
    assert found(both) == (2.0, 3)


def test_rows_are_held_against_parts_of_other_datasets_in_their_format(curated) -> None:
    chat = [{"messages": [{"role": "user", "content": ASKED}], "id": "1", "case": "sha256:0"}]
    named = [{"said": "exam#test", "input": "against/exam/test", "format": "messages"}]
    out = curated(
        {"s.jsonl": rows(ASKED, "something else")},
        against={"against/exam/test": chat},
        curation=looking(8, against=named),
    )
    assert found(out) == (1.0, 2)
    assert "first all r1 with exam#test" in out.outcome.reason


def test_a_share_may_be_allowed_and_a_row_more_is_not(curated) -> None:
    train = rows(ASKED, ASKED + " evening", *(f"question {n} of many" for n in range(7)))
    half = split(curated, train, rows(ASKED), curation=looking(8, most=0.2, own=["test"]))
    less = split(curated, train, rows(ASKED), curation=looking(8, most=0.19, own=["test"]))
    assert found(half) == found(less) == (2.0, 10)
    assert half.outcome.status == "ok"
    assert sorted(half.parts) == ["test", "train"]
    assert less.outcome.status == "quality_failed"
    assert "2 rows share" in less.outcome.reason


def test_what_is_looked_for_changes_no_row(curated) -> None:
    plain = split(curated, [qa(1), qa(2)], [qa(3)])
    looked = split(curated, [qa(1), qa(2)], [qa(3)], curation=looking(30, most=1.0, own=["test"]))
    assert plain.parts == looked.parts
