"""`llmops fmt`: files in canonical form, none lost, none half, none that cannot be read touched."""

from __future__ import annotations

import errno
import io
import os
import sys

import pytest

from tests.disk import Failing, remount, small_disk
from tests.rewrites.texts import OTHERS, OURS, ROOT, name, paths

UGLY = """\
kind: "Recipe"
apiVersion: llmops/v1alpha1
metadata: {name: adapter}
spec:
    seed:   1   # used as written
    data: [ {dataset: 'bank#train'} ]
    base_model: Recipe/base
    lora: {r: 8}
"""
NEAT = """\
apiVersion: llmops/v1alpha1
kind: Recipe
metadata: {name: adapter}
spec:
  base_model: Recipe/base
  data: [{dataset: bank#train}]
  lora: {r: 8}
  seed: 1       # used as written
"""
PATH = "specs/recipes/adapter.yaml"


@pytest.fixture
def ugly(git_repo):
    return git_repo({PATH: UGLY, "specs/recipes/neat.yaml": NEAT, "notes.yaml": UGLY})


def test_specs_are_formatted_and_other_files_are_not(llmops, ugly) -> None:
    said = llmops("fmt", "-C", ugly.path)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"formatted {PATH}\n2 files: 1 formatted, 1 as they should be\n"
    assert (ugly.path / PATH).read_text() == NEAT
    assert (ugly.path / "notes.yaml").read_text() == UGLY
    assert llmops("fmt", "-C", ugly.path).out == "2 files: 0 formatted, 2 as they should be\n"


def test_check_and_diff_write_nothing_and_exit_with_one(llmops, ugly) -> None:
    said = llmops("fmt", "--check", "-C", ugly.path)
    assert (said.code, said.err) == (1, "")
    assert said.out == f"not formatted: {PATH}\n2 files: 1 to format, 1 as they should be\n"
    said = llmops("fmt", "--diff", "-C", ugly.path)
    assert said.code == 1
    assert said.out.startswith(f"--- a/{PATH}\n+++ b/{PATH}\n@@")
    assert "+  seed: 1       # used as written\n" in said.out
    assert (ugly.path / PATH).read_text() == UGLY
    assert llmops("fmt", "--check", "-q", "-C", ugly.path, "specs/recipes/neat.yaml").out == ""


def test_an_edited_file_is_formatted_and_git_gives_it_back_as_it_was(llmops, ugly) -> None:
    edited = UGLY.replace("r: 8", "r: 16")
    ugly.write({PATH: edited})
    said = llmops("fmt", "-q", "-C", ugly.path)
    assert said.code == 0
    assert (ugly.path / PATH).read_text() == NEAT.replace("r: 8", "r: 16")
    command = said.out.rpartition("(as it was: git ")[2].removesuffix(")\n")
    assert ugly.git(*command.split()) == edited.removesuffix("\n")


def test_a_new_file_of_a_repository_without_a_commit_is_kept_by_git_too(llmops, git_repo) -> None:
    repo = git_repo()
    repo.write({PATH: UGLY})
    said = llmops("fmt", "-C", repo.path)
    assert said.code == 0
    assert "(as it was: git show " in said.out


def test_what_git_cannot_give_back_is_formatted_with_force_alone(llmops, ugly, tmp_path) -> None:
    ugly.commit({".gitignore": "own/\n"})
    ugly.write({"own/a.yaml": UGLY})
    (tmp_path / "b.yaml").write_text(UGLY)
    for path in (ugly.path / "own/a.yaml", tmp_path / "b.yaml"):
        said = llmops("fmt", path, "-C", ugly.path)
        assert said.code == 2
        assert f"{path.name} has changes that are not committed" in said.err
        assert path.read_text() == UGLY
        assert llmops("fmt", "--check", path, "-C", ugly.path).code == 1
        assert llmops("fmt", "--force", path, "-C", ugly.path).code == 0
        assert path.read_text() == NEAT


def test_a_file_in_no_repository_can_be_checked(llmops, tmp_path, monkeypatch) -> None:
    (tmp_path / "a.yaml").write_text(UGLY)
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    monkeypatch.chdir(tmp_path)
    said = llmops("fmt", "--check", "-q", ".")
    assert (said.code, said.out) == (1, f"not formatted: {(tmp_path / 'a.yaml').as_posix()}\n")
    assert llmops("fmt", "--check").code == 3
    assert llmops("fmt", "--check", "gone.yaml").code == 2


def test_a_file_that_changes_meanwhile_is_not_written_over(llmops, ugly, monkeypatch) -> None:
    from llmops.cli import fmt

    real = fmt._write

    def late(args, place, changed) -> None:
        (ugly.path / PATH).write_text(UGLY + "# a late thought\n")
        real(args, place, changed)

    monkeypatch.setattr(fmt, "_write", late)
    said = llmops("fmt", "-C", ugly.path)
    assert said.code == 2
    assert "has changes that are not committed" in said.err
    assert (ugly.path / PATH).read_text().endswith("# a late thought\n")


def test_a_link_is_not_written_through(llmops, ugly, tmp_path) -> None:
    (tmp_path / "out.yaml").write_text(UGLY)
    (ugly.path / "specs/link.yaml").symlink_to(tmp_path / "out.yaml")
    assert llmops("fmt", "-C", ugly.path).code == 0
    said = llmops("fmt", "-C", ugly.path, "specs/link.yaml")
    assert said.code == 2
    assert "is no plain file" in said.err
    assert (tmp_path / "out.yaml").read_text() == UGLY


