"""`skippable-gate`: a required job that can end green, or not at all, without having judged.

GitHub counts a job that was skipped as a success: by its own `if:`, or because a job that it
needs failed, was cancelled or was skipped. So the gate runs always, and itself looks at what became
of the jobs before it.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idif
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows import gitlab
from llmops.workflows.base import (
    File,
    Info,
    Job,
    System,
    found,
    listed,
    mapping,
    runs_llmops,
    shown,
)

INFO = Info(
    id="skippable-gate",
    why="a skipped job counts as a success, so failing jobs before it would let a change in",
    fix="write if: always() on the gate, and let llmops gate look at the evidence",
    systems=(System.WORKFLOW, System.GITLAB),
    bad="""\
on:
  pull_request:
  merge_group:
permissions: {}
concurrency:
  group: llmops-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}
jobs:
  run:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: llmops run
  gate:
    needs: run
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: llmops gate
""",
    good="""\
on:
  pull_request:
  merge_group:
permissions: {}
concurrency:
  group: llmops-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}
jobs:
  run:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: llmops run
  gate:
    needs: run
    if: always()
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: llmops gate
""",
)
_ALWAYS = re.compile(r"(?:\$\{\{)?\s*(?:always\s*\(\s*\)|!\s*cancelled\s*\(\s*\)|true)\s*(?:\}\})?")
_STARTS = ("pull_request", "merge_group", "workflow_call")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each gate that can be skipped, or that judges only sometimes."""
    for one in gitlab.jobs(file):
        if one.is_gate(file):
            yield from _manual(file, one)
    if not set(_STARTS) & set(file.events):
        return
    for job in file.jobs:
        if job.is_gate:
            yield from _condition(job)
            yield from _steps(job)


def _condition(job: Job) -> Iterator[Diagnostic]:
    condition = str(job.value.get("if", ""))
    if "if" not in job.value:
        if job.needs:
            message = (
                f'job "{job.id}" is skipped, which counts as success, where {job.needs[0]} fails'
            )
            yield found(INFO, job.file.span((*job.loc, "needs"), key=True), message)
    elif _cancelled(condition):
        message = f'job "{job.id}" is skipped, which counts as success, when the run is cancelled'
        yield found(INFO, job.file.span((*job.loc, "if")), message)
    elif not _ALWAYS.fullmatch(condition.strip()):
        message = f'job "{job.id}" is skipped, which counts as success, unless {shown(condition)}'
        yield found(INFO, job.file.span((*job.loc, "if")), message)


def _cancelled(condition: str) -> bool:
    return (
        re.fullmatch(r"(?:\$\{\{)?\s*!\s*cancelled\s*\(\s*\)\s*(?:\}\})?", condition.strip())
        is not None
    )


def _steps(job: Job) -> Iterator[Diagnostic]:
    for step in job.steps:
        condition = str(step.value.get("if", ""))
        if condition and runs_llmops(step.run, "gate") and not _ALWAYS.fullmatch(condition.strip()):
            message = f'job "{job.id}" ends green without having judged, unless {shown(condition)}'
            yield found(INFO, job.file.span((*step.loc, "if")), message)


def _manual(file: File, job: gitlab.GitLabJob) -> Iterator[Diagnostic]:
    """GitLab lets a pipeline pass while a job waits for somebody to start it."""
    holders = [(job.loc, job.value)]
    holders += [
        ((*job.loc, "rules", i), mapping(rule))
        for i, rule in enumerate(listed(job.value.get("rules")))
    ]
    for loc, holder in holders:
        if holder.get("when") in ("manual", "never", "delayed"):
            message = f'job "{job.id}" is not run where when is "{holder["when"]}"'
            hint = "run it always: write no when, and let llmops gate look at the evidence"
            yield found(INFO, file.span((*loc, "when")), message, hint)
