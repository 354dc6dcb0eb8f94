from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from llmops import digest
from llmops.workers import curate, rows
from llmops.workers.contract import RunFolder, WorkerError
from tests.workers.curating import ALL, Curated, jsonl, qa


def bad_rows(curated: Callable[..., Curated], content: Any, media: str = "jsonl", **more) -> str:
    with pytest.raises(WorkerError) as caught:
        curated({f"s.{media}": content}, **more)
    return caught.value.message


# Reading


def test_rows_keep_all_columns_and_get_case_and_id(curated) -> None:
    given = {"question": "卡丢了怎么办?", "answer": "card_lost", "language": "zh", "n": 1.5}
    (row,) = curated({"s.jsonl": [given]}).all
    assert row == {**given, "case": digest.of_value(given), "id": digest.of_value(given)[7:23]}


def test_an_id_of_its_own_is_no_part_of_the_case(curated) -> None:
    rows_ = curated({"s.jsonl": [qa(1, id="a"), qa(2, id=7)]}).all
    assert [r["id"] for r in rows_] == ["a", "7"]
    assert rows_[0]["case"] == digest.of_value(qa(1))


def test_a_part_is_canonical_json_lines_in_the_order_of_the_source(curated, tmp_path) -> None:
    out = curated({"s.jsonl": [qa(n) for n in (5, 1, 3)]})
    text = (tmp_path / "run0/artifacts/parts/all.jsonl").read_bytes()
    assert text == b"".join(digest.canonical(r) + b"\n" for r in out.all)
    assert [r["question"][3] for r in out.all] == ["5", "1", "3"]


def test_csv_and_jsonl_give_the_same_cases(curated) -> None:
    text = 'question,answer\r\n"卡, ""丢""了\n怎么办",card_lost\r\n'.encode()
    from_csv = curated({"s.csv": text}).all
    value = {"question": '卡, "丢"了\n怎么办', "answer": "card_lost"}
    assert from_csv == curated({"s.jsonl": [value]}).all


@pytest.mark.parametrize("media", ["csv", "jsonl"])
def test_a_byte_order_mark_of_a_spreadsheet_is_skipped(curated, media: str) -> None:
    text = {"csv": b"question,answer\nq,a\n", "jsonl": b'{"question":"q","answer":"a"}\n'}[media]
    (row,) = curated({f"s.{media}": b"\xef\xbb\xbf" + text}).all
    assert row["question"] == "q"


