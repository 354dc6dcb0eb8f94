"""`self-hosted-runner`: a machine of yours that runs what a pull request brings, unasked.

Whoever opens a pull request then runs on a GPU inside your network. An environment with required
reviewers makes a person look at the exact commit first; a runner is thrown away after one job.
https://docs.github.com/en/actions/reference/security/secure-use#hardening-for-self-hosted-runners
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import File, Info, found, shown
from llmops.workflows.machines import labels, own

INFO = Info(
    id="self-hosted-runner",
    why="a stranger's pull request runs inside your network, and may leave something behind",
    fix="write environment: on the job, one with required reviewers",
    audits=("self-hosted-runner",),
    bad="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: [self-hosted, gpu]
    permissions:
      contents: read
    steps:
      - run: llmops run
""",
    good="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: [self-hosted, gpu]
    environment: llmops-gpu
    permissions:
      contents: read
    steps:
      - run: llmops run
""",
)
_OUTSIDERS = (
    "pull_request", "pull_request_target", "workflow_run", "issue_comment", "workflow_call",
)  # fmt: skip


def check(file: File) -> Iterator[Diagnostic]:
    """One for each such job of a workflow that outsiders start."""
    if not set(_OUTSIDERS) & set(file.events):
        return
    for job in file.jobs:
        if "environment" in job.value or "runs-on" not in job.value:
            continue
        asked = own(job)
        if asked:
            unsure = all("${{" in one for one in asked)
            what = "may run" if unsure else "runs"
            named = shown(", ".join(labels(job)))
            message = f'job "{job.id}" {what} what a pull request brings on your own "{named}"'
            yield found(INFO, file.span((*job.loc, "runs-on")), message, warn=unsure)
