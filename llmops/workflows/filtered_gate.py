"""`filtered-gate`: a required workflow that some changes do not start.

A workflow that a path filter leaves out never reports: the required check waits for ever, and the
usual way out is a second workflow that is always green. Let it start always; `llmops plan` finds
out that there is nothing to run. In GitLab a job that `rules: changes` leaves out is not there.
https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows import gitlab
from llmops.workflows.base import File, Info, System, found, listed, mapping

INFO = Info(
    id="filtered-gate",
    why="a change that does not start the gate is either stuck or never judged",
    fix="start it on every change: llmops plan says when there is nothing to run",
    systems=(System.WORKFLOW, System.GITLAB),
    bad="""\
on:
  pull_request:
    paths: [specs/**]
  merge_group:
permissions: {}
concurrency:
  group: llmops-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}
jobs:
  gate:
    if: always()
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
  gate:
    if: always()
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: llmops gate
""",
)
_FILTERS = ("paths", "paths-ignore")
_TYPES = ("opened", "synchronize", "reopened")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each filter on what starts a gate."""
    if any(job.is_gate for job in file.jobs):
        for event in ("pull_request", "merge_group"):
            yield from _event(file, event)
    for job in gitlab.jobs(file):
        if job.is_gate(file):
            yield from _gitlab(file, job)


def _event(file: File, event: str) -> Iterator[Diagnostic]:
    filters = file.events.get(event, {})
    for name in _FILTERS:
        if name in filters:
            span = file.span((*file.event_loc(event), name), key=True)
            message = (
                f'"{name}" keeps {event} from starting the gate: its check then waits for ever'
            )
            yield found(INFO, span, message)
    types = listed(filters.get("types"))
    lacking = [one for one in _TYPES if one not in types]
    if event == "pull_request" and types and lacking:
        span = file.span((*file.event_loc(event), "types"))
        message = f'the gate does not start when a pull request is "{lacking[0]}"'
        yield found(INFO, span, message, f"add {', '.join(lacking)}, or leave types out")


def _gitlab(file: File, job: gitlab.GitLabJob) -> Iterator[Diagnostic]:
    for i, rule in enumerate(listed(job.value.get("rules"))):
        if "changes" in mapping(rule):
            span = file.span((*job.loc, "rules", i, "changes"), key=True)
            yield found(INFO, span, f'job "{job.id}" is left out where other files change')
    for name in ("only", "except"):
        if "changes" in mapping(job.value.get(name)):
            span = file.span((*job.loc, name, "changes"), key=True)
            yield found(INFO, span, f'job "{job.id}" is left out where other files change')
