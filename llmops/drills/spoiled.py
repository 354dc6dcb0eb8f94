"""Spoiled weights of a target, by digest, in the drill's own mirror. Wet.

In: how a target is loaded, the store with its artifacts, a way to spoil. Out: the digest of a
folder that lies at `sha256/<hex>` of the mirror. What was made once is not made again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.diagnostics import printable
from llmops.digest import of_folder, of_value
from llmops.errors import ExecutorError
from llmops.evidence.files import replace
from llmops.evidence.statement import hex_of
from llmops.executors.base import Resolver
from llmops.executors.local import PASSED, SET
from llmops.jobs.train import Weights

Worker = Callable[[Path, Path], None]  # a request, the folder to make


@dataclass(frozen=True, slots=True)
class Spoiled:
    """Makes folders of spoiled weights. `resolve` finds what the weights are made of."""

    mirror: Path
    resolve: Resolver
    worker: Worker

    def digest(self, how: str, weights: Weights) -> str:
        """The digest of the weights, spoiled. Raises LlmopsError if they cannot be made."""
        wanted = {"how": how, "base": weights.base, "inputs": [repr(i) for i in weights.inputs]}
        note = self.mirror / "made" / hex_of(of_value(wanted))
        if note.is_file():
            known = note.read_text("utf-8")
            folder = self.mirror / "sha256" / hex_of(known)
            if folder.is_dir() and of_folder(folder) == known:
                return known
        made = self._make(how, weights)
        replace(note, made.encode())
        return made

    def _make(self, how: str, weights: Weights) -> str:
        inputs = {i.name: str(self.resolve(i).path) for i in weights.inputs}
        request = {"how": how, "base": weights.base, "inputs": inputs}
        kept = self.mirror / "sha256"
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".half-", dir=kept) as name:
            asked, folder = Path(name, "request.json"), Path(name, "weights")
            asked.write_text(json.dumps(_plain(request)), encoding="utf-8")
            self.worker(asked, folder)
            made = of_folder(folder)
            target = kept / hex_of(made)
            shutil.rmtree(target, ignore_errors=True)
            os.rename(folder, target)
        return made


def _plain(value: Any) -> Any:
    """Maps and tuples as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def in_a_process(request: Path, folder: Path) -> None:
    """Run `llmops.workers.spoil` as workers are run. Raises ExecutorError with what it said."""
    environment = {**{k: v for k in PASSED if (v := os.environ.get(k))}, **SET}
    command = [sys.executable, "-m", "llmops.workers.spoil", str(request), str(folder)]
    done = subprocess.run(command, env=environment, cwd=request.parent, capture_output=True)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no word"]
        raise ExecutorError(f"weights cannot be spoiled: {printable(said[-1], 300)}")
