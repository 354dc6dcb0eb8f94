"""`secrets-outside-environment`: a secret that any branch of the repository can read.

A secret of the repository is given to every job that names it, on every branch: whoever may push
can print it. A secret of an environment is given only to jobs of that environment, after its
reviewers and for its branches. The plan needs none.
https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import File, Info, Job, found, scalars
from llmops.workflows.expressions import expressions, named

INFO = Info(
    id="secrets-outside-environment",
    why="whoever may push a branch can print it",
    fix="keep it in an environment with reviewers, and write environment: on the job",
    audits=("secrets-outside-env",),
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
      - run: make test
        env:
          JUDGE_KEY: ${{ secrets.JUDGE_KEY }}
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
    environment: judge
    permissions:
      contents: read
    steps:
      - run: make test
        env:
          JUDGE_KEY: ${{ secrets.JUDGE_KEY }}
""",
)
_OWN = ("secrets.github_token",)
_CHANGES = (
    "pull_request", "merge_group", "pull_request_target", "workflow_run", "issue_comment",
    "workflow_call",
)  # fmt: skip


def check(file: File) -> Iterator[Diagnostic]:
    """One for each secret: an error where a change starts the workflow, or where it plans."""
    for loc, name, one in _secrets(file.value.get("env"), ("env",)):
        message = f'every job of this workflow has the secret "{name}"'
        yield found(INFO, file.within(loc, one), message, warn=not _by_changes(file))
    for job in file.jobs:
        held = "environment" in job.value
        if job.calls or (held and not job.runs("plan")):
            continue
        for loc, name, one in _secrets(job.value, job.loc):
            yield found(
                INFO, file.within(loc, one), _message(job, name), warn=not _by_changes(file)
            )


def _message(job: Job, name: str) -> str:
    if job.runs("plan"):
        return f'job "{job.id}" reads what a stranger wrote, and has the secret "{name}"'
    return f'job "{job.id}" has the secret "{name}" without an environment that guards it'


def _by_changes(file: File) -> bool:
    return bool(set(_CHANGES) & set(file.events))


def _secrets(
    value: object, loc: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Place, name and text of each secret below a value."""
    for here, written in scalars(value, loc):
        for one in expressions(written):
            for context in sorted(named(one.inner)):
                if context.startswith("secrets.") and context not in _OWN:
                    match = re.search(re.escape(context), one.inner, re.IGNORECASE)
                    name = (match[0] if match else context).partition(".")[2]
                    yield here, name, one.written
