"""Verdict or diagnostics -> SARIF 2.1.0, for code scanning.

One result for each rule and gate that did not pass, with a fingerprint that stays the same from
run to run, so that a result closes itself once it is gone. At most 5,000 results, the worst first.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from llmops import __version__
from llmops.diagnostics import Diagnostic
from llmops.reports import notes
from llmops.reports.base import Page
from llmops.reports.data import dumps
from llmops.reports.escape import visible
from llmops.reports.notes import Note
from llmops.rules.base import Cause, Verdict

MOST = 5_000
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_NOWHERE = "specs"  # a place that code scanning takes for what stands in no file


def render(verdict: Verdict, page: Page) -> str:
    """What did not pass, as one SARIF run."""
    return log(verdict, MOST)


def log(verdict: Verdict, most: int) -> str:
    """The same with at most so many results."""
    found = [note for note in notes.of_verdict(verdict) if note.level != "none"]
    return _log("llmops/gate/", found, verdict.tool_version or __version__, most)


def diagnostics(found: Iterable[Diagnostic], page: Page) -> str:
    """What a command found, as one SARIF run."""
    return _log(f"llmops/{page.command}/", notes.of_diagnostics(found), __version__)


def document(found: Sequence[Note], command: str) -> str:
    """Notes of any kind as one SARIF run."""
    return _log(f"llmops/{command}/", found, __version__)


def _log(category: str, found: Sequence[Note], version: str, most: int = MOST) -> str:
    shown = found[:most]
    rules = sorted({note.rule for note in shown})
    run = {
        "tool": {"driver": _driver(category, rules, version)},
        "automationDetails": {"id": category},
        "columnKind": "unicodeCodePoints",
        "results": [_result(note, rules) for note in shown],
    }
    if len(found) > most:
        run["properties"] = {"results_left_out": len(found) - most}
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _driver(category: str, rules: Sequence[str], version: str) -> dict[str, Any]:
    known = _known(category)
    return {
        "name": "llmops",
        "version": visible(version, 40),
        "rules": [_rule(rule, known.get(rule)) for rule in rules],
    }


def _known(category: str) -> Mapping[str, Any]:
    """What is known of rules by their names: each has `why` and `fix`."""
    if category == "llmops/lint-ci/":
        from llmops.workflows.lint import INFOS as CHECKS

        return CHECKS
    from llmops.rules.verdict import INFOS

    return INFOS


def _rule(rule: str, info: Any) -> dict[str, Any]:
    """A rule with what it is for and what to do, where that is known."""
    found: dict[str, Any] = {"id": visible(rule, 200)}
    if info is not None:
        found["shortDescription"] = {"text": info.why}
        found["help"] = {"text": info.fix}
    return found


def _result(note: Note, rules: Sequence[str]) -> dict[str, Any]:
    hint = f"\n{visible(note.hint, 2_000)}" if note.hint else ""
    result = {
        "ruleId": visible(note.rule, 200),
        "ruleIndex": rules.index(note.rule),
        "level": note.level,
        "message": {"text": f"{visible(note.message, 2_000) or note.word}{hint}"},
        "locations": [_location(note)],
        "partialFingerprints": {"llmopsRuleSubject/v1": note.fingerprint},
        "properties": {"outcome": note.word, **note.numbers},
    }
    related = [_related(i, cause) for i, cause in enumerate(note.causes, 1)]
    return {**result, "relatedLocations": related} if related else result


def _related(number: int, cause: Cause) -> dict[str, Any]:
    """A changed line that the result may rest on."""
    path, line, column = notes.placed(cause.place)
    return {
        "id": number,
        "message": {"text": f"changed: {visible(cause.about, 200)} {visible(cause.field, 200)}"},
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(path or _NOWHERE), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line, "startColumn": column},
        },
    }


def _location(note: Note) -> dict[str, Any]:
    path = note.path or _NOWHERE
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path), "uriBaseId": "%SRCROOT%"}}
    if note.path:
        physical["region"] = {"startLine": note.line, "startColumn": note.column}
    named = {"fullyQualifiedName": visible(note.subject, 400)}
    return {"physicalLocation": physical, "logicalLocations": [named]}


def _uri(path: str) -> str:
    """A path as a relative reference: no scheme, nothing but its own segments."""
    return quote(path[:2_000], safe="/", errors="backslashreplace").lstrip("/") or _NOWHERE
