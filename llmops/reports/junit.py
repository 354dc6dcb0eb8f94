"""Verdict or diagnostics -> JUnit XML, as Jenkins, GitLab and others read it.

A suite for each spec, a test case for each rule and gate. Failed is a failure, inconclusive an
error, warned passes and says so. A character that XML 1.0 cannot hold stands as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from llmops.diagnostics import Diagnostic
from llmops.reports import notes
from llmops.reports.base import Page
from llmops.reports.escape import visible
from llmops.reports.notes import Note
from llmops.rules.base import Verdict

_TAGS = {"failed": "failure", "inconclusive": "error", "error": "failure"}
_NEVER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z")


def render(verdict: Verdict, page: Page) -> str:
    """Every gate as a test case, in suites by the spec that declares it."""
    found = sorted(notes.of_verdict(verdict), key=lambda n: (_suite(n), n.subject, n.rule))
    return _document(found, verdict.judged_at)


def diagnostics(found: Iterable[Diagnostic], page: Page) -> str:
    """Every diagnostic as a test case, in suites by file."""
    told = notes.of_diagnostics(found)
    passed = Note(
        page.command, "specs" if page.command == "validate" else "files", "none", "passed", ""
    )
    return _document(told or (passed,), "")


def document(found: Sequence[Note]) -> str:
    """Notes of any kind as test cases, in the order given."""
    return _document(found, "")


def _suite(note: Note) -> str:
    """`Evaluation/x` of `Evaluation/x/accuracy`."""
    return "/".join(note.subject.split("/")[:2])


def _document(found: Sequence[Note], judged_at: str) -> str:
    suites: dict[str, list[Note]] = {}
    for note in found:
        suites.setdefault(note.subject if note.same else _suite(note), []).append(note)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for i, (name, told) in enumerate(suites.items()):
        lines += _suite_lines(i, name, told, judged_at)
    return "\n".join([*lines, "</testsuites>"])


def _suite_lines(i: int, name: str, told: Sequence[Note], judged_at: str) -> Iterator[str]:
    tags = [_TAGS.get(note.word, "") for note in told]
    when = _WHEN.fullmatch(judged_at)
    given = {
        "name": name, "tests": str(len(told)), "failures": str(tags.count("failure")),
        "errors": str(tags.count("error")), "time": "0", "id": str(i), "package": "llmops",
        "hostname": "localhost", **({"timestamp": when[1]} if when else {}),
    }  # fmt: skip
    yield f"  <testsuite{_attributes(given)}>"
    for note in told:
        yield from _case(note)
    yield "  </testsuite>"


def _case(note: Note) -> Iterator[str]:
    named = note.message if note.same else note.subject
    opening = f"    <testcase{_attributes({'classname': note.rule, 'name': named, 'time': '0'})}"
    tag = _TAGS.get(note.word)
    if tag is None and note.word in ("passed", "none"):
        yield f"{opening}/>"
        return
    yield f"{opening}>"
    where = f"{note.path}:{note.line}:{note.column}" if note.path else ""
    body = "\n".join(_text(part) for part in (note.message, note.hint, where) if part)
    if tag is None:
        yield f"      <system-out>{_text(note.word)}: {body}</system-out>"
    else:
        given = {"message": note.message, "type": note.word}
        yield f"      <{tag}{_attributes(given)}>{body}</{tag}>"
    yield "    </testcase>"


def _attributes(given: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(_plain(value))}" for name, value in given.items())


def _text(value: str) -> str:
    return escape(_plain(value))


def _plain(value: str) -> str:
    """On one line, with nothing that is hidden or that XML cannot hold."""
    return _NEVER.sub(lambda m: m[0].encode("unicode_escape").decode(), visible(value, 2_000))