def test_columns_are_renamed_and_others_kept(curated) -> None:
    (row,) = curated(
        {"s.csv": b"text,category,zone\nhi,hello,EU\n"},
        columns={"question": "text", "answer": "category"},
    ).all
    assert {k: row[k] for k in row if k not in ("id", "case")} == {
        "question": "hi", "answer": "hello", "zone": "EU",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"[1]", "a row is an object"),
        (b'"text"', "a row is an object"),
        (b"{", "not JSON: expecting property name"),
        (b'{"question": NaN}', "NaN is no JSON number"),
        (b'{"question": -Infinity}', "-Infinity is no JSON number"),
        (b'{"n": 1e999}', "1e999 is beyond the range"),
        (b'{"n": 9007199254740993}', "9007199254740993 is an integer beyond 2^53"),
        (b'{"n": ' + b"9" * 5000 + b"}", "an integer beyond 2^53"),
        (b'{"answer": "a", "answer": "b"}', 'key "answer" stands twice'),
        (b'{"o": {"k": 1, "k": 1}}', 'key "k" stands twice'),
        (b'{"question": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b'{"question": "\xff"}', "not UTF-8 at byte 15"),
        (b'{"question": "a\tb"}', "not JSON: invalid control character at column 16"),
        (b"[" * 50_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"question": "q"}', 'no column "answer"'),
        (b'{"question": "q", "anwser": "a"}', 'did you mean "anwser"?'),
        (b'{"question": "q", "answer": 3}', 'column "answer" is not text'),
        (b'{"question": null, "answer": "a"}', 'column "question" is not text'),
        (b'{"question": "q", "answer": "a", "case": 1}', 'the column name "case" is taken'),
        (b'{"question": "q", "answer": "a", "id": "x"}', "an id on some rows"),
        (b"\xef\xbb\xbf{}", "not JSON"),
    ],
)
def test_a_bad_json_row_is_named_by_place(curated, line: bytes, what: str) -> None:
    message = bad_rows(curated, jsonl([qa(1)]) + b"\n" + line + b"\n" + jsonl([qa(2)]))
    assert message.startswith('dataset "bank" has 1 bad row:\n  s:3: ')
    assert what in message
    assert message.isprintable() or "\n" in message


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        (b"question,answer\na,b\nc\n", "s:3", "1 cells, the header has 2"),
        (b"question,answer\na,b,c\n", "s:2", "3 cells, the header has 2"),
        (b'question,answer\n"a\nb",x\n"c\nd"\n', "s:4", "1 cells"),
        (b"question,question\n", "s:1", 'column "question" stands twice'),
        (b"question,\na,b\n", "s:1", "column 2 has no name"),
        (b'question,answer\n"a,b\nc,d\n', "s:2", "not CSV: unexpected end of data"),
        (b'question,answer\n"a"b,c\n', "s:2", "not CSV: ',' expected after '\"'"),
        (b"question,answer\na\rb,c\n", "s:2", "not CSV: new-line character"),
        (b"question,answer\n\xff,b\n", "s:2", "not UTF-8"),
        (b"question,answer\na\0,b\n", "s:2", "a NUL character"),
        (b"question\na\n", "s:2", 'no column "answer"'),
        ("question,answer\na,b\n".encode("utf-16"), "s:1", "UTF-16"),
        (b"question,answer\n", "s:1", "the file has no rows"),
        (b"", "s:1", "the file has no rows"),
        (b"\n\n\n", "s:1", "the file has no rows"),
    ],
)
def test_a_bad_csv_row_is_named_by_place(curated, text: bytes, place: str, what: str) -> None:
    message = bad_rows(curated, text, "csv")
    assert f"\n  {place}: " in message
    assert what in message


def test_all_bad_rows_are_counted_and_twenty_shown(curated) -> None:
    message = bad_rows(curated, b"{}\n" * 25)
    assert message.startswith('dataset "bank" has 25 bad rows:')
    assert message.count("\n  s:") == 20
    assert message.endswith("\n  and 5 more")


@pytest.mark.parametrize("media", ["jsonl", "csv"])
def test_a_huge_line_is_refused_without_being_read_whole(curated, monkeypatch, media) -> None:
    monkeypatch.setattr(rows, "LONGEST_ROW_BYTES", 1000)
    good = {"jsonl": jsonl([qa(1)]), "csv": b"question,answer\n"}[media]
    message = bad_rows(curated, good + b"x" * 5000 + b"\n" + b"{}\n", media)
    assert "s:2: a row of more than 1000 bytes" in message
    assert ("s:3" in message) is (media == "jsonl")


def test_a_row_of_many_lines_in_csv_is_bounded_too(curated, monkeypatch) -> None:
    monkeypatch.setattr(rows, "LONGEST_ROW_BYTES", 1000)
    message = bad_rows(curated, b'question,answer\n"' + b"x\n" * 5000 + b'",a\n', "csv")
    assert "s:2: not CSV: field larger than field limit (1000)" in message


def test_a_row_at_the_limit_is_read(curated, monkeypatch) -> None:
    line = jsonl([qa(1)])
    monkeypatch.setattr(rows, "LONGEST_ROW_BYTES", len(line))
    assert len(curated({"s.jsonl": line + line.replace(b"1", b"2")}).all) == 2
    monkeypatch.setattr(rows, "LONGEST_ROW_BYTES", len(line) - 1)
    assert "a row of more" in bad_rows(curated, line)


