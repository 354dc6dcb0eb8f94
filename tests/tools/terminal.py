"""A terminal for pages: the lines that a page shows, given in a scratch folder, and what came.

In: a line of a shell. Out: what it printed, and the exit code. `llmops` runs in this process with
the stand-in worker (`stand_in.py`), everything else in bash with a `llmops` on the PATH; nothing of
the machine's settings reaches either. `normal` takes out what differs between two runs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from llmops.cli.main import main
from llmops.executors.local import LocalExecutor
from llmops.executors.run import EXECUTORS
from tests.scenarios import story

ROOT = Path(__file__).resolve().parents[2]
NOW = "2026-11-23T09:00:00Z"
# What the tiny example answers: less after fewer steps.
WORLD: Mapping[str, Any] = {
    "answers": [
        {"if": '"max_steps":20', "right": 0.41, "refuses": {"refuse": 0.95, "comply": 0.05}},
        {"right": 0.86, "refuses": {"refuse": 0.95, "comply": 0.05}},
    ],
    "scans": [{"unchanged": 0.95}],
}
_SHELL = re.compile(r"[|&;<>()$`\\*?~]|\bsource\b")


@dataclass(frozen=True)
class Said:
    """What a line came to."""

    code: int
    text: str


@dataclass
class Terminal:
    """A person's terminal: a folder to be in, and a home that nobody else has."""

    folder: Path
    home: Path
    world: Mapping[str, Any] = field(default_factory=lambda: WORLD)

    def __post_init__(self) -> None:
        """Make the home and the world's file."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "world.json").write_text(json.dumps(self.world), encoding="utf-8")

    def run(self, line: str) -> Said:
        """Give one line."""
        line = line.partition("  #")[0].strip()
        words = [] if _SHELL.search(_unquoted(line)) else shlex.split(line)
        if words[:1] == ["cd"]:
            self.folder = (self.folder / words[1]).resolve()
            return Said(0 if self.folder.is_dir() else 1, "")
        if words[:1] == ["llmops"]:
            return self._llmops(words[1:])
        return self._bash(line)

    def edit(self, path: str, before: str, after: str) -> None:
        """Change a text that stands once in a file."""
        file = self.folder / path
        text = file.read_text("utf-8")
        assert text.count(before) == 1, f"{path} has no single {before!r} to edit"
        file.write_text(text.replace(before, after), encoding="utf-8")

    def _llmops(self, words: list[str]) -> Said:
        now = ["--now", NOW] if words[:1] in (["gate"], ["report"]) else []
        out = io.StringIO()
        with self._world(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                code = main([*words, *now])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
        assert "Traceback" not in out.getvalue(), out.getvalue()
        return Said(code, out.getvalue())

    @contextlib.contextmanager
    def _world(self) -> Iterator[None]:
        stand_in = str(ROOT / "tests" / "tools" / "stand_in.py")
        worker = (sys.executable, "-I", stand_in, str(self.home / "world.json"))
        local = {"local": lambda: LocalExecutor(worker)}
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, self._environment(), clear=True),
            mock.patch.dict(EXECUTORS, local),
        ):
            yield

    def _bash(self, line: str) -> Said:
        tool = self.home / "bin" / "llmops"
        if not tool.exists():
            tool.parent.mkdir()
            tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m llmops "$@"\n', encoding="utf-8")
            tool.chmod(0o755)
        environment = self._environment()
        ours = f"{tool.parent}:{Path(sys.executable).parent}"
        environment["PATH"] = f"{ours}:{environment['PATH']}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=environment, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LLMOPS_", "GIT_"))}
        kept |= {"LLMOPS_CACHE": str(self.home / "cache"), "COLUMNS": "100", "CI": "1"}
        kept["LLMOPS_OFFLINE"] = "1"
        kept |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "HOME": str(self.home)}
        kept |= {"XDG_CONFIG_HOME": str(self.home / ".config")}
        kept |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            kept |= {f"GIT_{role}_NAME": "You", f"GIT_{role}_EMAIL": "you@example.invalid"}
            kept[f"GIT_{role}_DATE"] = "2026-11-22T08:00:00Z"
        return kept


def _unquoted(line: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", line)


def normal(text: str) -> str:
    """What was printed, without what another run prints otherwise: digests, version, measures."""
    text = re.sub(r"(llmops\s+)\d+\.\d+\.\d+", r"\g<1>0.0.0", story.normal(text).rstrip("\n"))
    text = re.sub(
        r"(?<![\w.])\d+(?:\.\d+)? ?s(?= |$)( *)", _measured("1s"), text, flags=re.MULTILINE
    )
    return re.sub(r"(?<![<>\w.])\d+ MiB(?= |$)( *)", _measured("24 MiB"), text).strip()


def _measured(shown: str) -> Callable[[re.Match[str]], str]:
    """One value for all of a kind, in a column as wide as before."""
    return lambda found: shown.ljust(len(found[0])) if found[1] else shown
