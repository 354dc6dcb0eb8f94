"""Prompts rendered in a process with limits: whatever a template does, it does there.

In: the plain values of one Prompt, its few-shot turns, values by test. Out: messages or complaints
by test, and what untrusted inputs can do. A template that never ends, or eats memory, is ended with
its process, and told by the test that it was at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.errors import ExecutorError
from llmops.prompts.probes import Probed, Weakness
from llmops.prompts.render import Message, Shots

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt to render: `tests` are values of its inputs by name."""

    prompt: Mapping[str, Any]
    shots: Shots
    tests: Mapping[str, Mapping[str, Any]]
    probe: bool = False


@dataclass(slots=True)
class Rendered:
    """What came of it; `broken` is why nothing could be rendered (any more), "" if all could."""

    messages: dict[str, list[Message]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    probed: Probed | None = None
    broken: str = ""


def rendered(asked: Asked, seconds: float = SECONDS) -> Rendered:
    """Render in a process of its own. Raises ExecutorError when none can be started."""
    said, ended = _answers(asked, seconds)
    found, at = Rendered(), ""
    for line in said:
        at = line.get("begun", at)
        found.broken = line.get("broken", found.broken)
        if "messages" in line:
            found.messages[line["test"]] = line["messages"]
        elif "error" in line:
            found.errors[line["test"]] = line["error"]
        elif "probed" in line:
            found.probed = _probed(line["probed"])
    if ended and not found.broken:
        found.broken = f"{at}: {ended}"
        if at in asked.tests:
            found.errors[at] = ended
    return found


def _answers(asked: Asked, seconds: float) -> tuple[list[dict[str, Any]], str]:
    """The lines that were said, and why there are no more ("" when it came to its end)."""
    given = {
        "prompt": asked.prompt,
        "shots": {str(place): list(turns) for place, turns in asked.shots.items()},
        "tests": [{"name": name, "inputs": values} for name, values in asked.tests.items()],
        "probe": asked.probe,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "llmops.prompts"], input=json.dumps(given).encode(),
            capture_output=True, check=False, timeout=seconds, cwd="/", env={},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return _lines(error.stdout or b""), f"rendering took more than {seconds:g} seconds"
    except OSError as error:
        raise ExecutorError(f"no process can be started: {error.strerror}") from error
    if done.returncode == 0:
        return _lines(done.stdout), ""
    return _lines(done.stdout), _why(done.returncode, done.stderr)


def _why(code: int, said: bytes) -> str:
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if code < 0:
        return "rendering needs more time or memory than a prompt may have"
    return f"rendering ended with code {code}{': ' if last else ''}{last[:200]}"


def _lines(data: bytes) -> list[dict[str, Any]]:
    """The whole lines; one that was cut is none."""
    return [json.loads(line) for line in data.split(b"\n")[:-1] if line.strip()]


def _probed(given: Mapping[str, Any]) -> Probed:
    weaknesses: Sequence[Mapping[str, Any]] = given["weaknesses"]
    return Probed(
        given["tried"],
        given["refused"],
        [Weakness(**one) for one in weaknesses],
        dict(given["unprobed"]),
    )
