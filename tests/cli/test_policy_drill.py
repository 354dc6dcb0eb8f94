"""`llmops policy drill`: what would be tried, what came of it, exit codes, the scratch folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from llmops.cli import policy_drill
from llmops.drills import words
from llmops.drills.table import PLANTS

NAMES = [plant.name for plant in PLANTS]


def drill(llmops, bank, *more: str | Path):
    return llmops("policy", "drill", "-C", bank.path, *more)


def scratch(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "drills").glob("*"))


def test_without_yes_what_would_be_tried_is_said_and_nothing_runs(llmops, bank, tmp_path) -> None:
    said = drill(llmops, bank, "--seeds", "3")
    assert said.code == 0
    assert all(name in said.out for name in NAMES)
    assert "twin       another-seed           x 3" in said.out
    assert said.out.splitlines()[-1].startswith("Nothing was run.")
    assert said.out.splitlines()[-1].endswith("say --yes")
    assert not (bank.path / "reports").exists()
    assert scratch(tmp_path) == []


def test_a_time_that_nothing_tells_is_not_called_none(llmops, bank) -> None:
    assert "takes a time that is not known" in drill(llmops, bank).out


def test_where_no_bound_judges_a_model_nothing_can_be_tried(llmops, bank) -> None:
    bank.commit({"specs/evaluations/quality.yaml": None}, "nothing is asked")
    assert drill(llmops, bank).out.startswith("Nothing can be tried")


def test_what_fits_nowhere_is_said_with_the_reason(llmops, bank) -> None:
    lines = drill(llmops, bank).out.splitlines()
    told = next(line for line in lines if "guard-emptied" in line)
    assert "not tried" in told
    assert "Application/bot has no guardrail" in told


def test_a_model_that_is_not_stopped_is_exit_1_and_told_last(llmops, bank, tmp_path) -> None:
    said = drill(llmops, bank, "--yes", "--only", "shuffled-labels", "--only", "reformatted")
    assert said.code == 1  # these workers are made up: they learn nothing from rows
    assert said.out.splitlines()[-1].startswith("Bad models caught: 0 of 1 (0 %")
    assert "missed" in said.out
    assert "shuffled-labels: missed" in said.err
    assert re.search(r"Idle gates: (\d+) of \1 stopped no bad model", said.out)
    assert not (bank.path / "reports").exists()
    assert scratch(tmp_path) == []


def test_fewer_may_be_asked_for_and_twins_alone_ask_for_none(llmops, bank) -> None:
    chosen = ("--yes", "--only", "shuffled-labels")
    assert drill(llmops, bank, *chosen, "--min-caught", "0").code == 0
    assert drill(llmops, bank, "--yes", "--only", "reformatted").code == 0


def test_a_drill_in_which_nothing_fits_shows_nothing_and_is_exit_1(llmops, bank) -> None:
    said = drill(llmops, bank, "--yes", "--only", "guard-emptied")
    assert said.code == 1
    assert said.out.splitlines()[-1].startswith("Bad models caught: none was tried; ")
    assert said.out.splitlines()[-1].endswith("(1 not tried)")


def test_programs_get_json_alone_on_standard_output(llmops, bank) -> None:
    said = drill(llmops, bank, "--yes", "--only", "reformatted", "--format", "json")
    found = json.loads(said.out)
    assert found["twins"] | {"interval": None} == {
        "passed": 1, "judged": 1, "interval": None, "asked": 0.95,
    }  # fmt: skip
    assert found["plants"][0]["state"] == "passed"
    assert found["bad"]["judged"] == 0


def test_a_page_has_a_row_for_each_plant(llmops, bank) -> None:
    said = drill(llmops, bank, "--yes", "--only", "reformatted", "--format", "md")
    rows = [line for line in said.out.splitlines() if line.startswith("| passed |")]
    assert len(rows) == 1


def test_a_kept_folder_stays_with_a_commit_for_each_plant(llmops, bank, tmp_path) -> None:
    kept = tmp_path / "kept"
    said = drill(llmops, bank, "--yes", "--only", "shuffled-labels", "--keep", kept)
    assert said.code == 1
    assert (kept / "reports" / "evidence").is_dir()
    heads = kept / ".git" / "refs" / "heads"
    found = {p.relative_to(heads).as_posix() for p in heads.rglob("*") if p.is_file()}
    assert found == {"drill/shuffled-labels-0/bot", "main"}
    assert drill(llmops, bank, "--yes", "--only", "reformatted", "--keep", kept).code == 0


def test_a_folder_in_use_is_not_touched(llmops, bank, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    said = drill(llmops, bank, "--yes", "--keep", tmp_path / "mine")
    assert said.code == 2
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["a.txt"]


def test_what_was_stopped_is_found_again(llmops, bank, tmp_path, monkeypatch) -> None:
    chosen = ("--yes", "--only", "shuffled-labels")
    with monkeypatch.context() as patch:
        patch.setattr(policy_drill, "_judged", lambda: interrupt_when_judged)
        assert drill(llmops, bank, *chosen).code == 130
    (left,) = scratch(tmp_path)
    assert (left / "reports" / "evidence").is_dir()
    again = drill(llmops, bank, *chosen)
    assert "train/" not in again.err  # all evidence was there
    assert scratch(tmp_path) == []


def interrupt_when_judged(_tried: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--seeds", "0"), "--seeds must be at least 1"),
        (("--jobs", "0"), "--jobs must be at least 1"),
        (("--min-caught", "95"), "--min-caught 95 is no share"),
        (("--base", "nowhere"), 'no commit is named "nowhere"'),
    ],
)
def test_wrong_numbers_are_usage(llmops, bank, option, said) -> None:
    found = drill(llmops, bank, "--yes", *option)
    assert found.code == 2
    assert said in found.err


def test_the_formats_are_those_that_words_has() -> None:
    assert tuple(words.FORMATS) == policy_drill.FORMATS
