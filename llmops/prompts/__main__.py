"""`python -m llmops.prompts`: render prompts of somebody else, in this process alone.

In, on standard input: JSON, `{"prompt": …, "shots": …, "tests": [{"name": …, "inputs": …}],
"probe": true}`. Out, a JSON line each: `{"begun": name}`, then `{"test": name, "messages": …}` or
`{"test": name, "error": …}`; at the end `{"probed": …}`. The process limits its own memory and CPU
time first, so a template that never ends takes nobody else along; whoever started it watches the
clock.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from llmops.prompts import probes, render
from llmops.prompts.strangers import untrusted

CPU_SECONDS = 10
MEMORY_BYTES = 1 << 30
LONGEST = 1_000_000  # characters of one prompt, all messages together
PROBING = "the battery of untrusted texts"


def main() -> int:
    """0; whatever is wrong with a prompt stands in the lines."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in answers(json.load(sys.stdin)):
        print(json.dumps(line), flush=True)
    return 0


def answers(asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What is said of one prompt, test by test."""
    yield {"begun": "the templates"}
    shots = {int(place): turns for place, turns in asked["shots"].items()}
    try:
        prompt = render.Prompt.compile(asked["prompt"], shots)
    except render.BrokenPrompt as error:
        yield {"broken": str(error)}
        return
    fine = []
    for test in asked["tests"]:
        yield {"begun": test["name"]}
        said = _rendered(prompt, test["inputs"])
        fine += [test["inputs"]] if "messages" in said else []
        yield {"test": test["name"], **said}
    if asked.get("probe") and untrusted(prompt.inputs):
        yield {"begun": PROBING}
        yield {"probed": asdict(probes.probe(prompt, fine))}


def _rendered(prompt: render.Prompt, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        messages = prompt.messages(values)
    except render.Unrendered as error:
        return {"error": str(error)}
    size = sum(len(message["content"]) for message in messages)
    if size > LONGEST:
        return {"error": f"the prompt has {size} characters, above the maximum {LONGEST}"}
    return {"messages": messages}


if __name__ == "__main__":
    raise SystemExit(main())
