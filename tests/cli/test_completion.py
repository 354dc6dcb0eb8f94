from __future__ import annotations

import shutil
import subprocess

import pytest

from llmops.cli.main import COMMANDS


def complete(script: str, *words: str) -> list[str]:
    """What bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _llmops; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_choices(llmops) -> None:
    script = llmops("completion", "bash").out
    assert complete(script, "llmops", "pl") == ["plan"]
    assert set(complete(script, "llmops", "")) == set(COMMANDS)
    assert complete(script, "llmops", "gc", "--keep") == ["--keep-days"]
    assert complete(script, "llmops", "init", "--lang", "") == ["en", "zh"]
    assert complete(script, "llmops", "show", "ev") == ["evidence"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_in_the_script(llmops, shell: str) -> None:
    said = llmops("completion", shell)
    assert said.code == 0
    assert [name for name in COMMANDS if name not in said.out] == []


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_reads_its_script(llmops) -> None:
    script = llmops("completion", "fish").out
    subprocess.run(["fish", "--no-execute"], input=script, text=True, check=True)


def test_another_shell_is_wrong_usage(llmops) -> None:
    assert llmops("completion", "csh").code == 2
