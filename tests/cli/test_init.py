"""A new user's first minute: what is made, that it is whole, and that nothing is ever lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli import scaffold
from llmops.statistics.attempts import level
from llmops.statistics.binomial import smallest_passing_count

ROOT = Path(__file__).parents[2]


def tree(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(params=scaffold.LANGUAGES)
def made(llmops, tmp_path: Path, request) -> Path:
    folder = tmp_path / "mine"
    assert llmops("init", folder, "--lang", request.param).code == 0
    return folder


def test_it_is_valid_and_plans_every_kind_of_job(llmops, made: Path) -> None:
    said = llmops("validate", "-C", made)
    assert (said.code, said.err) == (0, "")
    assert "0 errors, 0 warnings" in said.out
    planned = json.loads(llmops("plan", "-C", made, "--format", "json").out)
    types = {step["job"]["type"] for step in planned["steps"]}
    assert types >= {"curate", "train", "generate", "evaluate", "guard"}
    assert planned["base"]["label"] == "main"  # the policy that judges was there before
    assert all(gate["decidable"] is not False for gate in planned["gates"])
    counted = json.loads(llmops("plan", "-C", made, "--counted", "--format", "json").out)
    assert all(gate["decidable"] is not False for gate in counted["gates"])


def test_its_specs_stand_in_the_style_of_fmt(llmops, made: Path) -> None:
    said = llmops("fmt", "--check", "-C", made)
    assert (said.code, said.err) == (0, "")


def test_each_claim_may_be_tried_three_times_and_somebody_may_grant_one_more(made: Path) -> None:
    policy = (made / "policies/default.yaml").read_text(encoding="utf-8")
    assert "\n  attempts: 3\n" in policy
    assert "when: attempts" in policy


def test_every_claim_of_the_guardrail_can_be_shown_at_the_last_attempt_too(made: Path) -> None:
    guard = (made / "specs/guardrails/faq-guard.yaml").read_text("utf-8")
    found = re.findall(r"name: ([\w-]+), dataset: refuse-bank#(\w+),.*min: ([\d.]+)", guard)
    assert [name for name, _, _ in found] == ["stops", "lets-by"]
    for _, part, least in found:
        rows = len((made / f"specs/data/{part}.jsonl").read_text("utf-8").splitlines())
        assert smallest_passing_count(rows, float(least), level(0.05, 3, 3)) is not None, part


def test_main_has_the_rules_first_and_nothing_is_left_over(made: Path) -> None:
    assert git(made, "branch", "--show-current") == "main"
    first, second = git(made, "rev-list", "--reverse", "HEAD").splitlines()
    assert "policies/default.yaml" in git(made, "ls-tree", "-r", "--name-only", first)
    assert "specs/" not in git(made, "ls-tree", "-r", "--name-only", first)
    assert "specs/recipes" in git(made, "ls-tree", "-r", "--name-only", second)
    assert git(made, "status", "--porcelain") == ""
    assert [p.name for p in made.parent.iterdir() if p.name.startswith(".llmops-init")] == []


def test_the_schema_is_there_and_every_spec_names_it(llmops, made: Path) -> None:
    assert llmops("schema", "--check", "-C", made).code == 0
    for path in [*made.glob("specs/*/*.yaml"), *made.glob("policies/*.yaml")]:
        line = path.read_text("utf-8").splitlines()[0]
        named = line.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / named).resolve().is_file(), path


def test_no_mark_of_the_templates_is_left(made: Path) -> None:
    for name, data in tree(made).items():
        if not name.endswith((".jsonl", ".json")):
            assert not re.search(r"#(en|zh):|#schema|@TORCH@", data.decode()), name


def test_each_language_has_the_same_files_and_meanings(llmops, tmp_path: Path) -> None:
    both = []
    for language in scaffold.LANGUAGES:
        folder = tmp_path / language
        llmops("init", folder, "--lang", language)
        planned = json.loads(llmops("plan", "-C", folder, "--format", "json").out)
        both.append((set(tree(folder)), [s["job"]["closure"] for s in planned["steps"]]))
    assert both[0] == both[1]


def test_the_commands_of_its_pages_are_commands(llmops, made: Path) -> None:
    from llmops.cli.main import COMMANDS

    pages = ["README.md", ".github/workflows/llmops.yml", ".pre-commit-config.yaml"]
    text = "\n".join((made / name).read_text("utf-8") for name in pages)
    named = set(re.findall(r"llmops ([a-z][a-z-]+)", text))
    assert {"plan", "run", "gate"} <= named <= {*COMMANDS, "evidence"}
    paths = re.findall(r"`((?:specs|policies|\.github)/[\w./-]+)`", text)
    assert [p for p in paths if not (made / p).exists()] == []


def test_rows_are_distinct_and_banks_are_never_learned(made: Path) -> None:
    rows = {}
    for path in (made / "specs/data").glob("*.jsonl"):
        found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        rows[path.stem] = [r.get("question") or r.get("prompt") or r["word"] for r in found]
        assert len(set(rows[path.stem])) == len(rows[path.stem])
    assert len(rows["faq"]) >= 200
    assert len(rows["refuse"]) + len(rows["ordinary"]) == 60
    assert not set(rows["faq"]) & {*rows["refuse"], *rows["ordinary"], *rows["probes"]}


def test_the_printed_commands_are_the_next_ones(llmops, tmp_path: Path) -> None:
    said = llmops("init", tmp_path / "mine")
    commands = re.findall(r"^  ([a-z].*?)(?:  |$)", said.out, re.MULTILINE)
    assert commands == [f"cd {tmp_path / 'mine'}", "llmops plan", "llmops run", "llmops gate"]


def test_without_ci_there_is_no_workflow(llmops, tmp_path: Path) -> None:
    llmops("init", tmp_path / "mine", "--ci", "none")
    assert not (tmp_path / "mine/.github/workflows").exists()
    assert (tmp_path / "mine/.github/CODEOWNERS").is_file()


def test_the_case_that_the_readme_shows_is_one_that_is_asked(made: Path) -> None:
    from llmops.workers.splits import build

    data = (made / "specs/data/faq.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in data.splitlines()]
    splits = {"method": "hash", "seed": 7, "parts": {"train": 0.65, "test": 0.35}}
    assert "{method: hash, seed: 7, parts: {train: 0.65, test: 0.35}}" in (
        made / "specs/datasets/faq.yaml"
    ).read_text("utf-8")
    cut = build(splits, ("faq",))
    asked = {row["id"] for row in rows if cut.part(row, "faq") == "test"}
    named = set(re.findall(r"faq-\d{3}", (made / "README.md").read_text("utf-8")))
    assert named
    assert named <= asked


# ---- where it is made ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["我的 助手", "a b'c\"d", "-dash", "deep/er/still", "x\ny"])
def test_any_name_is_a_folder(llmops, tmp_path: Path, name: str) -> None:
    said = llmops("init", "-C", tmp_path, "--", name)
    assert said.code == 0, said.err
    assert llmops("validate", "-C", tmp_path / name).code == 0


def test_an_empty_folder_may_be_here(llmops, tmp_path: Path, monkeypatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    said = llmops("init")
    assert said.code == 0
    assert "\n  cd " not in said.out
    assert Path.cwd().samefile(here)  # the folder itself, not another of its name
    assert (here / ".git").is_dir()


@pytest.mark.parametrize("name", ["\0", "x" * 300, "\ud800"])
def test_a_name_that_no_folder_can_have_is_told(llmops, tmp_path: Path, name: str) -> None:
    assert llmops("init", "-C", tmp_path, "--", name).code in (2, 3)
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == []


def test_a_folder_in_use_is_not_touched(llmops, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "precious.txt").write_text("precious")
    said = llmops("init", folder)
    assert said.code == 2
    assert "is not empty (precious.txt)" in said.err
    assert tree(folder) == {"precious.txt": b"precious"}


def test_force_replaces_files_of_the_same_name_only(llmops, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "precious.txt").write_text("precious")
    (folder / "README.md").write_text("old")
    assert llmops("init", folder, "--force").code == 0
    found = tree(folder)
    assert found["precious.txt"] == b"precious"
    assert found["README.md"] != b"old"
    assert git(folder, "status", "--porcelain") == "?? precious.txt"


def test_inside_another_repository_is_refused(llmops, bank) -> None:
    before = tree(bank.path)
    for words in ((), ("--force",)):
        said = llmops("init", bank.path / "sub", *words)
        assert said.code == 2
        assert "is inside the repository" in said.err
    assert tree(bank.path) == before


def test_in_a_repository_of_ones_own_nothing_is_committed(llmops, git_repo) -> None:
    repo = git_repo({"mine.txt": "mine"})
    assert llmops("init", repo.path).code == 2
    head = repo.git("rev-parse", "HEAD")
    said = llmops("init", repo.path, "--force")
    assert said.code == 0
    assert "nothing was committed" in said.out
    assert repo.git("rev-parse", "HEAD") == head
    assert (repo.path / "mine.txt").read_text() == "mine"
    assert llmops("validate", "-C", repo.path).code == 0


def test_a_file_a_folder_or_a_link_in_the_way_is_told_before_anything(llmops, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for number, make in enumerate((
        lambda p: (p / "specs").write_text("a file"),
        lambda p: (p / "README.md").mkdir(),
        lambda p: (p / "policies").symlink_to(outside),
    )):  # fmt: skip
        folder = tmp_path / f"mine{number}"
        folder.mkdir()
        make(folder)
        said = llmops("init", folder, "--force")
        assert said.code == 2
        assert "stands in the way" in said.err
        assert not (folder / ".git").exists()
    assert list(outside.iterdir()) == []
    (tmp_path / "file").write_text("x")
    assert llmops("init", tmp_path / "file").code == 2


def test_a_failure_half_way_leaves_all_as_it_was(llmops, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("old")
    rename, count = os.rename, 0

    def fail(source: object, target: object) -> None:
        nonlocal count
        count += 1
        if count == 9:
            raise OSError(28, "No space left on device")
        rename(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(scaffold.os, "rename", fail)
    said = llmops("init", folder, "--force")
    assert said.code == 3
    assert "No space left" in said.err
    assert tree(folder) == {"README.md": b"old"}
    assert [p.name for p in folder.iterdir()] == ["README.md"]


def test_git_of_the_caller_has_no_say(llmops, tmp_path: Path, monkeypatch) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\nhooksPath = {hooks}\nautocrlf = true\nexcludesFile = {tmp_path / 'ignore'}\n"
        "[commit]\ngpgsign = true\n[init]\ndefaultBranch = trunk\n"
    )
    (tmp_path / "ignore").write_text("*.jsonl\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    folder = tmp_path / "mine"
    assert llmops("init", folder).code == 0
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git(folder, "branch", "--show-current") == "main"
    assert "specs/data/faq.jsonl" in git(folder, "ls-files").splitlines()


def test_without_an_identity_there_is_still_a_commit(llmops, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}", raising=False)
    monkeypatch.delenv("EMAIL", raising=False)
    assert llmops("init", tmp_path / "mine").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [42, 1, 2])
def test_the_first_verdict_is_passed(tmp_path: Path, seed: int) -> None:
    """As a new user walks it, with real training; other seeds, so that no luck is shipped."""
    environment = {**os.environ, "LLMOPS_CACHE": str(tmp_path / "cache"), "CI": "true"}

    def llmops(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "llmops", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert llmops("init", "mine").returncode == 0
    recipe = tmp_path / "mine/specs/recipes/faq-base.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace("seed: 42", f"seed: {seed}"), "utf-8")
    ran = llmops("run", "-C", "mine")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    judged = llmops("gate", "-C", "mine")
    assert judged.returncode == 0, judged.stdout
    assert "Verdict: passed" in judged.stdout
