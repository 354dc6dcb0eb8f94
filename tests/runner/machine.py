"""One machine with one job on it: its workspace, its tools, and its steps one after another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.runner.expressions import Closed, Scope, Unknown, condition, filled, text_of

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SECONDS = 600.0  # that one step may take


@dataclass
class Ended:
    """How a job ended: its conclusion, outputs, all that was printed, and its step summaries."""

    id: str
    conclusion: str = "success"
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    steps: dict[str, str] = field(default_factory=dict)  # name -> outcome
    environment: str = ""
    machine: Any = None
    token: str = ""


@dataclass
class Machine:
    """A machine that is thrown away after its job.

    `hands`: what is done for `uses:`, a table by action. `contexts`: all but what steps add.
    """

    folder: Path
    contexts: Mapping[str, Any]
    variables: Mapping[str, str]
    hands: Mapping[str, Any]
    ended: Ended
    path: list[str] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make its folders and its tools."""
        for name in ("work", "temp", "tools", "home", "files"):
            (self.folder / name).mkdir(parents=True)
        self.path = [str(self.folder / "tools")]
        tool = "\n".join((sys.executable, "-m", "llmops"))
        (self.folder / "files" / "tool").write_text(tool, encoding="utf-8")

    @property
    def workspace(self) -> Path:
        return self.folder / "work"

    def tool(self, name: str, *command: str | Path) -> None:
        """Put a program on the PATH that is another one."""
        words = " ".join(f"'{word}'" for word in command)
        file = self.folder / "tools" / name
        file.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        file.chmod(0o755)

    def work(self, steps: tuple[Mapping[str, Any], ...]) -> None:
        """All steps; a step after a failed one runs only where it asks for that."""
        self.outputs |= {step["id"]: {"outputs": {}} for step in steps if "id" in step}
        for number, step in enumerate(steps):
            name = str(step.get("name", step.get("uses", number)))
            scope = self.scope()
            if not condition(step.get("if"), scope):
                self.note(step, name, "skipped")
                continue
            ok = self.uses(step, scope) if "uses" in step else self.runs(step, scope, number)
            self.note(step, name, "success" if ok else "failure")
            if not ok:
                self.ended.conclusion = "failure"

    def within(self, more: Mapping[str, Any], steps: list[Mapping[str, Any]]) -> bool:
        """The steps of an action, with its inputs; whether all of them went well."""
        outside, self.contexts = self.contexts, {**self.contexts, **more}
        try:
            for number, step in enumerate(steps, 100):
                if "run" in step and "shell" not in step:
                    raise Unknown("a script of an action names its shell")
                scope = self.scope()
                ok = self.uses(step, scope) if "uses" in step else self.runs(step, scope, number)
                if not ok:
                    return False
            return True
        finally:
            self.contexts = outside

    def note(self, step: Mapping[str, Any], name: str, outcome: str) -> None:
        self.ended.steps[name] = outcome
        if "id" in step:
            kept = self.outputs[step["id"]]
            kept |= {"outcome": outcome, "conclusion": outcome}
            if outcome == "success":  # another name than those that it wrote is a mistake
                kept["outputs"] = Closed(kept["outputs"])

    def scope(self) -> Scope:
        steps = Closed(self.outputs)
        return Scope({**self.contexts, "steps": steps}, self.ended.conclusion)

    def uses(self, step: Mapping[str, Any], scope: Scope) -> bool:
        """An action, by its full commit; one that is not known is refused."""
        named = step["uses"]
        hand = self.hands.get(named)
        if hand is None:
            raise Unknown(f"the action {named} is not known here")
        given = {key: text_of(filled(value, scope)) for key, value in step.get("with", {}).items()}
        self.say(f"== {named} {given}")
        return bool(hand(self, given))

    def runs(self, step: Mapping[str, Any], scope: Scope, number: int) -> bool:
        """A script, as GitHub starts it: bash -e, or with `shell: bash` also pipefail."""
        if "${{" in step["run"]:
            raise Unknown("an expression stands in a script")
        if step.get("shell", "bash") != "bash" or "working-directory" in step:
            raise Unknown("only bash in the workspace is known here")
        script = self.folder / "temp" / f"step-{number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if "shell" in step else ["-e"]
        files = {name: self._file(name, number) for name in ("OUTPUT", "STEP_SUMMARY", "PATH")}
        environment = self.environment(step, scope) | {
            f"GITHUB_{k}": str(v) for k, v in files.items()
        }
        done = subprocess.run(
            ["bash", *options, str(script)], cwd=self.workspace, env=environment, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )  # fmt: skip
        self.say(f"== {step.get('name', 'run')}\n{done.stdout.decode('utf-8', 'replace')}")
        self._after(step, files)
        return done.returncode == 0

    def say(self, text: str) -> None:
        self.ended.log += f"{text}\n"

    def environment(self, step: Mapping[str, Any], scope: Scope) -> dict[str, str]:
        """What a step sees: the runner's own variables and the step's, nothing of this machine."""
        own = {key: text_of(filled(value, scope)) for key, value in step.get("env", {}).items()}
        return {
            "PATH": ":".join([*self.path, "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.folder / "home"), "LANG": "C.UTF-8", "PYTHONUTF8": "1",
            "CI": "true", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_WORKSPACE": str(self.workspace), "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1", **self.variables, **own,
        }  # fmt: skip

    def give_python(self) -> None:
        """A Python with pip, as setup-python leaves it, or as the machine's image has it."""
        for name in ("python", "python3.11"):
            tools = self.folder / "tools"
            self.tool(name, sys.executable, HERE / "python.py", self.folder / "files", tools)

    def use(self, script: Path, *words: str | Path) -> None:
        """Let `llmops` be a script of ours once pip was asked for it."""
        command = (sys.executable, str(script), *map(str, words))
        (self.folder / "files" / "tool").write_text("\n".join(command), encoding="utf-8")

    @property
    def asked_of_pip(self) -> list[str]:
        """The words of each `pip install`."""
        file = self.folder / "files" / "installed"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def _file(self, name: str, number: int) -> Path:
        file = self.folder / "files" / f"{name.lower()}-{number}"
        file.touch()
        return file

    def _after(self, step: Mapping[str, Any], files: Mapping[str, Path]) -> None:
        self.ended.summary += files["STEP_SUMMARY"].read_text("utf-8")
        self.path[:0] = files["PATH"].read_text("utf-8").split()
        found = outputs(files["OUTPUT"].read_text("utf-8"))
        if "id" in step:
            self.outputs[step["id"]]["outputs"] = found


def outputs(text: str) -> dict[str, str]:
    """What a step wrote to GITHUB_OUTPUT: `name=value`, or `name<<END` and lines up to END."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, value = line.partition("=")
        if "<<" in name:
            name, _, end = line.partition("<<")
            block = []
            for more in lines:
                if more == end:
                    break
                block.append(more)
            else:
                raise Unknown(f"the output {name} never ends")
            found[name] = "\n".join(block)
        elif sign:
            found[name] = value
        elif line:
            raise Unknown(f"GITHUB_OUTPUT holds {line!r}")
    return found
