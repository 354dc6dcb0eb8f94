"""promptfoo's prompts -> Prompts: texts, chats of messages, and the inputs that they read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from llmops.importers.base import Draft, Near
from llmops.importers.foo_tests import Test, columns_of, kind_of, renamed
from llmops.importers.hub import as_json
from llmops.importers.recipes import look
from llmops.source.document import parse
from llmops.specs.base import Ref
from llmops.specs.problem import Loc, items
from llmops.specs.templates import needs

TEXTS = (".txt", ".md", ".j2", ".jinja", ".jinja2", ".prompt", "")
CHATS = (".json", ".yaml", ".yml")
MOST_PROMPTS = 50
_RUN = "a prompt that is made by code; write the text that it makes"
_ROLES = ("system", "user", "assistant")
_BETWEEN = re.compile(r"^---[ \t]*$", re.MULTILINE)
_ENVIRONMENT = re.compile(r"\{\{-?\s*env\.")


def read(draft: Draft, near: Near) -> list[Ref]:
    """A Prompt for each that can be read; the others are noted."""
    found: list[Ref] = []
    for of, label, text in _texts(draft, near):
        if len(found) >= MOST_PROMPTS:
            draft.note(of, f"more than {MOST_PROMPTS} prompts")
            break
        ref = draft.add("Prompt", label or "prompt")
        for n, message in enumerate(_messages(draft, text, of)):
            kept = [*(draft.get(ref, "messages") or []), message] if n else [message]
            draft.put(ref, "messages", kept, of)
        found.append(ref)
    if not found:
        ref = draft.add("Prompt", "prompt")
        draft.put(ref, "messages", [{"role": "user", "content": "{{ prompt }}"}])
        draft.say(ref, "messages", "promptfoo passes the variable prompt on where none is named")
        found.append(ref)
    return found


def _texts(draft: Draft, near: Near) -> Iterator[tuple[Loc, str, Any]]:
    """Each prompt's place, its label, and its text or its list of messages."""
    given = draft.document.value.get("prompts")
    single = [given] if isinstance(given, str | dict) else given
    for i, one in enumerate(single if isinstance(single, list) else ()):
        of: Loc = ("prompts", i) if isinstance(given, list) else ("prompts",)
        label = ""
        if isinstance(one, dict):
            said = one.get("label")
            label = said if isinstance(said, str) else ""
            one = one.get("raw") or one.get("id")
        if isinstance(one, str) and one.strip():
            yield from ((of, name or label, text) for name, text in _one(draft, near, one, of))
        elif one is not None:
            draft.note(of, "it is no prompt: a text, or a map with id and label")


def _one(draft: Draft, near: Near, text: str, of: Loc) -> Iterator[tuple[str, Any]]:
    """What stands in place, or in the file that is named."""
    if text.startswith("exec:") or re.match(r"[a-z]+://", text.removeprefix("file://")):
        draft.note(of, _RUN)
        return
    if not text.startswith("file://"):
        yield "", text
        return
    path = text.removeprefix("file://")
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in (*TEXTS, *CHATS):
        draft.note(of, "prompts.csv: write each row as a prompt" if suffix == ".csv" else _RUN)
        return
    found = look(near, path)
    if found is None or found.data is None:
        draft.note(of, "the file is not here; files by pattern are not looked for")
        return
    yield from _file(found.data, suffix, PurePosixPath(path).stem)


def _file(data: bytes, suffix: str, name: str) -> Iterator[tuple[str, Any]]:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    if suffix in CHATS:
        value = as_json(data)
        yield name, value if isinstance(value, list) else _yaml_list(text) or text
        return
    for part in _BETWEEN.split(text):
        if part.strip():
            yield name, part.strip()


def _yaml_list(text: str) -> list[Any] | None:
    """A YAML list of messages, read by the same strict reader as all YAML here."""
    indented = "".join(f"  {line}\n" for line in text.split("\n"))
    read_ = parse("prompt", f"messages:\n{indented}".encode())
    value = read_.document.value.get("messages") if read_.document else None
    return value if isinstance(value, list) else None


def _messages(draft: Draft, text: Any, of: Loc) -> Iterator[Mapping[str, str]]:
    """A list of messages, or one message of the user with all of it."""
    value = text if isinstance(text, list) else _chat(text)
    if value is None:
        if _ENVIRONMENT.search(text):
            draft.note(of, "it reads the environment, which no Prompt does", "{{ env.… }}")
        yield {"role": "user", "content": text}
        return
    for one in value:
        role, content = (
            (one.get(k) for k in ("role", "content")) if isinstance(one, dict) else ("", "")
        )
        role = "system" if role == "developer" else role
        if role in _ROLES and isinstance(content, str):
            yield {"role": role, "content": content}
        else:
            draft.note(of, "a message that is no text of system, user or assistant", "a message")


def _chat(text: str) -> list[Any] | None:
    """The messages of a prompt that is itself JSON, or None."""
    if not text.lstrip().startswith("["):
        return None
    value = as_json(text.encode("utf-8", "replace"))
    whole = isinstance(value, list) and all(isinstance(v, dict) and "role" in v for v in value)
    return value if whole and value else None


# ---- inputs ----------------------------------------------------------------------------------


def inputs(draft: Draft, prompts: Sequence[Ref], tests: Sequence[Test]) -> None:
    """What each Prompt reads from a row, with the type that the tests give it."""
    columns = columns_of(tests)
    for ref in prompts:
        messages = draft.get(ref, "messages") or []
        names = {name for _, m in items({"m": messages}, "m") for name in needs(m["content"]).names}
        for name in sorted(names):
            column = renamed(name, columns)
            schema = _schema(columns.get(name, ()), len(tests))
            draft.put(ref, f"inputs.{column}", schema, ("prompts",))
            if name not in columns:
                draft.say(ref, f"inputs.{column}", "no test gives this variable")
            if column != name:
                draft.put(ref, "messages", _set(messages, name, column), ("prompts",))
                messages = draft.get(ref, "messages")


def _schema(values: Sequence[Any], tests: int) -> Mapping[str, Any]:
    """The type of an input; what some tests do not give is empty, as it is to promptfoo."""
    if len(values) == tests and tests:
        return {"type": kind_of(values)}
    return {"type": kind_of([*values, ""]), "default": ""}


def _set(messages: Sequence[Mapping[str, str]], name: str, column: str) -> list[Mapping[str, str]]:
    """The same messages, for a row that calls a variable otherwise."""
    prefix = f"{{% set {name} = {column} %}}"
    return [
        {**m, "content": prefix + m["content"]} if name in needs(m["content"]).names else m
        for m in messages
    ]
