"""Completion, driven in the shells themselves: bash, zsh and fish where they are installed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.cli import around, complete, options
from llmops.cli.main import COMMANDS
from llmops.graph import methods
from llmops.graph.base import JOB_TYPES
from tests.conftest import GitRepo

Ask = Callable[..., set[str]]
PLAIN = {"bash": ("--norc", "--noprofile"), "zsh": ("-f",), "fish": ("--no-config",)}
NEEDS = {name: shutil.which(name) is None for name in ("bash", "zsh", "fish")}
SHELLS = [
    pytest.param(
        name, marks=pytest.mark.skipif(missing, reason=f"{name} is not installed")
    ) for name, missing in NEEDS.items()
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, bank: GitRepo) -> Path:
    """A folder with `llmops` in `bin`, as a user has it on the path."""
    place = tmp_path / "home"
    (place / "bin").mkdir(parents=True)
    program = place / "bin" / "llmops"
    root = Path(__file__).parents[2]
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\n"
        "from llmops.cli.main import run\nrun()\n", "utf-8"
    )  # fmt: skip
    program.chmod(0o755)
    return place


def around_it(home: Path) -> dict[str, str]:
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    kept = {"LLMOPS_CACHE": str(home.parents[1] / "options"), "TERM": "dumb", "LANG": "C.UTF-8"}
    return {"HOME": str(home), "PATH": path, "XDG_CONFIG_HOME": str(home), **kept}


def script(shell: str, home: Path) -> str:
    done = subprocess.run(
        ["llmops", "completion", shell], capture_output=True, text=True, env=around_it(home),
        executable=home / "bin" / "llmops", check=True,
    )  # fmt: skip
    return done.stdout


def in_bash(line: str, home: Path, folder: Path) -> set[str]:
    """What bash's own completion function is given, a word each."""
    ask = 'COMP_LINE="$1" COMP_POINT=${#1}; _llmops llmops; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script('bash', home)}\n{ask}", "bash", line],
        capture_output=True, text=True, cwd=folder, env=around_it(home), check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return set(done.stdout.split())


def in_fish(line: str, home: Path, folder: Path) -> set[str]:
    """What fish itself offers for the line."""
    ask = f"{script('fish', home)}\ncomplete -C {line!r}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", ask], capture_output=True, text=True, cwd=folder,
        env=around_it(home), check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return {one.partition("\t")[0] for one in done.stdout.splitlines()}


def typed(shell: str, keys: str, shows: str, home: Path, folder: Path) -> str:
    """What a terminal shows once the script is read and keys are typed, until it `shows` that."""
    place = home / f"completion.{shell}"
    place.write_text(script(shell, home), "utf-8")
    child, there = pty.fork()
    if child == 0:  # the shell's process
        os.chdir(folder)
        os.execvpe(shell, [shell, *PLAIN[shell], "-i"], around_it(home))
    try:
        os.write(there, f"source {place}; echo REA''DY\n".encode())
        until(there, "READY\r\n")
        os.write(there, keys.encode())
        return until(there, shows)
    finally:
        os.close(there)
        os.kill(child, 9)
        os.waitpid(child, 0)


def until(there: int, mark: str) -> str:
    """What is shown until the mark is, or for half a minute."""
    end = time.monotonic() + 30
    shown = ""
    while time.monotonic() < end and mark not in shown:
        if select.select([there], [], [], 0.5)[0]:
            shown += os.read(there, 65536).decode("utf-8", "replace")
    return shown


# line -> some of what is offered, and something that is not
LINES = [
    ("llmops pl", {"plan"}, "run"),
    ("llmops plan --b", {"--base"}, "--head"),
    ("llmops plan --base ma", {"main"}, "change"),
    ("llmops plan --format ", {"text", "json", "markdown"}, "html"),
    ("llmops gc --keep", {"--keep-days"}, "--dry-run"),
    ("llmops show ev", {"evidence"}, "case"),
    ("llmops policy dr", {"drill"}, "diff"),
    ("llmops policy show ran", {"range"}, "gap"),
    ("llmops help pol", {"policy"}, "plan"),
    ("llmops why Recipe/a", {"Recipe/adapter"}, "Recipe/base"),
    ("llmops ls Rec", {"Recipe/"}, "Release/"),
    ("llmops run --select Application/bot --exclude Recipe/b", {"Recipe/base"}, "Recipe/adapter"),
]


@pytest.mark.parametrize("shell", SHELLS[::2])
def test_a_shell_offers_what_fits(shell: str, home: Path, bank: GitRepo) -> None:
    ask = {"bash": in_bash, "fish": in_fish}[shell]
    for line, some, other in LINES if shell == "bash" else LINES[2:10:3]:
        found = ask(line, home, bank.path)
        assert some <= found, line
        assert other not in found, line


@pytest.mark.skipif(NEEDS["bash"], reason="bash is not installed")
def test_bash_is_given_what_stands_behind_its_breaks(home: Path, bank: GitRepo) -> None:
    assert in_bash("llmops ls state:ne", home, bank.path) == {"new"}
    assert in_bash("llmops ls bot,@Recipe/ad", home, bank.path) == {"Recipe/adapter"}
    assert in_bash("llmops plan --format=js", home, bank.path) == {"json"}
    assert in_bash("llmops ls 2+Recipe/ad", home, bank.path) == {"2+Recipe/adapter"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("keys", "shows"),
    [
        ("llmops why Recipe/ad\t", "Recipe/adapter"),
        ("llmops ls state:ne\t", "state:new"),
        ("llmops run pla\t", "plan\\ one.json"),
    ],
)
def test_a_word_is_finished_at_a_tab(
    shell: str, keys: str, shows: str, home: Path, bank: GitRepo
) -> None:
    bank.write({"plan one.json": "{}"})
    assert shows in typed(shell, keys, shows, home, bank.path)