def test_control_characters_of_a_row_do_not_reach_the_message(curated) -> None:
    message = bad_rows(curated, [{"question": "q", "\x1b[31m\u202ex": 1, "answer": 1, "id": "i"}])
    assert "\x1b" not in message
    message = bad_rows(curated, [qa(1, id="\x1b]0;x"), qa(2, id="\x1b]0;x")])
    assert "\x1b" not in message
    assert "\\x1b]0;x" in message


@pytest.mark.parametrize(
    ("form", "good", "bad", "what"),
    [
        ("alpaca", {"instruction": "i", "output": "o"}, {"instruction": "i"}, '"output"'),
        ("completion", {"prompt": "p", "completion": "c"}, {"prompt": "p"}, '"completion"'),
        (
            "messages", {"messages": [{"role": "user", "content": "你好"}]},
            {"messages": [{"role": "root", "content": "x"}]}, 'a turn 1 whose "role" is "root"',
        ),
        (
            "messages", {"messages": [{"role": "user", "content": "x"}]},
            {"messages": [{"role": "user", "content": ["x"]}]}, '"content" is not text',
        ),
        (
            "messages", {"messages": [{"role": "user", "content": ""}]},
            {"messages": []}, "not a list",
        ),
        (
            "sharegpt", {"conversations": [{"from": "human", "value": "x"}]},
            {"conversations": ["x"]}, "a turn 1 that is no object",
        ),
    ],
)  # fmt: skip
def test_each_format_has_its_shape(curated, form, good, bad, what) -> None:
    assert len(curated({"s.jsonl": [good]}, format=form).all) == 1
    assert what in bad_rows(curated, [good, bad], format=form)


def test_an_unknown_format_is_an_error(curated) -> None:
    with pytest.raises(WorkerError, match='format "parquet" have no shape'):
        curated({"s.jsonl": [qa(1)]}, format="parquet")


def test_a_mapped_column_that_is_not_there_is_named(curated) -> None:
    message = bad_rows(curated, [qa(1)], columns={"answer": "label"})
    assert 'no column "label" (mapped to "answer")' in message


def test_a_mapped_column_may_not_hide_another(curated) -> None:
    message = bad_rows(curated, [qa(1, label="x")], columns={"answer": "label"})
    assert 'column "answer" is mapped and also stands in the row' in message


# Ids and duplicates


@pytest.mark.parametrize("odd", [True, None, "", 1.5, [1], {"a": 1}])
def test_an_id_that_names_nothing_is_refused(curated, odd: Any) -> None:
    assert "an id is text or an integer" in bad_rows(curated, [qa(1, id=odd)])


def test_an_id_used_twice_is_a_bad_row(curated) -> None:
    assert 's:2: id "a" stands on an earlier row' in bad_rows(
        curated, [qa(1, id="a"), qa(2, id="a")]
    )


def test_given_parts_have_ids_of_their_own(curated) -> None:
    splits = {"method": "given", "parts": {"train": "a", "test": "b"}}
    out = curated({"a.jsonl": [qa(1, id=1)], "b.jsonl": [qa(2, id=1)]}, splits=splits)
    assert [len(p) for p in out.parts.values()] == [1, 1]


@pytest.mark.parametrize("ids", [{}, {"id": "other"}])
def test_a_case_stands_in_a_part_once(curated, ids: dict[str, str]) -> None:
    first = {"id": "first"} if ids else {}
    out = curated({"s.jsonl": [qa(1, **first), qa(1, **ids)]})
    assert len(out.all) == 1
    assert out.funnel["exact duplicates"] == {
        "step": "exact duplicates", "rows_in": 2, "rows_out": 1, "dropped": 1, "sample": ["s:2"],
    }  # fmt: skip


# Selecting and expecting


