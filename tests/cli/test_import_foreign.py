"""`llmops import axolotl|llamafactory|promptfoo`: all files or none, and nothing lost or leaked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GOLDEN, GitRepo

CASES = GOLDEN / "import"
Run = Callable[..., Any]
MODEL = """\
apiVersion: llmops/v1alpha1
kind: Model
metadata: {name: meta-llama-3-8b}
spec:
  init:
    architecture: {model_type: llama, hidden_size: 32, num_hidden_layers: 1}
    tokenizer: {train: {vocab_size: 300, data: train}}
"""


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo({"README.md": "a repository\n"})


def copied(repo: GitRepo, case: str) -> None:
    """The files of a golden case, in the repository."""
    shutil.copytree(CASES / case / "in", repo.path, dirs_exist_ok=True)


def files(repo: GitRepo) -> dict[str, bytes]:
    folder = repo.path / "specs"
    found = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {p.relative_to(repo.path).as_posix(): p.read_bytes() for p in found}


def imported(repo: GitRepo, llmops: Run, case: str, *words: str) -> Any:
    copied(repo, case)
    tool = case.partition("-")[0]
    config = next(p.name for p in repo.path.glob("config.*"))
    return llmops("import", tool, config, "-C", repo.path, *words)


@pytest.mark.parametrize("case", sorted(p.name for p in CASES.iterdir()))
def test_what_must_be_filled_in_is_what_validate_refuses(
    repo: GitRepo, llmops: Run, case: str
) -> None:
    said = imported(repo, llmops, case, "--name", "mine")
    assert said.code == 0, said.err
    listed = [line.strip() for line in said.out.partition("to fill in")[2].splitlines()]
    places = [line.partition(": ")[0] for line in listed if line.startswith("specs/")]
    checked = llmops("validate", "-C", repo.path)
    refused = [line for line in checked.out.splitlines() if ": error[" in line]
    assert [line.partition(": error[")[0] for line in refused] == places
    assert llmops("fmt", "--check", "-C", repo.path).code == 0
    assert f"{len(places)} place" in said.out


def test_once_filled_in_the_import_is_planned(repo: GitRepo, llmops: Run) -> None:
    assert imported(repo, llmops, "axolotl-zero3").code == 0
    (repo.path / "specs/models/meta-llama-3-8b.yaml").write_text(MODEL)
    evaluation = (
        "apiVersion: llmops/v1alpha1\nkind: Evaluation\nmetadata: {name: first}\n"
        "spec: {target: Recipe/config, dataset: train, "
        "checks: [{name: f1, metric: builtin/token_f1, require: {min: 0.5}}]}\n"
    )
    (repo.path / "specs/evaluations").mkdir()
    (repo.path / "specs/evaluations/first.yaml").write_text(evaluation)
    checked = llmops("validate", "-C", repo.path)
    assert "error[" not in checked.out
    planned = llmops("plan", "-C", repo.path)
    assert planned.code == 0, planned.err
    assert "train" in planned.out
    assert "Recipe/config" in planned.out


def test_importing_again_changes_nothing(repo: GitRepo, llmops: Run) -> None:
    first = imported(repo, llmops, "promptfoo-chat")
    before = files(repo)
    again = imported(repo, llmops, "promptfoo-chat")
    assert (first.code, again.code) == (0, 0)
    assert files(repo) == before
    assert first.out == again.out


def test_a_spec_that_says_something_else_stands_in_the_way(repo: GitRepo, llmops: Run) -> None:
    path = "specs/models/llama-3.2-1b.yaml"
    repo.commit({path: "# mine\n"})
    said = imported(repo, llmops, "axolotl-lora")
    assert said.code == 2
    assert f"{path} is there already, and is another" in said.err
    assert files(repo) == {path: b"# mine\n"}
    assert imported(repo, llmops, "axolotl-lora", "--force").code == 0
    assert b"hf://example-org" in files(repo)[path]


@pytest.mark.parametrize("data", ["x", "3"])  # a spec, and one that has a mistake
def test_a_name_that_is_declared_elsewhere_is_not_given_twice(
    repo: GitRepo, llmops: Run, data: str
) -> None:
    spec = MODEL.replace("meta-llama-3-8b", "llama-3.2-1b").replace("data: train", f"data: {data}")
    place = "specs/team/models/llama-3.2-1b.yaml"
    repo.commit({place: spec})
    before = files(repo)
    said = imported(repo, llmops, "axolotl-lora", "--force")
    assert said.code == 2
    assert "Model/llama-3.2-1b is declared already, in " + place in said.err
    assert files(repo) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is a map of keys"),
        ("# only a comment\n", "is a map of keys"),
        ("- a\n", "is a map of keys"),
        ("a: &x 1\nb: *x\n", "anchor"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "anchor"),
        ("a: !!python/object:os.system 1\n", "tag"),
        ("a: 1\na: 2\n", "written twice"),
        ("a:\n\tb: 1\n", "tab"),
        ("a: [\n", ""),
        ("\x00", ""),
        ("a: 1\n---\nb: 1\n", "document"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    repo: GitRepo, llmops: Run, text: str, said: str
) -> None:
    (repo.path / "config.yaml").write_text(text)
    for tool in ("axolotl", "llamafactory", "promptfoo"):
        found = llmops("import", tool, "config.yaml", "-C", repo.path)
        assert found.code == 2
        assert "config.yaml:" in found.err
        assert said in found.err
        assert not (repo.path / "specs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("axolotl", "none.yaml"), "none.yaml cannot be read"),
        (("axolotl", "."), "cannot be read"),
        (("axolotl", "config.yaml", "--name", "A b"), "is no name"),
        (("axolotl", "config.yaml", "--out", "elsewhere"), "is not the folder specs/"),
        (("axolotl", "config.yaml", "--out", "specs/../.."), "is not the folder specs/"),
        (("axolotl", "large.yaml"), "is larger than 4 MiB"),
        (("nothing", "config.yaml"), "nothing"),
    ],
)
def test_wrong_words_are_told(
    repo: GitRepo, llmops: Run, words: tuple[str, ...], said: str
) -> None:
    (repo.path / "config.yaml").write_text("base_model: a/b\n")
    (repo.path / "large.yaml").write_text("a: b\n" * 1_000_000)
    found = llmops("import", *words, "-C", repo.path)
    assert found.code == 2
    assert said in found.err
    assert not (repo.path / "specs").exists()


@pytest.mark.parametrize(
    ("tool", "text", "said"),
    [
        ("axolotl", "base_model: a/b\nrl: grpo\n", "rl: grpo has no counterpart"),
        ("llamafactory", "model_name_or_path: a/b\nstage: ppo\n", "stage: ppo has no counterpart"),
    ],
)
def test_a_training_without_a_word_here_is_refused_whole(
    repo: GitRepo, llmops: Run, tool: str, text: str, said: str
) -> None:
    (repo.path / "config.yaml").write_text(text)
    found = llmops("import", tool, "config.yaml", "-C", repo.path)
    assert found.code == 2
    assert "config.yaml:2:" in found.err
    assert said in found.err
    assert not (repo.path / "specs").exists()


def test_files_outside_are_not_read(repo: GitRepo, llmops: Run, tmp_path: Path) -> None:
    secret = tmp_path / "outside.txt"
    secret.write_text("the secret of somebody else")
    (repo.path / "link.txt").symlink_to(secret)
    up = os.path.relpath(secret, repo.path)
    lines = [f"  - file://{name}" for name in (up, str(secret), "link.txt")]
    (repo.path / "config.yaml").write_text("prompts:\n" + "\n".join(lines) + "\nproviders: []\n")
    said = llmops("import", "promptfoo", "config.yaml", "-C", repo.path)
    assert said.code == 0, said.err
    assert said.out.count("the file is not here") == 3
    assert b"the secret" not in b"".join(files(repo).values())


def test_no_value_of_a_key_is_written_or_printed(repo: GitRepo, llmops: Run) -> None:
    key = "sk-" + "a1b2" * 8
    (repo.path / "config.yaml").write_text(
        f"env: {{OPENAI_API_KEY: {key}}}\nprompts: ['say {key}']\n"
        f"providers:\n  - id: openai:gpt-4.1\n    config: {{apiKey: {key}, password: hunter2}}\n"
        f"tests: [{{vars: {{a: {key}}}}}]\n{key}: 1\n"
    )
    said = llmops("import", "promptfoo", "config.yaml", "-C", repo.path)
    assert said.code == 0, said.err
    shown = said.out + said.err
    specs = b"".join(data for name, data in files(repo).items() if name.endswith(".yaml"))
    assert key not in shown
    assert key.encode() not in specs
    assert "hunter2" not in shown
    assert b"hunter2" not in specs


def test_a_configuration_outside_of_the_repository_brings_its_rows(
    repo: GitRepo, llmops: Run, tmp_path: Path
) -> None:
    shutil.copytree(CASES / "axolotl-zero3" / "in", tmp_path / "elsewhere")
    config = tmp_path / "elsewhere" / "config.yml"
    said = llmops("import", "axolotl", config, "-C", repo.path)
    assert said.code == 0, said.err
    rows = (CASES / "axolotl-zero3/in/rows/train.jsonl").read_bytes()
    assert files(repo)["specs/data/train.jsonl"] == rows
    assert str(tmp_path) not in b"".join(files(repo).values()).decode()


def test_nothing_is_left_behind_when_the_disk_refuses(
    repo: GitRepo, llmops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def full(source: Any, target: Any) -> None:
        if str(target).endswith("recipes/config.yaml"):
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    said = imported(repo, llmops, "axolotl-lora")
    assert said.code == 3
    assert files(repo) == {}