# ---- the words, without a shell -----------------------------------------------------------------


def offered(*words: str) -> list[str]:
    return [word.text for word in complete.complete(words).words]


def test_every_command_is_offered_with_what_it_does() -> None:
    found = complete.complete([""]).words
    assert {word.text for word in found} == {*COMMANDS, "help"}
    assert {word.about for word in found} >= {line for line, _ in COMMANDS.values()}


def test_every_option_of_every_command_is_offered() -> None:
    from llmops.cli.main import _parser
    from llmops.cli.parser import options as written

    for name in COMMANDS:
        chosen = _parser(name)._subparsers._group_actions[0].choices[name]  # type: ignore[union-attr, index]
        hidden = {"--line", "--breaks", "--words"}
        assert set(offered(name, "-")) == set(written(chosen)) - hidden, name


def test_where_files_or_folders_go_the_shell_is_asked() -> None:
    assert complete.complete(["-C", ""]).how == "folders"
    assert complete.complete(["plan", "--out", "x"]).how == "files"
    assert complete.complete(["plan", "--out=x"]).how == "files"
    assert complete.complete(["run", "pl"]).how == "files"
    assert complete.complete(["validate", "specs/a", "sp"]).how == "files"


def test_nothing_is_offered_where_nothing_fits(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["plan", ""], ["plna", "--b"], ["plan", "--width", ""], ["why", "a", ""]):
        assert complete.complete(words) == complete.Found("words")
    assert offered("plan", "--base", "") == []
    assert offered("ls", "Recipe/") == []


def test_specs_are_those_around_the_folder_that_is_named(bank: GitRepo, tmp_path: Path) -> None:
    assert offered("-C", str(bank.path), "why", "Application/") == ["Application/bot"]
    assert offered("why", f"--directory={bank.path / 'specs'}", "App") == ["Application/"]
    assert offered("-C", str(bank.path), "ls", "path:specs/rec") == [
        "path:specs/recipes", "path:specs/recipes/adapter.yaml", "path:specs/recipes/base.yaml",
    ]  # fmt: skip


def test_each_argument_is_completed_at_its_place(bank: GitRepo) -> None:
    here = ("-C", str(bank.path))
    assert offered(*here, "why", "Recipe/base", "Recipe/") == []
    assert "change" in offered(*here, "diff", "main", "ch")
    assert offered(*here, "ls", "Recipe/base", "Recipe/a") == ["Recipe/adapter"]
    assert offered(*here, "ls", "--", "Recipe/a") == ["Recipe/adapter"]


def test_values_of_methods_are_offered(bank: GitRepo) -> None:
    bank.write(
        {
            "specs/a.yaml": "kind: Recipe\nmetadata:\n  name: one\n  owner: 客服\n  labels:\n"
            "    risk: high\n    team: 'cs'\nspec:\n  labels: {no: label}\n",
            "specs/b.yaml": "kind: Recipe\nmetadata: {name: two, labels: {tier: a, 组: b}}\n",
            "specs/c.yaml": "kind: Recipe\nmetadata: {name: \x1b[31m}\n",
        }
    )
    here = ("-C", str(bank.path), "ls")
    assert offered(*here, "label:") == [
        "label:risk=high",
        "label:risk=limited",
        "label:team=cs",
        "label:tier=a",
        "label:组=b",
    ]
    assert offered(*here, "owner:客") == ["owner:客服"]
    assert offered(*here, "+state:modified.ga") == ["+state:modified.gate"]
    assert offered(*here, "one,kind:Rec") == ["one,kind:Recipe"]
    assert "two" in offered(*here, "tw")
    assert all(word.isprintable() for word in offered(*here, "Recipe/"))


def test_lists_with_commas_go_on() -> None:
    assert "html,sarif" in offered("report", "--format", "html,s")
    assert "html,html" not in offered("report", "--format", "html,")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("llmops pl", ["llmops", "pl"]),
        ("llmops plan ", ["llmops", "plan", ""]),
        ("llmops -C 'a b' x", ["llmops", "-C", "a b", "x"]),
        ('llmops ls "a \\" b', ["llmops", "ls", 'a " b']),
        ("llmops ls a\\ b", ["llmops", "ls", "a b"]),
        ("A=1 llmops x\\", ["llmops", "x"]),
        ("", [""]),
    ],
)
def test_a_line_is_read_as_a_shell_reads_it(line: str, words: list[str]) -> None:
    assert complete.split(line) == words


def test_the_words_of_selectors_are_those_that_are_read() -> None:
    assert methods.METHODS == around.METHODS
    assert (*methods.STATES, *(f"modified.{part}" for part in methods.PARTS)) == around.WORDS[
        "state"
    ]
    assert around.WORDS["result"] == methods.RESULTS
    assert around.WORDS["job"] == JOB_TYPES


def test_a_broken_cache_is_made_anew(monkeypatch, tmp_path: Path) -> None:
    first = options.table()
    (kept,) = (tmp_path / "cache").glob("options-*.json")
    kept.write_text("[1", "utf-8")
    assert options.table() == first
    monkeypatch.setenv("LLMOPS_CACHE", "/proc/nowhere")
    assert options.table() == first


def test_a_tab_imports_little() -> None:
    options.table()
    code = (
        "import sys; from llmops.cli.main import main\n"
        "main(['completion', 'bash', '--line', 'llmops ls Recipe/'])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pydantic", "llmops.project", "yaml", "rich"} & set(done.stderr.split())


def test_another_shell_is_wrong_usage(llmops) -> None:
    assert llmops("completion", "csh").code == 2
