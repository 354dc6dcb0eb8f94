"""`merge-group`: the gate's workflow is not started by the merge queue.

A queue merges pull requests together and waits for the required check on that exact tree. A
workflow that lacks the event never reports there: the queue stands still, until somebody takes the
rule away.
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#merge_group
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import File, Info, found

INFO = Info(
    id="merge-group",
    why="the check never reports on what a merge queue is about to land",
    fix="add the event merge_group below on",
    bad="""\
on:
  pull_request:
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


def check(file: File) -> Iterator[Diagnostic]:
    """One where a gate judges pull requests and not what the queue makes of them."""
    events = file.events
    if "pull_request" not in events or "merge_group" in events:
        return
    gate = next((job for job in file.jobs if job.is_gate), None)
    if gate is not None:
        span = file.span(file.event_loc("pull_request"), key=True)
        message = f'job "{gate.id}" judges pull requests, but not what a merge queue would land'
        yield found(INFO, span, message, warn=True)