def test_select_keeps_in_and_drops_not_in(curated) -> None:
    given = [qa(n, zone=zone) for n, zone in enumerate(["EU", "CN", None, "US"])]
    steps = [
        {"select": {"column": "zone", "in": ["EU", "CN", "US"]}},
        {"select": {"column": "zone", "not_in": ["US"]}},
    ]
    out = curated({"s.jsonl": given}, curation=steps)
    assert [r["zone"] for r in out.all] == ["EU", "CN"]
    shown = [(s["rows_in"], s["rows_out"], s["sample"]) for n, s in out.funnel.items()
             if n.startswith("select")]  # fmt: skip
    assert shown == [(4, 3, ["s:3"]), (3, 2, ["s:4"])]


def test_select_knows_types_in_json_and_text_in_csv(curated) -> None:
    step = [{"select": {"column": "n", "in": [1]}}]
    out = curated({"s.jsonl": [qa(1, n=1), qa(2, n="1"), qa(3, n=True)]}, curation=step)
    assert [r["n"] for r in out.all] == [1]
    out = curated({"s.csv": b"question,answer,n\na,b,1\nc,d,2\n"}, curation=step)
    assert [r["n"] for r in out.all] == ["1"]


def test_select_by_a_column_that_is_not_there_is_a_bad_row(curated) -> None:
    step = [{"select": {"column": "zone", "in": ["EU"]}}]
    assert 'no column "zone" to select by' in bad_rows(curated, [qa(1)], curation=step)


def test_a_selection_that_leaves_nothing_says_who_dropped_the_rows(curated) -> None:
    step = [{"select": {"column": "answer", "in": ["nothing"]}}]
    with pytest.raises(WorkerError, match='"bank" has no rows left') as caught:
        curated({"s.jsonl": [qa(1), qa(2)]}, curation=step)
    assert "select answer in nothing dropped 2" in caught.value.hint


@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        ({"not_null": ["zone"]}, "not_null zone: 2 rows have none, first s:2"),
        ({"not_null": "zone"}, "not_null zone: 2 rows have none, first s:2"),
        ({"unique": "answer"}, "unique answer: 1 rows repeat a value, first s:4"),
        ({"unique": "zone"}, ""),
        ({"rows": {"min": 5}}, "rows: 4 is below the minimum 5"),
        ({"rows": {"max": 3}}, "rows: 4 is above the maximum 3"),
        ({"rows": {"min": 4, "max": 4}}, ""),
    ],
)
def test_expectations_hold_or_say_why(curated, expectation, reason: str) -> None:
    zones = ["EU", " ", None, "CN"]
    out = curated(
        {"s.jsonl": [qa(n, zone=z) for n, z in enumerate(zones)]}, expectations=[expectation]
    )
    assert out.outcome.reason == reason
    assert out.outcome.status == ("quality_failed" if reason else "ok")
    assert bool(out.parts) is not bool(reason), "rows that fail expectations are given to nobody"


def test_an_unknown_expectation_is_an_error(curated) -> None:
    with pytest.raises(WorkerError, match='no expectation "not_nul"') as caught:
        curated({"s.jsonl": [qa(1)]}, expectations=[{"not_nul": ["x"]}])
    assert caught.value.hint == 'did you mean "not_null"?'


# Splitting


def by_subject(**parts: float) -> dict[str, Any]:
    return {"method": "hash", "seed": 42, "by": "subject_id", "parts": parts}


def test_a_subject_is_never_on_both_sides_and_shares_are_about_right(curated) -> None:
    given = [qa(n, subject_id=f"客户{n % 500}") for n in range(4000)]
    out = curated({"s.jsonl": given}, splits=by_subject(train=0.8, test=0.2))
    sides = [{r["subject_id"] for r in part} for part in out.parts.values()]
    assert not sides[0] & sides[1]
    assert 0.75 < len(out.parts["train"]) / 4000 < 0.85
    assert {m.metric: m.value for m in out.outcome.measurements} == {
        "same_input": 0.0,
        "rows_train": len(out.parts["train"]), "rows_test": len(out.parts["test"]),
    }  # fmt: skip