def typed(monkeypatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_standard_input_is_formatted_to_standard_output(llmops, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)  # an editor may run it anywhere
    for flags, code, out in (((), 0, NEAT), (("--check",), 1, ""), (("-q",), 0, NEAT)):
        typed(monkeypatch, UGLY)
        said = llmops("fmt", *flags, "-")
        assert (said.code, said.out, said.err) == (code, out, "")
    typed(monkeypatch, "a: 1\na: 2\n")
    said = llmops("fmt", "-")
    assert (said.code, said.out) == (2, "")
    assert 'standard input:2:1: error[duplicate-key]: key "a" is written twice' in said.err
    assert llmops("fmt", "-", "x").code == 2


def test_lines_that_a_log_would_obey_are_printed_as_they_are(llmops, monkeypatch) -> None:
    text = "a: |\n  x\n\n  y\n::b: ::set-output\n"
    typed(monkeypatch, text)
    assert llmops("fmt", "-").out == text


def test_marks_and_line_ends_of_windows_go(llmops, ugly) -> None:
    ugly.write({PATH: ("\ufeff" + UGLY.replace("\n", "\r\n")).encode("utf-8")})
    assert llmops("fmt", "-C", ugly.path).code == 0
    assert (ugly.path / PATH).read_bytes() == NEAT.encode()


BROKEN = [
    *(ROOT / "tests/golden/yaml").glob("*.yaml"),
    *(ROOT / "tests/golden/invalid").glob("*.yaml"),
]


def test_what_cannot_be_read_is_told_with_its_place_and_left(llmops, git_repo) -> None:
    files = {f"specs/{path.parent.name}-{path.name}": path.read_bytes() for path in BROKEN}
    repo = git_repo({**files, PATH: UGLY})
    said = llmops("fmt", "-C", repo.path)
    assert said.code == 2
    told = {line.split(":")[0] for line in said.err.splitlines() if ": error[" in line}
    formatted = {line.split(" ")[1] for line in said.out.splitlines()[:-1]}
    assert told & formatted == set()
    assert len(told) >= 20
    for path in told:
        assert (repo.path / path).read_bytes() == files[path]
    assert (repo.path / PATH).read_text() == NEAT
    again = llmops("fmt", "-q", "-C", repo.path)
    assert (again.code, again.out, again.err) == (2, "", said.err)


def test_a_large_file_is_refused_and_a_large_one_that_fits_is_formatted(llmops, ugly) -> None:
    item = "    - {dataset: 'bank#train'}\n"
    start = UGLY.replace("    data: [ {dataset: 'bank#train'} ]\n", "    data:\n" + item * 3_000)
    ugly.write({PATH: start})
    assert llmops("fmt", "-C", ugly.path).code == 0
    assert (ugly.path / PATH).read_text().count("- {dataset: bank#train}\n") == 3_000
    ugly.write({PATH: start + "#" * 5_000_000})
    said = llmops("fmt", "-C", ugly.path)
    assert said.code == 2
    assert "error[too-large]" in said.err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_leaves_every_file_as_it_was(llmops, git_repo, monkeypatch, number):
    files = {f"specs/recipes/r{n}.yaml": UGLY for n in range(3)}
    repo = git_repo(files)
    for at in range(1, 40):
        disk = Failing(repo.path / "specs", at=at, number=number)
        with monkeypatch.context() as patch:
            disk.shim(patch)
            said = llmops("fmt", "-C", repo.path)
        found = {path: (repo.path / path).read_text() for path in files}
        if said.code == 0:
            break
        assert said.code == 3
        assert set(found.values()) <= {NEAT, UGLY}
        if at <= 4:  # three second names, and the first move
            assert found == files
        assert ("nothing was changed" in said.err) == (found == files)
        assert not list((repo.path / "specs").rglob("*.tmp"))
    assert at > 6
    assert set(found.values()) == {NEAT}


def test_a_full_and_a_read_only_disk(llmops, git_repo, tmp_path) -> None:
    with small_disk(tmp_path / "disk", "1m") as folder:
        repo = git_repo({PATH: UGLY}, name="disk/repo")
        filler = folder / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(b"x" * 2_000_000)
        said = llmops("fmt", "-C", repo.path)
        assert said.code == 3
        assert (repo.path / PATH).read_text() == UGLY
        filler.unlink()
        remount(folder, "ro")
        said = llmops("fmt", "-C", repo.path)
        assert said.code == 3
        assert llmops("fmt", "--check", "-C", repo.path, PATH).code == 1
        remount(folder, "rw")
        assert llmops("fmt", "-C", repo.path).code == 0


def test_a_kill_between_files_leaves_each_whole_and_the_next_run_ends_it(llmops, git_repo) -> None:
    files = {f"specs/recipes/r{n}.yaml": UGLY for n in range(3)}
    repo = git_repo(files)
    real, calls = os.replace, []

    def replace(old, new) -> None:
        real(old, new)
        calls.append(new)
        if len(calls) == 2:
            os._exit(9)

    child = os.fork()
    if child == 0:
        os.replace = replace
        from llmops.cli.main import main

        main(["fmt", "-q", "-C", str(repo.path)])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    found = [(repo.path / path).read_text() for path in files]
    assert sorted(found) == sorted([NEAT, NEAT, UGLY])
    assert llmops("fmt", "-C", repo.path).code == 0
    assert {(repo.path / path).read_text() for path in files} == {NEAT}


def test_every_spec_of_this_repository_is_formatted(llmops) -> None:
    listed = [name(path) for path in paths(*OURS)]
    said = llmops("fmt", "--check", "-q", "-C", ROOT, *listed)
    assert (said.code, said.out) == (0, ""), said.err
    assert len(listed) > 20
    assert OTHERS
