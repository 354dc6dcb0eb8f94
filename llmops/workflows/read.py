"""A path and bytes -> a `File`, and what is wrong with it as YAML. Dry.

The house's one strict loader reads the file, so that places are right and no alias is ever built.
What it refuses because tools disagree on it (`on`, `3.10`) means one thing to GitHub and is let be.
What hides a part of the file from a reader (anchors, tags, merge keys) is told: a check that cannot
see a value must not be taken for one that found nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.source.document import MAX_MISTAKES, Document, parse
from llmops.source.places import Places
from llmops.source.text import unreadable
from llmops.workflows.base import File, System, mapping, scalars

LONGEST = 2_000  # characters of one line: a script that people can read has none
_LET_BE = ("ambiguous-scalar",)
# The loader's findings after which the values of the file are still all there.
_SEEN_THROUGH = ("yaml-alias", "merge-key", "yaml-tag", "duplicate-key", "text-key")
_HINTS: Mapping[str, str] = {
    "yaml-alias": "write it out in each place, so that people and lint-ci see it",
    "merge-key": "write the keys out in full, so that people and lint-ci see them",
    "empty-document": "write a workflow, or remove the file",
    "too-large": "split the workflow",
    "too-deep": "check the brackets",
    "one-document": "what stands behind it is not checked: write it into a file of its own",
}
_PATHS: tuple[tuple[System, re.Pattern[str]], ...] = (
    (System.WORKFLOW, re.compile(r"\.github/workflows/[^/]+\.ya?ml")),
    (System.ACTION, re.compile(r"(?:.*/)?action\.ya?ml")),
    (System.GITLAB, re.compile(r"(?:.*[./-])?gitlab-ci\.ya?ml|\.gitlab/ci/.+\.ya?ml")),
    (System.JENKINS, re.compile(r"(?:.*/)?Jenkinsfile[^/]*|(?:.*/)?[^/]+\.jenkinsfile")),
)


@dataclass(frozen=True, slots=True)
class Read:
    """A file, or None where nothing of it can be checked, and what was said on reading it."""

    file: File | None
    diagnostics: tuple[Diagnostic, ...] = ()


def system_of(path: str) -> System | None:
    """Whose file a path is by its name, or None for one of no CI system."""
    return next((system for system, pattern in _PATHS if pattern.fullmatch(path)), None)


def read(path: str, data: bytes, required: frozenset[str] = frozenset()) -> Read:
    """The file, whosever it is by its name, or else by what is in it."""
    system = system_of(path)
    if system is System.JENKINS:
        return _script(path, data, required)
    parsed = parse(path, data)
    said = tuple(_told(one, system) for one in parsed.diagnostics if one.rule not in _LET_BE)
    whole = all(one.rule in _SEEN_THROUGH for one in said)
    if not whole or len(parsed.diagnostics) >= MAX_MISTAKES:
        return Read(None, said or (_too_many(path),))
    value = parsed.document.value if parsed.document else dict(parsed.kept)
    system = system or _by_content(value)
    places = parsed.document or Document(path, parsed.text, value)
    file = File(path, system, parsed.text, value, places, required)
    long = tuple(_too_long(file.span(loc)) for loc, text in scalars(value) if _is_long(text))
    return Read(None, (*said, *long[:1])) if long else Read(file, said)


def _script(path: str, data: bytes, required: frozenset[str]) -> Read:
    text, said = unreadable(path, data)
    if said:
        return Read(None, said)
    if _is_long(text):
        return Read(None, (_too_long(Span(path)),))
    return Read(File(path, System.JENKINS, text, {}, Places(path, text), required))


def _by_content(value: Mapping[str, object]) -> System:
    if "using" in mapping(value.get("runs")):
        return System.ACTION
    return System.WORKFLOW if "on" in value or "jobs" in value else System.GITLAB


def _told(one: Diagnostic, system: System | None) -> Diagnostic:
    """The loader's words where they are about specs, in words about workflows."""
    message = "the file must be a map of keys" if one.rule == "not-a-map" else one.message
    mild = system is System.GITLAB and one.rule in ("yaml-alias", "merge-key", "yaml-tag")
    severity = Severity.WARNING if mild else one.severity
    hint = _HINTS.get(one.rule, one.hint)
    return replace(one, message=message, hint=hint, severity=severity)


def _is_long(text: str) -> bool:
    return len(text) > LONGEST and any(len(line) > LONGEST for line in text.split("\n"))


def _too_long(span: Span) -> Diagnostic:
    message = f"a line has more than {LONGEST:,} characters, so this file was not checked"
    return Diagnostic(span, "line-too-long", message, "break it, or move it into a script")


def _too_many(path: str) -> Diagnostic:
    message = f"{MAX_MISTAKES} values mean different things to different YAML readers"
    return Diagnostic(
        Span(path), "ambiguous-scalar", message, "quote them: the rest was not checked"
    )