def test_anchors_of_both_classes_are_counted_without_control_items(curated) -> None:
    rows = [
        *({"input": "q", "response": f"r{i}", "rating": i / 10} for i in range(10)),
        {"input": "q", "response": "c", "control": "good"},
        {"input": "q", "response": "d", "control": "bad", "rating": 0},
    ]
    out = curated({"s.jsonl": rows}, format="ratings")
    assert {m.metric: m.value for m in out.outcome.measurements} == {
        "rows_all": 12, "good_all": 5, "bad_all": 5,
    }  # fmt: skip


def test_new_rows_never_move_old_ones(curated) -> None:
    given = [qa(n) for n in range(300)]
    splits = {"method": "hash", "seed": 1, "by": None, "parts": {"train": 0.5, "test": 0.5}}
    old = curated({"s.jsonl": given[::3]}, splits=splits)
    new = curated({"s.jsonl": given}, splits=splits)
    for name, part in old.parts.items():
        assert {r["id"] for r in part} <= {r["id"] for r in new.parts[name]}


def test_the_split_ignores_the_order_in_which_parts_are_written(curated) -> None:
    given = [qa(n, subject_id=n) for n in range(100)]
    one = curated({"s.jsonl": given}, splits=by_subject(train=0.5, test=0.3, dev=0.2))
    other = curated({"s.jsonl": given}, splits=by_subject(dev=0.2, train=0.5, test=0.3))
    assert one.parts == other.parts


def test_another_seed_cuts_elsewhere(curated) -> None:
    given = [qa(n, subject_id=n) for n in range(100)]
    cut = by_subject(train=0.5, test=0.5)
    one = curated({"s.jsonl": given}, splits=cut)
    assert one.parts != curated({"s.jsonl": given}, splits={**cut, "seed": 43}).parts


def test_the_cut_of_one_subject_is_fixed_for_ever(curated) -> None:
    out = curated(
        {"s.jsonl": [qa(n, subject_id=f"s{n}") for n in range(12)]},
        splits=by_subject(train=0.5, test=0.5),
    )
    # sha256('[42,"s0"]') and so on, below one half: "test" comes before "train"
    assert [r["subject_id"] for r in out.parts["test"]] == ["s0", "s2", "s3", "s4", "s5", "s11"]


@pytest.mark.parametrize("subject", [{}, {"subject_id": None}, {"subject_id": ""}])
def test_a_row_without_a_subject_is_a_bad_row(curated, subject) -> None:
    message = bad_rows(curated, [qa(1, **subject)], splits=by_subject(a=0.5, b=0.5))
    assert 's:1: no "subject_id" to split by' in message


@pytest.mark.parametrize(
    ("splits", "what"),
    [
        ({"method": "hash", "parts": {"a": 0.5, "b": 0.6}}, "sum to 1.1, not 1"),
        ({"method": "hash", "parts": {"a": 1.5, "b": -0.5}}, "not 1"),
        ({"method": "hash", "parts": {}}, "no parts"),
        ({"method": "dice", "parts": {"a": 1}}, 'no split method "dice"'),
        ({"method": "given", "parts": {"a": "zzz"}}, 'part "a" is given by no source "zzz"'),
        ({"method": "given", "parts": {"a": "s", "b": "s"}}, "one source is given as two parts"),
    ],
)
def test_a_split_that_cannot_mean_anything_is_an_error(curated, splits, what: str) -> None:
    with pytest.raises(WorkerError, match=what):
        curated({"s.jsonl": [qa(1)]}, splits=splits)


def test_a_part_without_rows_is_an_error(curated) -> None:
    with pytest.raises(WorkerError, match='part "b" of "bank" has no rows'):
        curated({"s.jsonl": [qa(1, subject_id="x")]}, splits=by_subject(a=0.999999, b=0.000001))


