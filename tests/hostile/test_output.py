"""Output that nobody reads, that has no room, or that cannot hold the text.

The exit code is a verdict, so it must not depend on who reads the words.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli import main as cli
from llmops.cli import output
from llmops.cli import validate as command

LLMOPS = (sys.executable, "-m", "llmops")
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def said(*words: str | Path, **more) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(
        [*LLMOPS, *map(str, words)], capture_output="stdout" not in more, text=True, **more
    )
    assert "Traceback" not in (found.stderr or "") + (found.stdout or "")
    return found


def closed(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command under a shell redirection."""
    line = ["sh", "-c", f'"$@" {script}', "sh", *LLMOPS, *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True)


@pytest.mark.parametrize("script", [">&-", "2>&-", ">&- 2>&-", "| true; exit 1", "> /dev/null"])
def test_the_exit_code_stays_when_nobody_reads(git_repo, script: str) -> None:
    """An empty tree is inconclusive: 1."""
    done = closed(script, "gate", "-C", git_repo({"x": "x"}).path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


NO_SPECS = "llmops: warning: no spec stands in specs/ or policies/ at the root of this repository\n"


def test_a_reader_that_stops_reading_does_not_make_a_verdict_good(git_repo) -> None:
    read, write = os.pipe()
    os.close(read)
    repo = git_repo({"x": "x"})
    done = subprocess.run(
        [*LLMOPS, "gate", "-C", str(repo.path)], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, NO_SPECS)


def test_a_reader_that_stops_reading_does_not_end_a_run(llmops, bank, monkeypatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(output.sys, "stdout", stream)
        code = cli.main(["run", "-C", str(bank.path), "--accept-undecidable"])
        monkeypatch.undo()
    assert code == 0
    assert len(list((bank.path / "reports" / "evidence").iterdir())) > 3


@full
def test_a_full_disk_under_the_output_is_not_a_verdict(git_repo) -> None:
    with Path("/dev/full").open("w") as full_disk:
        done = said("gate", "-C", git_repo({"x": "x"}).path, stdout=full_disk,
                    stderr=subprocess.PIPE)  # fmt: skip
    assert done.returncode == 3
    why = "llmops: error: cannot write the output: No space left on device\n"
    assert done.stderr == NO_SPECS + why


def test_json_is_utf8_and_text_is_readable_in_any_locale(git_repo) -> None:
    bad = "apiVersion: llmops/v1alpha1\nkind: Recipe\nmetadata: {name: 基础}\nspec: {}\n"
    repo = git_repo({"specs/recipes/base.yaml": bad})
    old = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    text = said("validate", "-C", repo.path, env=old)
    assert text.returncode == 2
    assert text.stdout.isascii()
    found = subprocess.run(
        [*LLMOPS, "validate", "-C", str(repo.path), "--format", "json"],
        capture_output=True, env=old,
    )  # fmt: skip
    assert "基础" in json.dumps(json.loads(found.stdout.decode("utf-8")), ensure_ascii=False)


def test_a_mistake_of_ours_is_no_verdict_and_no_page_of_code(
    llmops, bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RecursionError("\x1b[31mtoo deep")

    monkeypatch.setattr(command, "main", broken)
    monkeypatch.delenv("LLMOPS_DEBUG", raising=False)
    result = llmops("validate", "-C", bank.path)
    assert result.code == 3
    assert "nothing was judged: RecursionError in test_output.py:" in result.err
    assert ": \\x1b[31mtoo deep\n" in result.err
    assert "report it" in result.err
    monkeypatch.setenv("LLMOPS_DEBUG", "1")
    with pytest.raises(RecursionError):
        cli.main(["validate", "-C", str(bank.path)])


@pytest.mark.parametrize(
    "now", [
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x",
        "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z",
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_is_wrong_usage(llmops, bank, now: str) -> None:
    result = llmops("gate", "-C", bank.path, "--now", now)
    assert result.code == 2
    assert f'--now "{now}" is no RFC 3339 time' in result.err


def test_what_an_error_repeats_is_printed_harmlessly(llmops, bank) -> None:
    result = llmops("plan", "-C", bank.path, "--select", "\x1b[2J\u202e")
    assert result.code == 2
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err
    assert "\\x1b[2J\\u202e" in result.err


def test_nothing_we_say_is_a_command_to_the_log_that_it_stands_in(capsys) -> None:
    output.say("::error::x\n  ::add-mask::y\n##[group]z\nfine ::error::\n\n::")
    assert capsys.readouterr().out == (
        "\\::error::x\n  \\::add-mask::y\n\\##[group]z\nfine ::error::\n\n\\::\n"
    )
