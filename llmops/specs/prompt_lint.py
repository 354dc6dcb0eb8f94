"""What a Prompt should not have, though it can be run: warnings, each with an id and two examples.

`LINTS` is the table. Everything here is read from the text: nothing is rendered. What untrusted
inputs can really do is tried by `llmops prompt test`. A policy makes the warnings count with the
rule `prompt-lint`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from llmops.diagnostics import Severity
from llmops.prompts.constraints import MEASURED
from llmops.prompts.strangers import PLAIN, delimiters, untrusted
from llmops.specs.problem import Loc, Problem, block, items, quoted
from llmops.specs.templates import needs

INSTRUCTIONS = 40  # characters of a message's own words from which a stranger's may pass for them
_TYPED = {"type", "enum", "const"}


class Lint(NamedTuple):
    """One thing to look out for: why, and a Prompt's `spec` with and without it."""

    why: str
    good: str
    bad: str


class Turn(NamedTuple):
    """One message's template: who speaks, its text, its place."""

    role: str
    text: str
    loc: Loc


def lint(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Every warning about a Prompt's raw values. Raises nothing, whatever they are."""
    turns = list(_turns(spec))
    read = frozenset(name for turn in turns for name in needs(turn.text).names)
    inputs = {
        n: s for n, s in block(spec, "inputs").items() if isinstance(n, str) and isinstance(s, dict)
    }
    yield from _inputs(inputs, read)
    strangers = untrusted(inputs)
    for turn in turns:
        yield from _strangers(turn, strangers)
    yield from _trailing(turns)
    yield from _unread(spec, read)
    yield from _twice(spec)


def _turns(spec: Mapping[str, Any]) -> Iterator[Turn]:
    if isinstance(spec.get("system"), str):
        yield Turn("system", spec["system"], ("spec", "system"))
    for i, message in items(spec, "messages"):
        if isinstance(message.get("content"), str):
            yield Turn(
                str(message.get("role")), message["content"], ("spec", "messages", i, "content")
            )


def _inputs(inputs: Mapping[str, Mapping[str, Any]], read: frozenset[str]) -> Iterator[Problem]:
    for name, schema in inputs.items():
        loc: Loc = ("spec", "inputs", name)
        if name not in read:
            hint = "use it in a message, or remove it: rows must have it for nothing"
            yield _warning(loc, "unused-input", f"no template uses {quoted(name)}", hint)
        if not _TYPED & schema.keys():
            hint = "add type: string, or what it is: a wrong row is told only then"
            yield _warning(loc, "untyped-input", f"input {quoted(name)} has no type", hint)
        if (
            schema.get("untrusted") is True
            and schema.get("type") == "string"
            and (not {"maxLength", "enum", "const"} & schema.keys())
        ):
            hint = "add maxLength: a stranger decides how long and how dear the prompt is"
            yield _warning(loc, "unbounded-input", f"{quoted(name)} may be of any length", hint)


def _strangers(turn: Turn, strangers: list[str]) -> Iterator[Problem]:
    """Untrusted inputs among words of the author: where they begin and end must be marked."""
    for name in strangers:
        place = re.search(rf"\{{[{{%][^}}]*?\b{re.escape(name)}\b", turn.text)
        if place is None:
            continue
        marked = turn.text[: place.start()] + PLAIN + turn.text[place.start() :]
        if delimiters(marked):
            continue
        if turn.role == "system":
            what = f"{quoted(name)} is a stranger's text in the system message"
            hint = f"move it to the user's message, or write <{name}>…</{name}> around it"
            yield _warning(turn.loc, "untrusted-in-system", what, hint)
        elif len(_own(turn.text)) > INSTRUCTIONS:
            what = f"nothing marks where {quoted(name)} begins and ends among instructions"
            hint = f"write <{name}>…</{name}> around it, or give it a message of its own"
            yield _warning(turn.loc, "undelimited-input", what, hint)


def _own(text: str) -> str:
    """A template without what is put in: the author's own words."""
    return re.sub(r"\s+", " ", re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.S))


def _trailing(turns: list[Turn]) -> Iterator[Problem]:
    if turns and re.search(r"[ \t\u3000]\Z", turns[-1].text):
        hint = "remove it: an answer that begins behind a blank is tokenised otherwise"
        yield _warning(turns[-1].loc, "trailing-space", "the last message ends in a blank", hint)


def _unread(spec: Mapping[str, Any], read: frozenset[str]) -> Iterator[Problem]:
    if "constraints" in read:
        return
    for i, entry in items(spec, "constraints"):
        if "text" in entry:
            name = quoted(entry.get("name"))
            what = f"no template has {{{{ constraints }}}}, so no model reads {name}"
            hint = "write {{ constraints }} where a message should list them"
            yield _warning(("spec", "constraints", i, "text"), "constraint-unread", what, hint)
            return


