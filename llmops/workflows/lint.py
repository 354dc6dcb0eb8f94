"""The stage: files of CI systems -> diagnostics. Dry.

`CHECKS` is the table NAME -> check, one file for each class of mistake. A finding that somebody
answers for is silenced where it stands, with the reason: `# lint-ci: ignore[NAME] why`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.workflows import (
    concurrency,
    dangerous_triggers,
    environment_files,
    executes_change,
    filtered_gate,
    forgiven_gate,
    gate_cache,
    index_package,
    insecure_commands,
    merge_group,
    obfuscated_uses,
    outside_matrix,
    permissions,
    persisted_credentials,
    secrets_inherit,
    secrets_outside_environment,
    self_hosted_runner,
    skippable_gate,
    template_injection,
    unpinned_images,
    unpinned_uses,
    unsound_condition,
)
from llmops.workflows.base import Check, File, Info
from llmops.workflows.read import read

CHECKS: Mapping[str, Check] = {
    "concurrency": concurrency.check,
    "dangerous-triggers": dangerous_triggers.check,
    "environment-files": environment_files.check,
    "executes-change": executes_change.check,
    "filtered-gate": filtered_gate.check,
    "forgiven-gate": forgiven_gate.check,
    "gate-cache": gate_cache.check,
    "index-package": index_package.check,
    "insecure-commands": insecure_commands.check,
    "merge-group": merge_group.check,
    "obfuscated-uses": obfuscated_uses.check,
    "outside-matrix": outside_matrix.check,
    "permissions": permissions.check,
    "persisted-credentials": persisted_credentials.check,
    "secrets-inherit": secrets_inherit.check,
    "secrets-outside-environment": secrets_outside_environment.check,
    "self-hosted-runner": self_hosted_runner.check,
    "skippable-gate": skippable_gate.check,
    "template-injection": template_injection.check,
    "unpinned-images": unpinned_images.check,
    "unpinned-uses": unpinned_uses.check,
    "unsound-condition": unsound_condition.check,
}
INFOS: Mapping[str, Info] = {
    one.id: one
    for one in (
        concurrency.INFO,
        dangerous_triggers.INFO,
        environment_files.INFO,
        executes_change.INFO,
        filtered_gate.INFO,
        forgiven_gate.INFO,
        gate_cache.INFO,
        index_package.INFO,
        insecure_commands.INFO,
        merge_group.INFO,
        obfuscated_uses.INFO,
        outside_matrix.INFO,
        permissions.INFO,
        persisted_credentials.INFO,
        secrets_inherit.INFO,
        secrets_outside_environment.INFO,
        self_hosted_runner.INFO,
        skippable_gate.INFO,
        template_injection.INFO,
        unpinned_images.INFO,
        unpinned_uses.INFO,
        unsound_condition.INFO,
    )
}
MOST = 100  # findings of one class in one file
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
            told = (d for d in check(file) if name not in ignored.get(d.span.line, ()))
            some = list(islice(told, MOST + 1))
            yield from some[:MOST]
            if len(some) > MOST:
                message = f"more than {MOST} findings of this class are in this file"
                yield replace(some[MOST], message=message, hint="mend those that are listed first")
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
