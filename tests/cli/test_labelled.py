"""Somebody's CSV: every shape that a spreadsheet writes is read, and each mistake has its line."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from llmops.cli import labelled
from llmops.cli.labelled import Asked, Labelled
from llmops.errors import UsageError

BOTH = Asked("text", "label")


def rows(count: int = 40, separator: str = ",") -> str:
    lines = [f"question number {n}{separator}{'abc'[n % 3]}" for n in range(count)]
    return "".join(f"{line}\n" for line in lines)


def read(folder: Path, content: str | bytes, asked: Asked = BOTH) -> Labelled:
    path = folder / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return labelled.read(path, path.name, asked)


def told(found: Labelled) -> list[str]:
    return [f"{d.span.line}: {d.message}" for d in found.wrong]


@pytest.mark.parametrize("separator", labelled.SEPARATORS)
def test_the_separator_is_the_one_under_which_the_header_has_both_columns(
    tmp_path: Path, separator: str
) -> None:
    head = separator.join(("text", "label")) + "\n"
    found = read(tmp_path, head + rows(separator=separator))
    assert (found.separator, len(found.rows)) == (separator, 40)
    assert dict(found.labels) == {"a": 14, "b": 13, "c": 13}


def test_a_header_with_commas_in_a_column_of_semicolons_is_cut_by_semicolons(
    tmp_path: Path,
) -> None:
    head = "text;label;a, b, c, d\n"
    found = read(tmp_path, head + rows(separator=";").replace("\n", ";x\n"))
    assert (found.separator, found.others) == (";", ("a, b, c, d",))


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_part_of_a_text(tmp_path: Path) -> None:
    content = codecs.BOM_UTF8 + ("text,label\n" + rows()).replace("\n", "\r\n").encode()
    found = read(tmp_path, content)
    assert found.rows[0] == (2, "question number 0", "a")
    assert not found.wrong


def test_chinese_of_a_spreadsheet_is_read_when_its_encoding_is_named(tmp_path: Path) -> None:
    text = "文本,标签\n" + "".join(
        f"第{n}个问题,{'退款' if n % 2 else '查询'}\n" for n in range(40)
    )
    found = read(tmp_path, text.encode("gb18030"), Asked("文本", "标签", "gb18030"))
    assert found.rows[0].label == "查询"
    with pytest.raises(UsageError, match="not UTF-8 at byte 1 of the line") as wrong:
        read(tmp_path, text.encode("gb18030"), Asked("文本", "标签"))
    assert wrong.value.hint == "try --encoding gb18030"


def test_another_encoding_below_the_header_has_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, b"text,label\n" + rows().encode() + "退款,a\n".encode("gb18030"))
    assert told(found) == ["42: not UTF-8 at byte 1 of the line"]
    assert found.wrong[0].hint == "try --encoding gb18030"


def test_a_line_end_inside_quotes_belongs_to_the_text_and_lines_are_counted_on(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, 'text,label\n"one\ntwo",a\nnext,b\n' + rows())
    assert found.rows[0] == (2, "one\ntwo", "a")
    assert found.rows[1] == (4, "next", "b")


def test_a_missing_column_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='has no column "labl" \\(--label\\)') as wrong:
        read(tmp_path, "text,label\n" + rows(), Asked("text", "labl"))
    assert wrong.value.hint == 'did you mean "label"?'
    with pytest.raises(UsageError, match='has no column "TEXT"') as wrong:
        read(tmp_path, "text,label\n" + rows(), Asked("TEXT", "label"))
    assert wrong.value.hint == 'did you mean "text"?'


def test_a_file_without_a_header_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column") as wrong:
        read(tmp_path, rows())
    assert "first line must name the columns" in wrong.value.hint


@pytest.mark.parametrize(
    ("asked", "said"),
    [(Asked("text", "text"), "the same column"), (Asked("text", "twice"), "2 columns")],
)
def test_columns_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, asked: Asked, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, "text,twice,twice\n" + rows(), asked)


def test_rows_with_other_cells_than_the_header_are_all_told(tmp_path: Path) -> None:
    found = read(tmp_path, "text,label\nalone\na, b,c\nfine,a,,\n" + rows())
    assert told(found) == ["2: 1 cells, the header has 2", "3: 3 cells, the header has 2"]


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "text,label\n,a\nno label, \n\n,\n" + rows())
    assert (found.empty.count, found.empty.lines) == (2, ["2", "3"])
    assert (len(found.rows), found.read) == (40, 42)


def test_a_text_that_stands_twice_stays_once_whatever_its_case_and_blanks(tmp_path: Path) -> None:
    found = read(
        tmp_path, "text,label\nHello  there,a\nhello there ,a\nＨＥＬＬＯ there,a\n" + rows()
    )
    assert (found.repeated.count, found.repeated.lines) == (2, ["3", "4"])
    assert found.rows[0].text == "Hello  there"


def test_a_text_with_two_labels_is_left_out_with_both_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "text,label\nsame,a\nother,a\nsame,b\nsame,c\n" + rows())
    assert (found.contradicted.count, found.contradicted.lines) == (1, ["2 and 4"])
    assert "same" not in {row.text for row in found.rows}


def test_a_file_where_many_texts_have_two_labels_has_no_labels(tmp_path: Path) -> None:
    twice = "".join(f"t{n},a\nt{n},b\n" for n in range(40))
    with pytest.raises(UsageError, match="40 of 80 texts have two labels"):
        read(tmp_path, "text,label\n" + twice + rows())


def test_a_long_text_is_cut_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, f"text,label\n{'long ' * 1000},a\n" + rows())
    assert (found.cut.count, found.cut.lines) == (1, ["2"])
    assert len(found.rows[0].text) <= labelled.LONGEST_TEXT


def test_labels_that_differ_in_case_alone_are_named_and_kept(tmp_path: Path) -> None:
    found = read(tmp_path, "text,label\nx,A\n" + rows())
    assert found.alike == (("a", "A"),)
    assert found.labels["A"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "is a workbook or archive"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        ("text,label\n".encode("utf-16"), "is UTF-16"),
        (b"\x1f\x8brest", "is compressed"),
        (b"", "is empty"),
        (b" \n\n\t\n", "is empty"),
        (b"text,label\n", "0 rows can be used"),
        (b"text,label\n" + b"".join(b"t%d,a\n" % n for n in range(50)), 'has the label "a"'),
        (b"text,label\n" + b"".join(b"t%d,l%d\n" % (n, n) for n in range(50)), "50 labels for 50"),
    ],
)
def test_a_file_that_holds_nothing_to_learn_is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, content)


def test_a_quote_that_is_never_closed_is_told_where_it_opens(tmp_path: Path) -> None:
    found = read(tmp_path, 'text,label\n"open,a\n' + rows())
    assert told(found) == ["2: a cell that does not end before the file does"]
    found = read(tmp_path, 'text,label\nx,a\n"open,a\n' + rows(120_000))
    assert told(found) == ["3: a cell that does not end within 1,048,576 characters"]


def test_quotes_in_the_middle_of_a_cell_are_read_as_they_stand(tmp_path: Path) -> None:
    found = read(tmp_path, 'text,label\nthe "big" one,a\n"say ""hi""",b\n' + rows())
    assert [row.text for row in found.rows[:2]] == ['the "big" one', 'say "hi"']


def test_a_nul_and_a_label_as_long_as_a_text_are_mistakes(tmp_path: Path) -> None:
    found = read(tmp_path, f"text,label\nda\0ta,a\nfine,{'x' * 300}\n" + rows())
    assert told(found) == [
        "2: a NUL character",
        "3: a label of 300 characters, 200 are the most",
    ]


def test_mistakes_are_counted_up_to_a_limit(tmp_path: Path) -> None:
    found = read(tmp_path, "text,label\n" + "alone\n" * (labelled.MOST_WRONG + 50))
    assert len(found.wrong) == labelled.MOST_WRONG


def test_a_file_that_is_not_there_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        labelled.read(tmp_path / "none.csv", "none.csv", BOTH)
    with pytest.raises(UsageError, match="cannot be read"):
        labelled.read(tmp_path, "folder", BOTH)
