"""A repository from somebody's rows: valid at once, sized by the rows, and its bounds decidable."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli import from_csv, from_csv_size, from_csv_words, labelled
from llmops.cli.from_csv_words import TEXTS
from llmops.rewrites.style import formatted
from llmops.statistics import binomial

WORDS = ("card", "top-up", "transfer", "refund", "limit", "pin", "account", "fee", "rate", "cash")


def table(rows: int, labels: int, seed: int = 1) -> str:
    draw = random.Random(seed)
    lines = ["text,label"]
    for number in range(rows):
        label = number % labels
        lines.append(f"{number} {' '.join(draw.choices(WORDS, k=6))} l{label},label {label}")
    return "\n".join(lines) + "\n"


def read(folder: Path, text: str) -> labelled.Labelled:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return labelled.read(path, path.name, labelled.Asked("text", "label"))


@pytest.fixture
def made(llmops, tmp_path: Path):
    def make(text: str, *words: str, name: str = "My intents (v2).csv") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        folder = tmp_path / "mine"
        columns = ("--text", "text", "--label", "label")
        said = llmops("init", folder, "--from-csv", tmp_path / name, *columns, *words)
        assert said.code == 0, said.err
        return folder

    return make


@pytest.mark.parametrize(
    ("rows", "labels", "language"), [(100, 2, "zh"), (1_000, 4, "en"), (3_000, 500, "zh")]
)
def test_it_is_valid_and_each_bound_can_be_decided(
    llmops, made, rows: int, labels: int, language: str
) -> None:
    folder = made(table(rows, labels), "--lang", language)
    checked = llmops("validate", "-C", folder)
    assert (checked.code, checked.err) == (0, "")
    assert "0 errors, 0 warnings" in checked.out
    for counted in ([], ["--counted"]):
        planned = json.loads(llmops("plan", "-C", folder, *counted, "--format", "json").out)
        assert planned["gates"]
        assert all(gate["decidable"] is not False for gate in planned["gates"])
    assert llmops("policy", "test", "-C", folder).code == 0
    for path in (*(folder / "specs").rglob("*.yaml"), *(folder / "policies").glob("*.yaml")):
        text = path.read_text("utf-8")
        assert formatted(text, path.name).text == text
    assert "@" not in (folder / "README.md").read_text("utf-8")


def test_rows_name_the_line_that_they_came_from_and_their_parts_share_no_text(made) -> None:
    folder = made(table(100, 2))
    kept = (folder / "specs/data/my-intents-v2.jsonl").read_text("utf-8").splitlines()
    assert json.loads(kept[0])["id"] == "r2"
    assert len({json.loads(row)["question"] for row in kept}) == len(kept) == 100


def test_texts_that_differ_in_case_alone_never_lie_on_two_sides(tmp_path: Path) -> None:
    twice = "".join(f"question {n},a\nQUESTION {n},a\nother {n},b\n" for n in range(200))
    found = read(tmp_path, "text,label\n" + twice)
    assert found.repeated.count == 200
    assert len({row.text.casefold() for row in found.rows}) == len(found.rows)


@pytest.mark.parametrize("rows", [30, 100, 999, 1_000, 20_000, 57_143, 1_000_000, 12_345_678])
def test_shares_add_up_and_more_train_moves_no_other_row(rows: int) -> None:
    from fractions import Fraction

    shares = from_csv_size._shares(rows)
    assert sum(map(Fraction, shares.values())) == 1
    assert float(shares["test"]) * rows <= from_csv_size.MOST_TESTED * 1.05 + 1
    if "unused" in shares:
        names = sorted(shares)
        assert abs(names.index("unused") - names.index("train")) == 1


def test_the_first_bound_is_what_the_commonest_label_reaches(tmp_path: Path) -> None:
    common = "".join(f"ordinary {n},a\n" for n in range(600))
    found = read(tmp_path, table(400, 4) + common)
    size = from_csv_size.sized(found)
    assert (size.accuracy, size.beats) == (0.6, "commonest")
    tested = size.parts.rows("test")
    assert binomial.smallest_passing_count(tested, 0.6, 0.0125) is not None


def test_a_bound_is_rounded_up_since_the_share_itself_shows_nothing(tmp_path: Path) -> None:
    lines = "".join(f"text {n},{'a' if n % 1000 < 377 else 'bcd'[n % 3]}\n" for n in range(1000))
    size = from_csv_size.sized(read(tmp_path, "text,label\n" + lines))
    assert size.accuracy == 0.38


@pytest.mark.parametrize(
    ("rows", "share", "able"), [(30, 0.7, True), (30, 0.8, False), (60, 0.8, True)]
)
def test_a_bound_that_only_a_nearly_perfect_model_would_show_is_none_to_begin_with(
    rows: int, share: float, able: bool
) -> None:
    assert from_csv_size._can_show(rows, share) is able
    assert binomial.smallest_passing_count(rows, share, 0.0125) is not None  # it could be shown


@pytest.mark.parametrize(("rows", "margin"), [(30, 0.3), (255, 0.08), (2050, 0.03), (4000, 0.02)])
def test_the_margin_is_the_finest_that_so_many_rows_decide(rows: int, margin: float) -> None:
    assert from_csv_size._margin(rows) == margin


def test_few_rows_of_an_uneven_file_are_asked_for_less_and_told_so(tmp_path: Path) -> None:
    common = "".join(f"ordinary {n},a\n" for n in range(92))
    found = read(tmp_path, "text,label\n" + common + "".join(f"odd {n},b\n" for n in range(8)))
    size = from_csv_size.sized(found)
    assert (size.accuracy, size.beats) == (0.5, "guess")
    assert "cannot show that much" in from_csv_words._bound(size, 2, "en")


def test_labels_of_any_signs_come_through_to_the_gates(llmops, made) -> None:
    odd = [
        "退款",
        'a "quoted" one',
        "it's: {odd}",
        "tab\there",
        "pipe|`code`",
        "😀",
        "# no comment",
    ]
    lines = ["text,label"]
    for number in range(700):
        label = odd[number % 7].replace('"', '""')
        lines.append(f'text {number},"{label}"')
    folder = made("\n".join(lines))
    assert llmops("validate", "-C", folder).code == 0
    kept = (folder / "specs/evaluations/my-intents-v2.yaml").read_text("utf-8")
    assert "退款" in kept
    assert "😀" in kept


@pytest.mark.parametrize(
    ("file", "name"),
    [("My intents (v2).csv", "my-intents-v2"), ("客服.csv", "labels"), ("x" * 90, "x" * 40)],
)
def test_the_specs_are_called_after_the_file(file: str, name: str) -> None:
    assert from_csv.name_of(file) == name


def test_mistakes_in_rows_are_told_by_line_and_nothing_is_made(llmops, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(table(40, 2) + "alone\n" * 30)
    said = llmops(
        "init", tmp_path / "mine", "--from-csv", tmp_path / "bad.csv",
        "--text", "text", "--label", "label",
    )  # fmt: skip
    assert said.code == 2
    assert "bad.csv:42:1: error[labelled-row]: 1 cells, the header has 2" in said.err
    assert "and 10 more" in said.err
    assert "30 mistakes in bad.csv" in said.err
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from-csv", "x.csv"], "--from-csv needs --text and --label"),
        (["--from-csv", "x.csv", "--text", "a"], "--from-csv needs --label"),
        (["--text", "a"], "--text needs --from-csv"),
        (["--from-csv", "x", "--example", "tiny", "--text", "a", "--label", "b"], "two beginnings"),
        (["--from-csv", "none.csv", "--text", "a", "--label", "b"], "none.csv cannot be read"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    llmops, tmp_path: Path, words: list[str], said: str
) -> None:
    done = llmops("init", tmp_path / "mine", *words)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "mine").exists()


def test_a_folder_in_use_is_not_touched_for_rows_either(llmops, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(table(40, 2))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("mine")
    columns = ("--text", "text", "--label", "label")
    done = llmops("init", tmp_path / "mine", "--from-csv", tmp_path / "rows.csv", *columns)
    assert done.code == 2
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["README.md"]


def test_both_languages_say_the_same_things_with_the_same_places() -> None:
    import string

    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for word in TEXTS["en"]:
        assert places(TEXTS["en"][word]) == places(TEXTS["zh"][word]), word


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_first_verdict_of_somebodys_rows_is_passed(tmp_path: Path) -> None:
    """As a new user walks it, with real training, from a spreadsheet in Chinese."""
    draw, matters = (
        random.Random(5),
        {"退款": "退 钱 款", "物流": "快递 发货 到哪", "发票": "抬头 专票 开票"},
    )
    lines = ["文本;标签"]
    for number in range(400):
        label = draw.choice(list(matters))
        word = draw.choice(matters[label].split())
        lines.append(f"第{number}次问：{word}的事{draw.choice(['请尽快', '谢谢', '急'])};{label}")
    (tmp_path / "客服.csv").write_bytes("\r\n".join(lines).encode("gb18030"))
    environment = {**os.environ, "LLMOPS_CACHE": str(tmp_path / "cache"), "CI": "true"}

    def llmops(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "llmops", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    columns = ("--text", "文本", "--label", "标签", "--encoding", "gb18030", "--lang", "zh")
    made = llmops("init", "mine", "--from-csv", "客服.csv", *columns)
    assert made.returncode == 0, made.stderr
    ran = llmops("run", "-C", "mine")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    judged = llmops("gate", "-C", "mine")
    assert judged.returncode == 0, judged.stdout
    assert "Verdict: passed" in judged.stdout
