"""The stage: files of CI systems -> diagnostics. Dry.

`CHECKS` is the table NAME -> check, one file for each class of mistake. A finding that somebody
answers for is silenced where it stands, with the reason: `# lint-ci: ignore[NAME] why`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.workflows import (
    dangerous_triggers,
    permissions,
    skippable_gate,
    template_injection,
    unpinned_uses,
)
from llmops.workflows.base import Check, File, Info
from llmops.workflows.read import read

CHECKS: Mapping[str, Check] = {
    "dangerous-triggers": dangerous_triggers.check,
    "permissions": permissions.check,
    "skippable-gate": skippable_gate.check,
    "template-injection": template_injection.check,
    "unpinned-uses": unpinned_uses.check,
}
INFOS: Mapping[str, Info] = {
    one.id: one
    for one in (
        dangerous_triggers.INFO,
        permissions.INFO,
        skippable_gate.INFO,
        template_injection.INFO,
        unpinned_uses.INFO,
    )
}
_IGNORED = re.compile(r"(?:#|//)\s*lint-ci:\s*ignore\[(?P<rules>[\w, -]*)\](?P<why>[^\n]*)")


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found, and the texts that it was found in."""

    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, str]


def lint(sources: Mapping[str, bytes], *, required: frozenset[str] = frozenset()) -> Linted:
    """Everything that is wrong with these files, by place.

    `required`: ids or names of jobs, beside the gate's own, that a merge waits for.
    """
    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    for path, data in sources.items():
        got = read(path, data, required)
        texts[path] = data.decode("utf-8", "replace")
        found += got.diagnostics
        if got.file is not None:
            found += _kept(got.file)
    return Linted(tuple(sorted(set(found), key=lambda one: one.sort_key)), texts)


def _kept(file: File) -> Iterator[Diagnostic]:
    """What the checks found, but for what somebody answers for."""
    ignored = dict(_ignored(file))
    for name, check in CHECKS.items():
        if file.system in INFOS[name].systems:
            for one in check(file):
                if one.rule not in ignored.get(one.span.line, ()):
                    yield one
    yield from _silenced_badly(file)


def _ignored(file: File) -> Iterator[tuple[int, frozenset[str]]]:
    """Line -> names that are silenced there: on the line itself, or alone on the line above."""
    for number, line in enumerate(file.text.split("\n"), 1):
        match = _IGNORED.search(line)
        if match and match["why"].strip():
            alone = not line[: match.start()].strip()
            yield number + alone, frozenset(_words(match["rules"]))


def _silenced_badly(file: File) -> Iterator[Diagnostic]:
    """A comment that silences without a reason, or something that is no rule."""
    for number, line in enumerate(file.text.split("\n"), 1):
        match = _IGNORED.search(line)
        if match is None:
            continue
        span = Span(file.path, number, match.start() + 1, len(match[0].rstrip()))
        hint = "write it as # lint-ci: ignore[NAME] why it is right here"
        if not match["why"].strip():
            message = "a finding is silenced without a reason, so it is not"
            yield Diagnostic(span, "ignored", message, hint, Severity.WARNING)
        for word in _words(match["rules"]):
            if word not in INFOS:
                message = f'"{word}" is silenced, but there is no such check'
                yield Diagnostic(span, "ignored", message, hint, Severity.WARNING)


def _words(rules: str) -> list[str]:
    return [word.strip() for word in rules.split(",") if word.strip()]
