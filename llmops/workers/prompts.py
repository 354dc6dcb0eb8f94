"""A job's prompt and a row -> messages, by the one renderer that tests of prompts use as well.

Few-shot files are inputs of the job, `few_shot/0` for the first entry of `few_shot`, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.prompts import render, shots
from llmops.workers.chat import Message, Row, RowError
from llmops.workers.contract import WorkerError

MEND = "mend it in the Prompt"
PREFIX = "few_shot/"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A compiled prompt, whose complaints are those of a worker."""

    compiled: render.Prompt

    @classmethod
    def compile(cls, spec: Mapping[str, Any], inputs: Mapping[str, Path] | None = None) -> Prompt:
        """From the `prompt` block of a job and its inputs. Raises WorkerError if it is broken."""
        files = {n: p for n, p in (inputs or {}).items() if n.startswith(PREFIX)}
        given = {int(name.removeprefix(PREFIX)): _turns(p) for name, p in files.items()}
        try:
            return cls(render.Prompt.compile(spec, given))
        except render.BrokenPrompt as error:
            raise WorkerError(str(error), hint=MEND) from error

    @property
    def inputs(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of its inputs."""
        return self.compiled.inputs

    def messages(self, row: Row, form: str = "") -> list[Message]:
        """The row's messages. Raises RowError naming the input or the template's complaint."""
        try:
            return self.compiled.messages(row, form)
        except render.Unrendered as error:
            raise RowError(str(error)) from error


def _turns(path: Path) -> list[Mapping[str, Any]]:
    try:
        return shots.turns(path.read_bytes())
    except ValueError as error:
        raise WorkerError(f"the few-shot file {path.name}: {error}", hint=MEND) from error
