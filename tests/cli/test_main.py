from __future__ import annotations

import importlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from llmops import __version__
from llmops.cli import main as cli
from llmops.errors import ExecutorError, GitError, StoreError, UsageError


def test_without_a_command_the_help_is_shown_and_usage_is_wrong(llmops) -> None:
    said = llmops()
    assert said.code == 2
    assert all(name in said.out for name in cli.COMMANDS)


def test_version(llmops) -> None:
    said = llmops("--version")
    assert (said.code, said.out) == (0, f"llmops {__version__}\n")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_shows_two_examples_and_the_exit_codes(llmops, name: str) -> None:
    said = llmops(name, "--help")
    examples = said.out.split("examples:\n")[1].split("\n\n")[0].splitlines()
    assert said.code == 0
    assert len(examples) >= 2
    assert all(line.startswith(f"  llmops {name}") for line in examples)
    assert cli.EXITS in said.out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_examples_of_help_are_accepted_by_the_parser(name: str) -> None:
    parser = cli._parser(name)
    module = sys.modules[cli.COMMANDS[name][1]]
    for line in module.EXAMPLES.splitlines():
        assert parser.parse_args(shlex.split(line)[1:]).command == name


def test_an_unknown_command_is_wrong_usage_and_names_the_known(llmops) -> None:
    said = llmops("plant")
    assert said.code == 2
    assert "plant" in said.err
    assert "plan" in said.err.replace("plant", "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_an_unknown_option_is_wrong_usage(llmops, name: str) -> None:
    assert llmops(name, "--no-such-option").code == 2


@pytest.mark.parametrize("words", [("plan", "--width", "wide"), ("plan", "--format", "pdf")])
def test_a_wrong_value_is_wrong_usage(llmops, words: tuple[str, ...]) -> None:
    assert llmops(*words).code == 2


def test_a_command_may_stand_after_an_option_that_looks_like_one(llmops, bank) -> None:
    assert llmops("diff", "-C", bank.path, "main", "change").code == 0


def test_a_branch_may_be_called_like_a_command(llmops, bank) -> None:
    bank.git("branch", "plan", "change")
    assert llmops("gate", "-C", bank.path, "--base", "main", "--head", "plan").code == 1
    assert "lora.r" in llmops("diff", "-C", bank.path, "main", "plan").out


def test_a_folder_that_is_not_there(llmops, tmp_path: Path) -> None:
    said = llmops("plan", "-C", tmp_path / "nowhere")
    assert said.code == 2
    assert "nowhere" in said.err


@pytest.mark.parametrize("name", ["validate", "diff", "plan", "run", "gate"])
def test_outside_a_repository(llmops, tmp_path: Path, name: str) -> None:
    said = llmops(name, "-C", tmp_path)
    assert said.code == 3
    assert "not a git repository" in said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such thing", hint="try another"), 2),
        (GitError("git is missing"), 3),
        (StoreError("disk is full"), 3),
        (ExecutorError("sbatch refused"), 3),
        (PermissionError(13, "Permission denied", "x.json"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_way_to_end_has_its_code(
    llmops, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    from llmops.cli import diff

    def fail(_args: object) -> int:
        raise error

    monkeypatch.setattr(diff, "main", fail)
    said = llmops("diff")
    assert said.code == code
    assert said.err.startswith("llmops: ")
    assert getattr(error, "message", "") in said.err
    assert getattr(error, "hint", "") in said.err


def test_a_bug_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmops.cli import diff

    monkeypatch.setattr(diff, "main", lambda _args: [][0])
    monkeypatch.setenv("LLMOPS_DEBUG", "1")
    with pytest.raises(IndexError):
        cli.main(["diff"])


def test_variables_mirror_options(llmops, bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPS_DIRECTORY", str(bank.path))
    monkeypatch.setenv("LLMOPS_BASE", "main")
    monkeypatch.setenv("LLMOPS_HEAD", "change")
    monkeypatch.setenv("LLMOPS_FORMAT", "markdown")
    assert (
        "| job | subject |" in llmops("plan").out.replace("&nbsp;", " ")
        or "|" in llmops("plan").out
    )
    monkeypatch.setenv("LLMOPS_FORMAT", "text")
    assert "lora.r" in llmops("plan").out
    assert "lora.r" not in llmops("plan", "--head", "main").out  # the command line wins


def test_a_variable_of_a_list_is_one_entry(llmops, bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPS_SELECT", "Evaluation/nothing")
    said = llmops("plan", "-C", bank.path)
    assert said.code == 2
    assert '"Evaluation/nothing"' in said.err


@pytest.mark.parametrize(
    ("name", "value"), [("LLMOPS_WIDTH", "wide"), ("LLMOPS_FORMAT", "pdf"), ("LLMOPS_JOBS", "two")]
)
def test_a_wrong_variable_is_wrong_usage(
    llmops, bank, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    said = llmops("run" if name == "LLMOPS_JOBS" else "plan", "-C", bank.path)
    assert said.code == 2
    assert value in said.err


@pytest.mark.parametrize(
    ("value", "quiet"), [("1", True), ("0", False), ("", False), ("true", True)]
)
def test_a_switch_can_be_set_by_a_variable(
    llmops, bank, monkeypatch: pytest.MonkeyPatch, value: str, quiet: bool
) -> None:
    monkeypatch.setenv("LLMOPS_QUIET", value)
    assert ("specs:" not in llmops("validate", "-C", bank.path).out) is quiet


def test_offline_reaches_whoever_would_fetch(llmops, bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMOPS_OFFLINE", raising=False)
    llmops("plan", "-C", bank.path, "--offline")
    assert os.environ["LLMOPS_OFFLINE"] == "1"
    monkeypatch.delenv("LLMOPS_OFFLINE")


def test_colour_is_for_terminals_or_on_demand(llmops, bank, monkeypatch) -> None:
    words = ("plan", "-C", bank.path, "--head", "change")
    assert "\x1b[" not in llmops(*words).out
    assert "\x1b[" in llmops(*words, "--color", "always").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in llmops(*words).out


@pytest.mark.parametrize("width", ["1", "40", "72", "200"])
def test_lines_fit_the_width_that_is_asked(llmops, bank, width: str) -> None:
    out = llmops("plan", "-C", bank.path, "--head", "change", "--width", width).out
    assert max(map(len, out.splitlines())) <= max(40, int(width))


def process(*words: str | Path, **more: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "llmops", *map(str, words)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        **more,  # type: ignore[call-overload]
    )


def test_a_reader_that_stops_reading_is_no_error(bank) -> None:
    started = process("plan", "-C", bank.path, "--head", "change", "--format", "json")
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    assert started.wait(60) == 0
    assert started.stderr.read() == b""
    started.stderr.close()


def test_a_terminal_that_cannot_say_it_gets_something_else(bank) -> None:
    bank.write({"specs/applications/bot.yaml": "客服: 1\n"})
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = process("validate", "-C", bank.path, env=environment)
    out, err = done.communicate(timeout=60)
    assert done.returncode == 2
    assert b"bot.yaml:1:1" in out
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plna",), 'there is no command "plna"\n  hint: did you mean "plan"?'),
        (("lint",), 'there is no command "lint"\n  hint: did you mean "validate"?'),
        (("\x1b[31m",), "there is no command \"\\x1b[31m\"\n  hint: llmops --help lists"),
        (("plan", "--bse", "x"), 'plan has no option "--bse"\n  hint: did you mean "--base"?'),
        (("plan", "--bas=x"), 'plan has no option "--bas"\n  hint: did you mean "--base"?'),
        (("plan", "--format", "jsn"), '--format: "jsn" is not known\n  hint: did you mean "json"?'),
        (("plan", "--width", "wide"), '--width: "wide" is no whole number'),
        (("plan", "--base"), "--base needs a value"),
        (("plan", "extra"), 'llmops plan cannot use "extra"'),
        (("why",), "llmops why needs KIND/NAME"),
        (("policy",), "llmops policy needs ACTION\n  hint: known are rules, show"),
        (("policy", "rulse"), 'there is no action "rulse"\n  hint: did you mean "rules"?'),
        (("policy", "diff", "--formt", "x"), 'llmops policy diff has no option "--formt"'),
        (("--base", "main", "plan"), 'llmops has no option "--base"\n  hint: options of a command'),
    ],
)  # fmt: skip
def test_a_mistyped_word_is_two_lines_with_the_nearest(
    llmops, words: tuple[str, ...], said: str
) -> None:
    told = llmops(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("llmops: error: ")
    assert said in told.err
    assert len(told.err.splitlines()) == 2


def test_every_command_stands_in_one_group_of_the_help(llmops) -> None:
    names = [name for table in cli.GROUPS.values() for name in table]
    assert sorted(names) == sorted(cli.COMMANDS)
    shown = llmops("--help").out
    assert all(f"\n{title}:\n" in shown for title in cli.GROUPS)
    assert set(cli.MEANT.values()) <= set(cli.COMMANDS)
    assert not set(cli.MEANT) & set(cli.COMMANDS)


@pytest.mark.parametrize("words", [("help", "plan"), ("help", "policy", "rules"), ("help",)])
def test_help_is_a_command_too(llmops, words: tuple[str, ...]) -> None:
    assert llmops(*words) == llmops(*words[1:], "--help")


def test_options_of_every_command_may_stand_before_it(llmops, bank) -> None:
    said = llmops("-C", bank.path, "--width=60", "ls", "Recipe")
    assert (said.code, said.out) == (0, "Recipe/adapter\nRecipe/base\n")
    assert llmops("-C", bank.path / "specs", "ls", "Recipe") == said


@pytest.mark.parametrize("width", ["20", "40", "60", "200"])
def test_help_fits_the_terminal(llmops, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    lines = llmops("--help").out.splitlines()
    assert [
        line for line in lines if len(line) > int(width) and not line.startswith("  llmops")
    ] == []


def test_the_command_line_takes_the_place_of_a_variable(llmops, bank, monkeypatch) -> None:
    monkeypatch.setenv("LLMOPS_SELECT", "Evaluation/nothing")
    words = ("plan", "-C", bank.path, "--select", "Evaluation/quality")
    assert llmops(*words).code == 0


VALUES = {"int": "3", "float": "0.5"}


def written(action) -> str:
    """Something that the option takes."""
    if action.choices is not None:
        return str(next(iter(action.choices)))
    return VALUES.get(getattr(action.type, "__name__", ""), "some-text")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_option_of_every_command_has_its_variable(name: str) -> None:
    from llmops.cli import actions
    from llmops.cli.parser import Parser, common, from_environment, variable

    parser = Parser(prog=name)
    common(parser)
    importlib.import_module(cli.COMMANDS[name][1]).add(parser)
    for one in (parser, *actions.parsers(parser).values()):
        options = [a for a in one._actions if a.option_strings and a.dest != "help"]
        given = {variable(a): "1" if a.nargs == 0 else written(a) for a in options}
        assert len(given) == len(options), "two options have one variable"
        from_environment(one, given)
        for action in options:
            said = given[variable(action)]
            default = action.default
            read = default[0] if isinstance(default, list) else default
            assert str(read) == ("True" if action.nargs == 0 else said), action.option_strings


@pytest.mark.parametrize(
    ("module", "extra"), [("github3", "github"), ("requests.adapters", "github"), ("jwt", "github")]
)
def test_a_library_that_an_extra_brings_is_named_with_the_extra(
    llmops, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    """Only the core is installed: no bug of ours, and nothing to report."""
    missing = ModuleNotFoundError(f"No module named '{module}'", name=module)

    def dispatch(argv: list[str]) -> int:
        raise missing

    monkeypatch.setattr(cli, "_dispatch", dispatch)
    said = llmops("gate")
    assert said.code == 2
    assert f'this needs "{module}", which is not installed' in said.err
    assert f"pip install '.[{extra}]'" in said.err


def test_a_module_of_ours_that_is_missing_is_a_mistake_of_ours(llmops, monkeypatch) -> None:
    def dispatch(argv: list[str]) -> int:
        raise ModuleNotFoundError("No module named 'llmops.x'", name="llmops.x")

    monkeypatch.setattr(cli, "_dispatch", dispatch)
    said = llmops("gate")
    assert said.code == 3
    assert "please report it" in said.err
