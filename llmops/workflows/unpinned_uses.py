"""`unpinned-uses`: an action, or a workflow of another repository, that somebody can change later.

A tag or a branch moves: whoever takes over the action's repository runs in your job. A commit's
full hash cannot move. The version goes into a comment behind it, where update bots find it.
https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.source.places import Loc
from llmops.workflows import gitlab, jenkins
from llmops.workflows.base import GITHUB, File, Info, System, found, shown, text

INFO = Info(
    id="unpinned-uses",
    why="a tag or a branch can be moved to other code at any time",
    fix="write the full 40-hex commit behind the @, and the version as a comment",
    systems=(*GITHUB, System.GITLAB, System.JENKINS),
    audits=("unpinned-uses",),
    bad="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/setup-python@v7
""",
    good="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
""",
)
_LIBRARY = re.compile(
    r"(?:@Library\s*\(\s*\[?|\blibrary\b[\s(]*(?:identifier:\s*)?)['\"](?P<name>[^'\"\n]+)['\"]"
)
_PINNED = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each `uses` that is neither in this repository nor named by a commit."""
    yield from _gitlab(file)
    yield from _jenkins(file)
    for loc, used in uses(file):
        if used.startswith(("./", "$/", "docker://")):
            continue
        name, at, revision = used.partition("@")
        if not at:
            yield found(INFO, file.span(loc), f'"{shown(name)}" is used at no revision')
        elif not _PINNED.fullmatch(revision):
            message = f'"{shown(name)}" is used at "{shown(revision, 40)}", which can be moved'
            yield found(INFO, file.span(loc), message)


def uses(file: File) -> Iterator[tuple[Loc, str]]:
    """Everything of another that is used: by steps, and by jobs that are reusable workflows."""
    for job in file.jobs:
        if job.calls:
            yield (*job.loc, "uses"), job.calls
    for step in file.steps:
        if step.uses:
            yield (*step.loc, "uses"), step.uses


def _gitlab(file: File) -> Iterator[Diagnostic]:
    for loc, one in gitlab.includes(file):
        if "remote" in one and not text(one.get("integrity")):
            message = f'"{shown(text(one["remote"]))}" is included as it is at any time'
            yield found(INFO, file.span(loc), message, "write integrity: with its sha256")
        for name, revision in (("project", text(one.get("ref"))), ("component", "")):
            used, _, at = text(one.get(name)).partition("@")
            if used and not _PINNED.fullmatch(revision or at):
                message = f'"{shown(used)}" is included at "{shown(revision or at or "HEAD", 40)}"'
                hint = "write the full commit as ref:, or behind the @ of a component"
                yield found(INFO, file.span(loc), message, hint)


def _jenkins(file: File) -> Iterator[Diagnostic]:
    for match in _LIBRARY.finditer(jenkins.code(file)):
        name, _, revision = match["name"].partition("@")
        if not _PINNED.fullmatch(revision):
            span = jenkins.at(file, match.start("name"), len(match["name"]))
            message = f'library "{shown(name)}" is used at "{shown(revision or "its default", 40)}"'
            yield found(INFO, span, message)