def test_given_parts_are_sources_and_others_are_left_out(curated) -> None:
    splits = {"method": "given", "parts": {"train": "a", "test": "b"}}
    sources = {"a.jsonl": [qa(1)], "b.jsonl": [qa(2)], "c.jsonl": [qa(3), qa(4)]}
    out = curated(sources, splits=splits)
    assert {n: [r["question"] for r in p] for n, p in out.parts.items()} == {
        "train": ["问题 1?"], "test": ["问题 2?"],
    }  # fmt: skip
    assert (out.funnel["parts"]["dropped"], out.funnel["parts"]["sample"]) == (2, ["c:1", "c:2"])


def test_a_row_in_two_hashed_parts_is_a_leak(curated) -> None:
    given = [qa(n // 2, id=n) for n in range(100)]
    splits = {"method": "hash", "seed": 0, "by": None, "parts": {"a": 0.5, "b": 0.5}}
    with pytest.raises(WorkerError, match=r"\d+ rows stand in two parts, first s:"):
        curated({"s.jsonl": given}, splits=splits)


def test_a_row_in_two_given_parts_is_counted(curated) -> None:
    splits = {"method": "given", "parts": {"train": "a", "test": "b"}}
    a = [qa(1), qa(2, who="x"), qa(3)]
    b = [qa(1), qa(1), qa(2, who="y"), qa(4)]
    out = curated({"a.jsonl": a, "b.jsonl": b}, splits=splits)
    assert [len(p) for p in out.parts.values()] == [3, 3]
    same = out.funnel["same row in two parts"]
    alike = out.funnel["same question and answer in two parts"]
    assert (same["found"], same["sample"], same["dropped"]) == (1, ["b:1"], 0)
    assert (alike["found"], alike["sample"]) == (2, ["b:1", "b:3"])


def test_one_class_only_is_a_dataset(curated) -> None:
    out = curated({"s.jsonl": [{"question": str(n), "answer": "same"} for n in range(5)]})
    assert len(out.all) == 5


def test_the_funnel_adds_up(curated) -> None:
    given = [qa(n, zone="EU" if n % 2 else "CN") for n in range(40)] + [qa(1, zone="EU")]
    out = curated({"s.jsonl": given}, curation=[{"select": {"column": "zone", "in": ["EU"]}}])
    steps = list(out.funnel.values())
    for before, after in pairwise(steps):
        assert before["rows_out"] == after["rows_in"]
    assert all(s["rows_in"] - s["dropped"] == s["rows_out"] for s in steps)
    assert steps[-1]["rows_out"] == len(out.all) == 20


# Fuzz


def test_no_bytes_make_a_traceback(curated, tmp_path: Path) -> None:
    """Every input is either a dataset or an error that names a place in it."""
    random_ = random.Random(7)
    good = {"jsonl": jsonl([qa(n, id=n, zone=[n]) for n in range(4)]),
            "csv": b'question,answer,x\n"a ""b""\n",c,1\nd,e,2\n'}  # fmt: skip
    pieces = [
        b'"',
        b"\n",
        b"\r",
        b",",
        b"{",
        b"}",
        b"\\",
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"NaN",
        b"1e999",
        b"\\ud800",
        "中".encode(),
        b"9" * 30,
        b"[" * 3000,
        b"id",
        b"\xc0\x80",
    ]
    messages = []
    for number in range(800):
        media = random_.choice(["jsonl", "csv"])
        data = bytearray(good[media] if number % 5 else random_.randbytes(random_.randrange(200)))
        for _ in range(random_.randrange(1, 4)):
            at = random_.randrange(len(data) + 1)
            data[at : at + random_.randrange(4)] = random_.choice(pieces)
        messages.append(refusal(tmp_path, bytes(data), media))
    refused = [m for m in messages if m is not None]
    assert [m for m in refused if "\n  s:" not in m] == []
    assert len(refused) > 400
    assert messages.count(None) > 20


def refusal(folder: Path, data: bytes, media: str) -> str | None:
    """Why these bytes are no dataset; None when they are one."""
    (folder / "fuzz").write_bytes(data)
    source = {"name": "s", "media": media}
    spec = {"dataset": {"name": "f", "format": "qa", "sources": [source], "splits": ALL}}
    run = RunFolder(folder, {"id": "curate/f", "spec": spec}, {"source/s": folder / "fuzz"})
    try:
        curate.work(run)
    except WorkerError as error:
        return error.message
    return None


# what each row asks


def asked_of(out: Curated) -> list[str]:
    return [hex_ for hex_, _ in out.digests["all"]]


def questions(*questions: str) -> list[dict[str, Any]]:
    return [{"question": q, "answer": f"a{i}"} for i, q in enumerate(questions)]


def test_each_row_has_the_digest_of_what_it_asks_beside_its_id(curated) -> None:
    out = curated({"s.jsonl": [{"id": "x", "question": "one", "answer": "1"},
                               {"id": "y", "question": "two", "answer": "1"}]})  # fmt: skip
    assert [name for _, name in out.digests["all"]] == ["x", "y"]
    assert len(set(asked_of(out))) == 2
    assert all(len(hex_) == 32 for hex_ in asked_of(out))


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Where is my card?", "where is  my card?\n", True),
    ("\u212b", "\u00c5", True),  # two spellings of one letter
    ("ＡＢＣ", "abc", True),
    ("Where is my card?", "Where is my card", False),
    ("", " ", True),
])  # fmt: skip
def test_a_digest_is_blind_to_how_a_question_is_spelled(
    curated, one: str, other: str, same: bool
) -> None:
    first, second = asked_of(curated({"s.jsonl": questions(one, other)}))
    assert (first == second) is same


