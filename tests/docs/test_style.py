"""Pages read alike: one spelling of each name, no filler, lines that fit."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from llmops.cli import manual
from tests.docs.twins import CODE, FENCE, LINK
from tests.tools.make_docs import MARK, ROOT, language, pages

PAGES = pages()
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
each_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)
each_english = pytest.mark.parametrize(
    "page", [p for p in PAGES if language(p) == "en"], ids=lambda p: p.relative_to(ROOT).as_posix()
)
LONGEST = 136  # columns of a line of prose; a row of a table may be as long as it must

# How a name is written: whatever matches without regard to case must be this.
SPELT = (
    "GitHub", "PyTorch", "DeepSpeed", "JSON Schema", "YAML", "MLflow", "LLaMA-Factory", "LoRA",
    "BANKING77", "Hugging Face", "CI", "PEFT", "SARIF", "JUnit", "Jinja2", "Ctrl-C", "CODEOWNERS",
    "Markdown", "OpenTofu", "SQLite",
)  # fmt: skip
# The name of a command, a package or a folder is code, or is written as its makers do.
SMALL = {
    "ci",
    "mlflow",
    "github",
    "banking77",
    "yaml",
    "junit",
    "sarif",
    "peft",
    "lora",
    "markdown",
}
FILLER = (
    "simply", "just", "easy", "easily", "obviously", "of course", "basically", "really",
    "please note", "note that", "in order to", "utilize", "leverage", "seamless", "powerful",
    "robust", "blazing", "state-of-the-art", "cutting-edge", "game-changer", "best-in-class",
    "world-class", "compliant", "TODO", "for now", "coming soon",
)  # fmt: skip
OTHER = {
    "fine tuning": "fine-tuning", "guard rail": "guardrail", "data set": "Dataset or dataset",
    "eval ": "Evaluation", "evals": "Evaluations", "licenses": "licences", "color": "colour",
    "behavior": "behaviour", "optimise": "optimize", "pull-request": "pull request",
    "worktree": "work tree", "command-line": "command line", "repo ": "repository",
}  # fmt: skip


def prose(page: Path) -> str:
    """What a page says in words: no code, no made parts, no addresses."""
    text = MARK.sub("", page.read_text("utf-8"))
    return LINK.sub("]", CODE.sub("`…`", FENCE.sub("", text)))


@each_english
def test_a_name_is_written_as_its_makers_write_it(page: Path) -> None:
    wrong = []
    for name in SPELT:
        for found in re.findall(rf"(?<![\w`./-]){re.escape(name)}(?![\w`/-])", prose(page), re.I):
            if found != name and found not in SMALL:
                wrong.append(found)
    assert wrong == []


@each_english
def test_no_word_is_filler(page: Path) -> None:
    text = re.sub(r"\s+", " ", prose(page))
    assert [w for w in FILLER if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", text, re.I)] == []


@each_english
def test_a_thing_has_one_name(page: Path) -> None:
    text = re.sub(r"\s+", " ", prose(page)) + " "
    assert {w: o for w, o in OTHER.items() if re.search(rf"(?<![\w-]){w}", text)} == {}


@each_page
def test_lines_of_prose_fit(page: Path) -> None:
    lines = prose(page).splitlines()
    assert [line for line in lines if len(line) > LONGEST and not line.startswith("|")] == []


@each_page
def test_headings_go_down_one_step_at_a_time(page: Path) -> None:
    depths = [depth for _, depth, _ in manual.anchors(page.read_text("utf-8"))]
    assert depths[0] == 1
    assert depths.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(depths))


@each_page
def test_a_page_ends_with_one_line_break_and_has_no_loose_ends(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\t" not in text
    assert [line for line in MARK.sub("", text).splitlines() if line != line.rstrip()] == []
    assert len(re.findall(r"^ *(?:> )?```", text, re.MULTILINE)) % 2 == 0
