"""Keys of the tools that a spec quotes verbatim, checked against lists of the pinned versions.

In: the blocks `lora`, `training`, `deepspeed` and `init.architecture`. Out: problems for unknown
keys (nearest name), wrong types, and keys that llmops sets itself (`owned.py` says which). The
lists in `upstream/*.json` are generated from the installed tools by
`tests/tools/upstream_keys.py`; a test compares them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from llmops.diagnostics import nearest
from llmops.specs.owned import (
    DEEPSPEED_AUTO,
    DEEPSPEED_FROM,
    LORA_ONLY,
    RENAMED,
    refused,
)
from llmops.specs.problem import Loc, Problem, block, listed, path_of, quoted, shown

Keys = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One quoted block: what people call it, the tool with its version, its keys."""

    block: str
    called: str
    version: str
    keys: Keys
    auto: frozenset[str] = field(default_factory=frozenset)  # paths that may be "auto"


@cache
def _list(name: str) -> Mapping[str, Any]:
    text = (files("llmops.specs") / "upstream" / f"{name}.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


@cache
def _tool(name: str, called: str) -> Tool:
    listing = _list(name)
    auto = DEEPSPEED_AUTO if name == "deepspeed" else frozenset[str]()
    return Tool(name, called, f"{listing['tool']} {listing['version']}", listing["keys"], auto)


def lora(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """PEFT LoraConfig: adapters for causal language models."""
    yield from _check(_tool("lora", "LoraConfig"), given, loc)
    for name, only in LORA_ONLY.items():
        if isinstance(given.get(name), str) and given[name] != only:
            what = f'"lora.{name}" can only be {only}, not {shown(given[name])}'
            yield Problem((*loc, name), "refused-key", what, "leave it out")


def training(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """HF TrainingArguments, without what a Recipe or the run folder decides."""
    yield from _check(_tool("training", "TrainingArguments"), given, loc)


def deepspeed(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """DeepSpeed config; what TrainingArguments say too must be absent or "auto"."""
    yield from _check(_tool("deepspeed", "the DeepSpeed config"), given, loc)
    for path, source in DEEPSPEED_FROM.items():
        *outer, name = path.split(".")
        value = block(given, *outer).get(name)
        if value is not None and value != "auto":
            what = f'"deepspeed.{path}" must be absent or "auto"'
            yield Problem((*loc, *outer, name), "said-twice", what, f"say it as training.{source}")


def architecture(given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Transformers config of one model_type."""
    listing = _list("architecture")
    name = given.get("model_type")
    if name is None:
        what = 'init.architecture has no "model_type"'
        hint = f"known are {listed(listing['keys'], 40)}"
        yield Problem(loc, "missing-field", what, hint, key=True)
    elif not isinstance(name, str) or name not in listing["keys"]:
        near = nearest(name, listing["keys"]) if isinstance(name, str) else None
        hint = f'did you mean "{near}"?' if near else f"known are {listed(listing['keys'], 40)}"
        what = f"there is no model_type {quoted(name)} to start from"
        yield Problem((*loc, "model_type"), "unknown-value", what, hint)
    else:
        tool = Tool(
            "architecture",
            f"the config of {name}",
            f"{listing['tool']} {listing['version']}",
            listing["keys"][name]["keys"],
        )
        yield from _check(tool, given, loc)


def sizes(model_type: str) -> Mapping[str, Any] | None:
    """Of one model type: `aliases` of its keys, their `defaults`, PEFT's `lora_targets`; or None.

    Defaults are those that are whole numbers or true or false.
    """
    found: Mapping[str, Any] | None = _list("architecture")["keys"].get(model_type)
    return found


@cache
def home(name: str) -> str:
    """The block of a Recipe that knows a key: `training.learning_rate`; "" if none or several."""
    found = [b for b in ("lora", "training", "deepspeed") if name in _list(b)["keys"]]
    return f"{found[0]}.{name}" if len(found) == 1 else ""


def keys(name: str) -> list[str]:
    """The keys of a Recipe's quoted block that a spec may set."""
    return [key for key in _list(name)["keys"] if not refused(name, key)]


def form(name: str, key: str) -> Mapping[str, Any]:
    """What a block's list says of a key: `is`, `one_of`, and the `keys` of a map."""
    found: Mapping[str, Any] = _list(name)["keys"][key]
    return found


def may_be_auto(name: str, path: str) -> bool:
    """Whether the Trainer fills in a key of a block, so that it may be "auto"."""
    return name == "deepspeed" and path in DEEPSPEED_AUTO


def model_types() -> tuple[str, ...]:
    """Whose configs a Model may start from."""
    return tuple(_list("architecture")["keys"])


def told(path: str) -> tuple[str, str, str]:
    """The tool of a quoted key, its form in words, and what to do instead where it is refused.

    KeyError for a path that is none of `paths()`.
    """
    name, *steps = path.split(".")
    listing = _list(name)
    said: Mapping[str, Any] = listing
    for step in steps:
        said = said["keys"][step]
    words = [str(word) for word in said.get("one_of", ())] + [_IS[w] for w in said.get("is", ())]
    return f"{listing['tool']} {listing['version']}", " or ".join(words), refused(name, steps[0])


def paths() -> list[str]:
    """Every path of a Recipe's quoted blocks: `training.max_steps`, `lora.r`, ..."""
    found: list[str] = []
    for name in ("lora", "training", "deepspeed"):
        stack: list[tuple[str, Keys]] = [(name, _list(name)["keys"])]
        while stack:
            path, keys = stack.pop()
            found += [f"{path}.{key}" for key in keys]
            stack += [
                (f"{path}.{key}", said["keys"]) for key, said in keys.items() if "keys" in said
            ]
    return found


def _check(tool: Tool, given: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    stack: list[tuple[Keys, Mapping[str, Any], tuple[str, ...]]] = [(tool.keys, given, ())]
    while stack:
        keys, at, path = stack.pop()
        for name, value in at.items():
            below = (*path, name)
            problem = _key(tool, keys, below, value, (*loc, *below))
            if problem:
                yield problem
            elif isinstance(value, dict) and "keys" in keys[name]:
                stack.append((keys[name]["keys"], value, below))


def _key(tool: Tool, keys: Keys, path: tuple[str, ...], value: Any, loc: Loc) -> Problem | None:
    name, dotted = path[-1], ".".join(path)
    if len(path) == 1 and (hint := refused(tool.block, name)):
        what = f'"{tool.block}.{name}" is not for a spec to set'
        return Problem(loc, "refused-key", what, hint, key=True)
    if name not in keys:
        near = nearest(name, keys)
        hint = RENAMED.get(name) or (f'did you mean "{near}"?' if near else f"see {tool.version}")
        what = f"{tool.called} has no key {quoted(dotted)}"
        return Problem(loc, "unknown-field", what, hint, key=True)
    if (value == "auto" and dotted in tool.auto) or fits(value, keys[name]):
        return None
    return _wrong(value, keys[name], loc)


_IS = {
    "bool": "true or false",
    "integer": "a whole number",
    "whole": "a whole number",
    "number": "a number",
    "text": "text",
    "list": "a list",
    "map": "a map",
    "null": "nothing",
}


def fits(value: Any, said: Mapping[str, Any]) -> bool:
    """Whether a value is of a form that a key list allows; an empty form allows anything."""
    if not said:
        return True
    if any(type(value) is type(word) and value == word for word in said.get("one_of", ())):
        return True
    return any(_is(value, word) for word in said.get("is", ()))


def _is(value: Any, word: str) -> bool:
    if isinstance(value, bool):
        return word == "bool"
    if word == "whole":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    kinds: dict[str, Any] = {
        "integer": int, "number": (int, float), "text": str, "list": list, "map": dict,
        "null": type(None),
    }  # fmt: skip
    return word in kinds and isinstance(value, kinds[word])


def _wrong(value: Any, said: Mapping[str, Any], loc: Loc) -> Problem:
    words = [_IS[word] for word in said.get("is", ()) if word != "null"]
    choices = [str(word) for word in said.get("one_of", ())]
    name = f'"{path_of(loc)}"'
    if choices:
        near = nearest(value, choices) if isinstance(value, str) else None
        hint = f'did you mean "{near}"?' if near else f"known are {', '.join(choices)}"
        return Problem(loc, "unknown-value", f"{name} cannot be {shown(value)}", hint)
    what = f"{name} must be {' or '.join(words)}, not {shown(value)}"
    return Problem(loc, "wrong-type", what, _hint(value, words))


def _hint(value: Any, words: list[str]) -> str:
    number = {"a number", "a whole number"} & set(words)
    digits = isinstance(value, str) and re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", value)
    if (number and digits) or ("true or false" in words and value in ("true", "false")):
        return "remove the quotes"
    return ""
