"""What a worker says is somebody else's text: rows, prompts, names of files."""

from __future__ import annotations

import sys

import pytest

from llmops.executors.local import LocalExecutor
from llmops.executors.run import EXECUTORS

WORKER = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[1])
evil = "\\x1b[2J\\u202eevil"
with (folder / "progress.jsonl").open("w") as out:
    out.write(json.dumps({"phase": evil, "step": 1, "steps": 2}) + "\\n")
print("log " + evil)
message = "bad rows:\\n  data.jsonl:1: " + evil
error = {"format_version": 1, "message": message, "hint": "look at " + evil}
(folder / "error.json").write_text(json.dumps(error))
sys.exit(3)
"""


def test_what_a_worker_says_cannot_drive_the_terminal(
    llmops, bank, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil.py").write_text(WORKER)
    command = (sys.executable, "-I", "-S", str(tmp_path / "evil.py"))
    monkeypatch.setitem(EXECUTORS, "local", lambda: LocalExecutor(command))  # type: ignore[arg-type]
    said = llmops("run", "-C", bank.path, "--accept-undecidable")
    assert said.code == 3
    assert "world failed: bad rows: …\n" in said.out
    assert "not judged: bad rows:\n  data.jsonl:1: \\x1b[2J\\u202eevil" in said.out
    assert "look at \\x1b[2J" in said.out
    (tmp_path / "evil.py").write_text(WORKER.replace("sys.exit(3)", "sys.exit(7)"))
    dead = llmops("run", "-C", bank.path, "--accept-undecidable")
    assert "  log \\x1b[2J\\u202eevil\n" in dead.out
    assert not {"\x1b", "\u202e"} & set(said.out + said.err + dead.out + dead.err)