def _twice(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """The same test or text twice, and two shares of one pattern that exclude each other."""
    seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for i, entry in items(spec, "constraints"):
        test = block(entry, "test")
        loc: Loc = ("spec", "constraints", i)
        for key in [("text", repr(entry["text"]))] if "text" in entry else []:
            if key in seen:
                yield _again(loc, entry, seen[key], "the same text")
            seen.setdefault(key, entry)
        for key in [
            (word, test[word]) for word in MEASURED if isinstance(test.get(word), str | int)
        ]:
            if key in seen:
                yield _clash(loc, entry, seen[key])
            seen.setdefault(key, entry)


def _clash(loc: Loc, entry: Mapping[str, Any], other: Mapping[str, Any]) -> Problem:
    one, two = block(entry, "test"), block(other, "test")
    least = max((t["min_rate"] for t in (one, two) if _number(t.get("min_rate"))), default=0)
    most = min((t["max_rate"] for t in (one, two) if _number(t.get("max_rate"))), default=1)
    if least > most:
        names = f"{quoted(other.get('name'))} and {quoted(entry.get('name'))}"
        what = f"{names} ask for at least {least:g} and at most {most:g} of the same"
        return _warning(loc, "constraint-clash", what, "no answers can keep to both: mend one")
    return _again(loc, entry, other, "the same test")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _again(loc: Loc, entry: Mapping[str, Any], other: Mapping[str, Any], what: str) -> Problem:
    said = f"{quoted(entry.get('name'))} has {what} as {quoted(other.get('name'))}"
    return _warning(loc, "constraint-twice", said, "remove one of them")


def _warning(loc: Loc, rule: str, message: str, hint: str) -> Problem:
    return Problem(loc, rule, message, hint, severity=Severity.WARNING)


_Q = "inputs: {question: {type: string, maxLength: 2000, untrusted: true}}\n"
_M = 'messages: [{role: user, content: "{{ question }}"}]\n'
LINTS: Mapping[str, Lint] = {
    "unused-input": Lint(
        "every row must have an input, so one that nothing reads makes rows fail for nothing",
        _Q + _M,
        _Q.replace("}}\n", "}, tier: {type: string}}\n") + _M,
    ),
    "untyped-input": Lint(
        "a row with a number for a text, or a list for a number, is told only by a type",
        'inputs: {tier: {enum: [basic, gold]}}\nmessages: [{role: user, content: "{{ tier }}"}]\n',
        'inputs: {tier: {}}\nmessages: [{role: user, content: "{{ tier }}"}]\n',
    ),
    "unbounded-input": Lint(
        "a stranger decides how long the prompt is, what it costs, and what it pushes out",
        _Q + _M,
        _Q.replace("maxLength: 2000, ", "") + _M,
    ),
    "untrusted-in-system": Lint(
        "what stands in the system message is read as the author's order",
        _Q + 'system: "Answer by this: <question>{{ question }}</question>"\n'
        "messages: [{role: user, content: Begin.}]\n",
        _Q + 'system: "Answer this: {{ question }}"\nmessages: [{role: user, content: Begin.}]\n',
    ),
    "undelimited-input": Lint(
        "among instructions, a stranger's sentence looks like one more of them",
        _Q + "messages: [{role: user, content: 'Say in one word what is asked, and nothing else."
        " <question>{{ question }}</question>'}]\n",
        _Q + "messages: [{role: user, content: 'Say in one word what is asked, and nothing else."
        " {{ question }}'}]\n",
    ),
    "trailing-space": Lint(
        "a blank before the answer is a token of its own, which most models never saw there",
        _Q + 'messages: [{role: user, content: "{{ question }} Topic:"}]\n',
        _Q + 'messages: [{role: user, content: "{{ question }} Topic: "}]\n',
    ),
    "constraint-unread": Lint(
        "a model is judged by a constraint that nobody told it",
        _Q
        + 'system: "{{ constraints }}"\n'
        + _M
        + "constraints: [{name: short, text: Be brief.}]\n",
        _Q + _M + "constraints: [{name: short, text: Be brief.}]\n",
    ),
    "constraint-twice": Lint(
        "two gates of one test are one gate that is read twice",
        _Q + _M + "constraints: [{name: short, test: {max_chars: 40}}]\n",
        _Q + _M + "constraints:\n- {name: short, test: {max_chars: 40}}\n"
        "- {name: brief, test: {max_chars: 40}}\n",
    ),
    "constraint-clash": Lint(
        "no answers can keep to both, so no change can ever pass",
        _Q + _M + "constraints: [{name: cite, test: {regex: '[0-9]', min_rate: 0.9}}]\n",
        _Q + _M + "constraints:\n- {name: cite, test: {regex: '[0-9]', min_rate: 0.9}}\n"
        "- {name: no-digits, test: {regex: '[0-9]', max_rate: 0.1}}\n",
    ),
}
