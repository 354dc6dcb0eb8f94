"""`permissions`: a token that may do more than the job needs.

Without `permissions` a job has what the repository's settings give, which is often all. So a
workflow grants nothing at the top (`permissions: {}`) and each job names what it needs. A job that
executes what a pull request brings (`llmops run`) may read, and change nothing.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops.diagnostics import Diagnostic
from llmops.source.places import Loc
from llmops.workflows.base import File, Info, Job, found, mapping

INFO = Info(
    id="permissions",
    why="whatever runs in the job can use its token for everything that the token may do",
    fix="write permissions: {} at the top, and in each job only what it needs",
    audits=("excessive-permissions",),
    bad="""\
on: pull_request
permissions: write-all
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: make test
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
      - run: make test
""",
)
_HARMLESS_IN_RUN = ("id-token",)  # exchanged for a short-lived token of a judge


def check(file: File) -> Iterator[Diagnostic]:
    """One for the top of the workflow, one for each job that has too much."""
    top = file.value.get("permissions")
    if "permissions" in file.value:
        yield from _granted(file, top, ("permissions",))
    for job in file.jobs:
        if "permissions" in job.value:
            yield from _of_job(job)
        elif "permissions" not in file.value:
            message = f'job "{job.id}" has whatever the repository\'s settings give its token'
            yield found(INFO, file.span(job.loc, key=True), message)


def _granted(file: File, given: Any, loc: Loc) -> Iterator[Diagnostic]:
    """What is granted to every job at once."""
    if isinstance(given, str):
        yield from _wholesale(file, given, loc)
    for scope, level in mapping(given).items():
        if level == "write":
            message = f"every job of this workflow may write {scope}"
            hint = f"move {scope}: write into the job that needs it"
            yield found(INFO, file.span((*loc, scope), key=True), message, hint)


def _of_job(job: Job) -> Iterator[Diagnostic]:
    given, loc = job.value["permissions"], (*job.loc, "permissions")
    if isinstance(given, str):
        yield from _wholesale(job.file, given, loc)
    if not job.runs("run"):
        return
    for scope, level in mapping(given).items():
        if level == "write" and scope not in _HARMLESS_IN_RUN:
            message = f'job "{job.id}" executes what a pull request brings, and may write {scope}'
            hint = f"let the gate do what needs {scope}: write; here contents: read is enough"
            yield found(INFO, job.file.span((*loc, scope), key=True), message, hint)


def _wholesale(file: File, given: str, loc: Loc) -> Iterator[Diagnostic]:
    if given in ("write-all", "read-all"):
        word = "write" if given == "write-all" else "read"
        yield found(INFO, file.span(loc), f"the token may {word} everything")
