"""`self-hosted-runner`: a machine of yours that runs what a pull request brings, unasked.

Whoever opens a pull request then runs on a GPU inside your network. An environment with required
reviewers makes a person look at the exact commit first; a runner is thrown away after one job.
https://docs.github.com/en/actions/reference/security/secure-use#hardening-for-self-hosted-runners
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import File, Info, Job, found, shown

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
# Labels of machines that GitHub throws away after each job.
_HOSTED = re.compile(r"(?:ubuntu|windows|macos)-[\w.-]+", re.IGNORECASE)
_OUTSIDERS = ("pull_request", "pull_request_target", "workflow_run", "issue_comment")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each such job of a workflow that outsiders start."""
    if not set(_OUTSIDERS) & set(file.events):
        return
    for job in file.jobs:
        if "environment" in job.value or "runs-on" not in job.value:
            continue
        labels = _labels(job)
        own = [one for one in labels if not _HOSTED.fullmatch(one)]
        if own:
            unsure = all("${{" in one for one in own)
            what = "may run" if unsure else "runs"
            named = shown(", ".join(labels))
            message = f'job "{job.id}" {what} what a pull request brings on your own "{named}"'
            yield found(INFO, file.span((*job.loc, "runs-on")), message, warn=unsure)


def _labels(job: Job) -> list[str]:
    given = job.value["runs-on"]
    if isinstance(given, dict):
        group = [str(given["group"])] if "group" in given else []
        given = given.get("labels", [])
        return group + (list(map(str, given)) if isinstance(given, list) else [str(given)])
    return list(map(str, given)) if isinstance(given, list) else [str(given)]
