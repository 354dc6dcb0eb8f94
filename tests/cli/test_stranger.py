"""What a stranger types by mistake, and the two lines that answer; odd repositories that work."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import GitRepo


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *words], cwd=folder, check=True,
        capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        (("plan", "--base", "mian"), 2, 'no commit is named "mian"', '"main"'),
        (("plan", "--head", "chnage"), 2, 'no commit is named "chnage"', '"change"'),
        (("diff", "main", ""), 2, 'no commit is named ""', "is the variable"),
        (("plan", "--base", "main..change"), 2, "no commit is named", "--base and --head"),
        (("plan", "--base", "HEAD:specs"), 2, "no commit is named", "without a path"),
        (("plan", "--base", "\x1b[31m"), 2, 'no commit is named "\\x1b[31m"', "git branch"),
        (("validate", "specs/recipe"), 2, 'no spec is "specs/recipe"', '"specs/recipes"'),
        (("validate", "specs/recipes/base"), 2, "no spec is", '"specs/recipes/base.yaml"'),
        (("run", "plna.json"), 2, "no plan ", '"plan.json"'),
        (("run", "specs/recipes/base.yaml"), 2, "is no plan", "--out plan.json"),
        (("why", "Recipe/adaptor"), 2, 'nothing is called "Recipe/adaptor"', '"Recipe/adapter"'),
        (("why-not", "adaptor"), 2, 'nothing is called "adaptor"', '"adapter"'),
        (("ls", "Recpie"), 2, 'nothing is called "Recpie"', '"Recipe"'),
        (("gate", "--env", "locl"), 2, 'no Environment is called "locl"', ""),
        (("policy", "show", "requir"), 2, 'there is no rule "requir"', '"require"'),
        (("explain", "Recip"), 2, 'there is no kind "Recip"', '"Recipe"'),
        (("report", "--lang", "fr"), 2, '"fr" is not known', "known are en, zh"),
    ],
)
def test_a_mistake_is_one_line_and_a_hint(
    llmops, bank: GitRepo, words: tuple[str, ...], code: int, said: str, hint: str
) -> None:
    bank.write({"plan.json": "{}"})
    told = llmops(*words, "-C", bank.path)
    assert told.code == code
    first, *rest = told.err.splitlines()
    assert first.startswith("llmops: error: ")
    assert said in first
    assert len(rest) <= 1
    assert hint in "".join(rest)
    assert "\x1b" not in told.err


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("spec", 'is not there\n  hint: did you mean "specs"?'),
        ("policies/default.yaml", "is no folder"),
        ("客服", "is not there"),
    ],
)
def test_a_wrong_folder_names_the_nearest(llmops, bank: GitRepo, folder: str, said: str) -> None:
    told = llmops("plan", "-C", bank.path / folder)
    assert told.code == 2
    assert said in told.err


def test_a_name_that_one_spec_has_is_enough(llmops, bank: GitRepo) -> None:
    words = ("-C", bank.path, "--head", "change")
    full = llmops("why", "Recipe/adapter", *words)
    assert llmops("why", "adapter", *words) == full
    assert llmops("why", "recipe/adapter", *words) == full
    tiny = (bank.path / "specs/models/tiny.yaml").read_text("utf-8")
    bank.write({"specs/models/adapter.yaml": tiny.replace("name: tiny", "name: adapter")})
    told = llmops("why", "adapter", "-C", bank.path)
    assert told.code == 2
    assert "write Model/adapter or Recipe/adapter" in told.err


@pytest.mark.parametrize("name", ["plan", "ls", "diff", "run", "gate"])
def test_a_repository_without_specs_is_told_as_that(llmops, tmp_path: Path, name: str) -> None:
    git(tmp_path, "init", "--quiet")
    for _ in range(2):
        assert "no spec stands in specs/ or policies/" in llmops(name, "-C", tmp_path).err


Make = Callable[[Path, Path], Path]


def cloned(*options: str, name: str = "clone") -> Make:
    def make(repo: Path, place: Path) -> Path:
        git(place, "clone", "--quiet", *options, f"file://{repo}", name)
        return place / name

    return make


def detached(repo: Path, place: Path) -> Path:
    git(cloned()(repo, place) / ".", "checkout", "--quiet", "--detach")
    return place / "clone"


def worktree(repo: Path, place: Path) -> Path:
    git(repo, "worktree", "add", "--quiet", str(place / "tree"), "-b", "feature")
    return place / "tree"


def submodule(repo: Path, place: Path) -> Path:
    git(place, "init", "--quiet", "outer")
    git(place / "outer", "submodule", "--quiet", "add", f"file://{repo}", "inner")
    return place / "outer" / "inner"


@pytest.mark.parametrize(
    "make",
    [
        cloned(), cloned("--depth", "1"), cloned(name="客服 助手's \"bank\""), detached, worktree,
        submodule, lambda repo, _: repo / "specs" / "recipes",
    ],
    ids=["clone", "shallow", "awkward name", "detached", "worktree", "submodule", "subfolder"],
)  # fmt: skip
def test_a_repository_of_any_kind_is_planned(
    llmops, bank: GitRepo, tmp_path: Path, make: Make
) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    here = make(bank.path, place)
    said = llmops("plan", "-C", here)
    assert (said.code, said.err) == (0, "")
    assert "evaluate  Evaluation/quality" in said.out
    assert llmops("ls", "-C", here).out == llmops("ls", "-C", bank.path).out


def test_a_bare_repository_is_told_what_it_lacks(llmops, bank: GitRepo, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", f"file://{bank.path}", "bare.git")
    said = llmops("plan", "-C", tmp_path / "bare.git")
    assert said.code == 3
    assert "no work tree" in said.err
    assert "clone it" in said.err


def test_paths_stand_below_the_folder_that_is_named(llmops, bank: GitRepo, monkeypatch) -> None:
    assert llmops("plan", "-C", bank.path, "--out", "plan.json").code == 0
    assert (bank.path / "plan.json").is_file()
    assert "Would" not in llmops("run", "-C", bank.path, "plan.json", "--dry-run").err
    assert "train/base" in llmops("run", "-C", bank.path, "plan.json", "--dry-run").out