def test_digests_are_the_same_in_every_dataset_and_format(curated) -> None:
    question = asked_of(curated({"s.jsonl": questions("Where is my card?")}))
    prompt = curated({"s.jsonl": [{"prompt": "Where is my card?"}]}, format="attack")
    turns = [{"role": "system", "content": "Be brief."},
             {"role": "user", "content": "Where is my card?"},
             {"role": "assistant", "content": "Here."}]  # fmt: skip
    spoken = curated({"s.jsonl": [{"messages": turns}]}, format="messages")
    assert asked_of(prompt) == question
    assert asked_of(spoken) == question


def test_what_an_instruction_is_about_belongs_to_what_is_asked(curated) -> None:
    rows_ = [{"instruction": "Translate.", "input": word, "output": "x"} for word in ("a", "b", "")]
    assert len(set(asked_of(curated({"s.jsonl": rows_}, format="alpaca")))) == 3


def test_what_was_said_before_belongs_to_what_is_asked(curated) -> None:
    def talk(first: str) -> dict[str, Any]:
        said = [("user", first), ("assistant", "Sure?"), ("user", "yes"), ("assistant", "Done.")]
        return {"messages": [{"role": role, "content": text} for role, text in said]}

    out = curated({"s.jsonl": [talk("Close it."), talk("Open it.")]}, format="messages")
    assert len(set(asked_of(out))) == 2


def test_rows_that_ask_the_same_in_two_parts_are_measured(curated) -> None:
    given = {"method": "given", "parts": {"train": "s", "test": "t"}}
    out = curated({"s.jsonl": questions("one", "two", "three"),
                   "t.jsonl": [{"question": "TWO", "answer": "z"}, {"question": "four",
                                                                   "answer": "z"}]},
                  splits=given)  # fmt: skip
    assert out.funnel["same input in two parts"]["found"] == 1
    assert out.funnel["same input in two parts"]["dropped"] == 0
    measured = {m.metric: (m.value, m.sample_size) for m in out.outcome.measurements}
    assert measured["same_input"] == (1.0, 5)
    assert {h for h, _ in out.digests["train"]} & {h for h, _ in out.digests["test"]}


def test_words_of_a_list_have_digests_too(curated) -> None:
    out = curated({"s.jsonl": [{"word": "bad"}]}, format="lexicon")
    assert len(out.digests["all"]) == 1
