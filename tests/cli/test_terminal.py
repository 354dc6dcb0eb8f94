"""Every command on terminals and pipes as they are: narrow, plain, ASCII, closed, interrupted."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.cli.main import COMMANDS, main
from llmops.columns import width_of
from tests.conftest import GitRepo
from tests.scenarios.story import HERE, Scenario

ROOT = Path(__file__).parents[2]
# One cheap line of each command, in a repository of the scenario `good`.
LINES: dict[str, tuple[str, ...]] = {
    "validate": (),
    "diff": ("main", "change"),
    "plan": ("--head", "change"),
    "why": ("Evaluation/quality", "--head", "change"),
    "why-not": ("Recipe/base", "--head", "change"),
    "run": ("--dry-run", "--head", "change"),
    "gate": ("--head", "change"),
    "report": ("--out", "{tmp}/pages"),
    "ls": ("-o", "wide"),
    "init": ("{tmp}/new",),
    "demo": ("--help",),
    "explain": ("Recipe",),
    "schema": (),
    "docs": ("closures",),
    "import": ("--help",),
    "prompt": ("--help",),
    "guard": ("--help",),
    "fmt": ("--check",),
    "migrate": ("--check",),
    "export": ("--help",),
    "log": ("--help",),
    "bundle": ("--help",),
    "verify": ("--help",),
    "show": ("attempts",),
    "policy": ("rules",),
    "waiver": ("ls",),
    "keys": ("show",),
    "doctor": ("--quick",),
    "gc": (),
    "lint-ci": (),
    "evidence": ("ls",),
    "app": ("--manifest", "--url", "https://gate.example.org"),
    "completion": ("bash",),
}
# What an argument, a file or a rule is called is one word, and is never broken.
WORD = re.compile(r"\S+")
FITS = ("plan", "why", "why-not", "diff", "ls", "validate")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """A repository that commands only read, with a good change on the branch `change`."""
    good = Scenario(HERE / "good")
    repo = GitRepo(tmp_path_factory.mktemp("客服 bank"))
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.commit(good.files("base"))
    repo.git("switch", "--quiet", "--create", "change")
    repo.commit(good.files("head"))
    repo.git("switch", "--quiet", "main")
    return repo


@pytest.fixture
def line(kept: GitRepo, tmp_path: Path) -> Callable[[str], list[str]]:
    def of(name: str) -> list[str]:
        words = (word.replace("{tmp}", str(tmp_path)) for word in LINES[name])
        return [name, *words, "-C", str(kept.path)]

    return of


def test_every_command_is_tried() -> None:
    assert set(LINES) >= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_colour_and_no_cursor_without_a_terminal(llmops, line, name: str) -> None:
    said = llmops(*line(name))
    assert said.code in (0, 1)
    assert "\x1b" not in said.out + said.err
    assert "\r" not in said.out + said.err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stream_of_ascii_gets_something(line, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "ascii", write_through=True))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(err, "ascii", write_through=True))
    assert ended(line(name)) in (0, 1)
    assert out.getvalue()
    assert b"Traceback" not in err.getvalue()
    assert b"itself failed" not in err.getvalue()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_went_away_is_no_failure(
    line, name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`llmops … | head`: no word about it, and the same code as if all was read."""
    expected = ended(line(name))
    if name == "init":
        pytest.skip("a second one finds the folder taken")
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        capfd.readouterr()
        assert ended(line(name)) == expected
        assert capfd.readouterr().err == ""


def ended(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as stopped:  # --help
        return int(stopped.code or 0)


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("width", [20, 40, 60, 100, 140])
def test_lines_fit_but_for_words_that_cannot_be_broken(llmops, line, name: str, width: int) -> None:
    said = llmops(*line(name), "--width", width)
    long = [one for one in said.out.splitlines() if width_of(one) > width]
    assert [one for one in long if len(WORD.findall(one)) > 1] == []


@pytest.mark.parametrize("columns", ["20", "40", "200"])
def test_the_width_of_the_terminal_is_used(
    llmops, line, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    widest = max(map(width_of, llmops(*line("plan")).out.splitlines()))
    assert widest <= int(columns)
    assert widest > 60 or columns != "200"


@pytest.mark.parametrize(
    ("variables", "words", "terminal", "coloured"),
    [
        ({}, (), False, False),
        ({}, (), True, True),
        ({"TERM": "dumb"}, (), True, False),
        ({"NO_COLOR": "1"}, (), True, False),
        ({"NO_COLOR": ""}, (), True, True),
        ({"FORCE_COLOR": "1"}, (), False, True),
        ({"FORCE_COLOR": "0"}, (), False, False),
        ({"CLICOLOR_FORCE": "1"}, (), False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), True, False),
        ({"NO_COLOR": "1"}, ("--color", "always"), False, True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), True, False),
        ({"LLMOPS_COLOR": "always"}, (), False, True),
    ],
)
def test_colour_is_asked_of_flags_then_variables_then_the_terminal(
    llmops, line, monkeypatch, variables: dict[str, str], words: tuple[str, ...],
    terminal: bool, coloured: bool,
) -> None:  # fmt: skip
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    for command in ("plan", "diff", "gate"):
        assert ("\x1b[" in llmops(*line(command), *words).out) is coloured


# ---- as processes -------------------------------------------------------------------------------


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LLMOPS_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": str(ROOT), "CI": "true",
    }  # fmt: skip


def shell(text: str, env: dict[str, str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    program = f"llmops() {{ '{sys.executable}' -m llmops \"$@\"; }}; set -o pipefail; "
    return subprocess.run(
        ["bash", "-c", program + text], env=env, cwd=folder, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("llmops plan --head change | head -1 >/dev/null", 0),
        ("llmops ls >&-", 0),
        ("llmops ls <&-", 0),
        ("llmops plan <&- >&- 2>&-", 0),
        ("llmops plan --hed change 2>&-", 2),
        ("LANG=C LC_ALL=C PYTHONIOENCODING=ascii llmops plan --head change", 0),
        ("PYTHONUTF8=0 LC_ALL=C PYTHONCOERCECLOCALE=0 llmops ls -o wide", 0),
        ("PYTHONIOENCODING=gbk llmops report --help", 0),
    ],
)
def test_streams_that_are_closed_or_poor(
    kept: GitRepo, env: dict[str, str], text: str, code: int
) -> None:
    done = shell(text, env, kept.path)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize("words", [("plan",), ("gate",)])
def test_an_interrupt_is_one_line_and_130(
    kept: GitRepo, env: dict[str, str], words: tuple[str, ...]
) -> None:
    stop = (  # what started the tests may ignore interrupts, and then so would this process
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, llmops.pipeline as p\n"
        "def wait(*_, **__):\n print('ready', flush=True); import time; time.sleep(60)\n"
        "p.exams = wait\nfrom llmops.cli.main import run\nrun()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", stop, *words], env=env, cwd=kept.path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as started:  # fmt: skip
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (130, b"")
    assert err == b"llmops: interrupted; run again to go on\n"
