"""`dangerous-triggers`: an outsider's event that runs with the repository's own rights.

`pull_request_target`, `workflow_run`, `issue_comment` and the like are started by anybody and run
with secrets and a token that may write. A workflow that then checks out, downloads or runs what the
outsider brought gives the repository away (a "pwn request"). What llmops needs of such events its
App does, which never checks anything out.
https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import File, Info, Step, found, scalars, shown
from llmops.workflows.expressions import named

INFO = Info(
    id="dangerous-triggers",
    why="anybody can start it, and it runs with secrets and a token that may write",
    fix="use pull_request and merge_group; what needs rights of its own belongs into the gate",
    audits=("dangerous-triggers",),
    bad="""\
on: pull_request_target
permissions: {}
jobs:
  train:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          ref: ${{ github.event.pull_request.head.sha }}
          persist-credentials: false
      - run: make train
""",
    good="""\
on: pull_request
permissions: {}
concurrency:
  group: train-${{ github.ref }}
  cancel-in-progress: true
jobs:
  train:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: make train
""",
)
ALWAYS = ("pull_request_target", "workflow_run")
# Harmless as long as nothing of a pull request is fetched.
WITH_HEAD = (
    "issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch", "gollum",
)  # fmt: skip
_HEAD = re.compile(
    r"github\.head_ref|github\.event\.(?:pull_request\.(?:head\.(?:ref|sha|label|repo\..*)"
    r"|merge_commit_sha|number)|workflow_run\.head_(?:sha|branch|repository\..*)|issue\.number"
    r"|number|check_suite\..*|check_run\..*)"
)
_PULLS_HEAD = re.compile(
    r"\bgh\s+pr\s+(?:checkout|diff)\b|\bgit\s+(?:fetch|pull|checkout|switch|worktree|clone)\b[^\n]*"
    r"(?:\bpull/|refs/pull|head|\$\{?(?:PR|NUMBER|SHA|REF|BRANCH)|\$\{\{)",
    re.IGNORECASE,
)
_DOWNLOADS = re.compile(r"\bgh\s+run\s+download\b")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each such event, and one for each step that fetches what the outsider brought."""
    events = [e for e in file.events if e in (*ALWAYS, *WITH_HEAD)]
    for event in events:
        if event in ALWAYS:
            span = file.span(file.event_loc(event), key=True)
            message = f'"{event}" starts this workflow with the rights of the repository'
            yield found(INFO, span, message)
    if not events:
        return
    for step in file.steps:
        yield from _fetches(file, step, events)


def _fetches(file: File, step: Step, events: list[str]) -> Iterator[Diagnostic]:
    what = f'of a stranger is fetched in a workflow that "{events[0]}" starts with rights'
    if step.uses_action("actions/checkout"):
        for key in ("ref", "repository"):
            given = str(step.given.get(key, ""))
            if any(map(_HEAD.fullmatch, _contexts(given))) or "refs/pull" in given:
                span = file.span((*step.loc, "with", key))
                yield found(INFO, span, f'code ("{shown(given)}") {what}')
    elif match := _PULLS_HEAD.search(step.run):
        span = file.within((*step.loc, "run"), match[0])
        yield found(INFO, span, f'code ("{shown(match[0])}") {what}')
    elif "workflow_run" in events and (
        step.uses_action("actions/download-artifact") or _DOWNLOADS.search(step.run)
    ):
        key = "uses" if step.uses else "run"
        yield found(INFO, file.span((*step.loc, key)), f"an artifact {what}")


def _contexts(given: str) -> Iterator[str]:
    for _, written in scalars(given):
        yield from named(written.replace("${{", " ").replace("}}", " "))
