"""`gate-cache`: the gate reads a cache that a pull request may have filled.

A cache is written by whoever runs on a branch, and read by name. What the gate installs or reads
from one is no evidence and may be somebody's code, in the job that decides and may publish.
https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows import gitlab
from llmops.workflows.base import File, Info, Job, System, found

INFO = Info(
    id="gate-cache",
    why="a cache is written by pull requests and read by name, so it can be poisoned",
    fix="install without a cache in the gate; what speeds up run is no help to judge",
    systems=(System.WORKFLOW, System.GITLAB),
    audits=("cache-poisoning",),
    bad="""\
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
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with:
          cache: pip
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
_CACHES = ("actions/cache", "actions/cache/restore", "swatinem/rust-cache")
_SWITCHES = ("cache", "enable-cache", "cache-dependency-path")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each cache that a gate reads."""
    for job in file.jobs:
        if job.is_gate:
            yield from _github(job)
    for one in gitlab.jobs(file):
        if one.is_gate(file) and one.value.get("cache"):
            span = file.span((*one.loc, "cache"), key=True)
            yield found(INFO, span, f'job "{one.id}" judges with a cache that others write')


def _github(job: Job) -> Iterator[Diagnostic]:
    for step in job.steps:
        if step.uses_action(*_CACHES):
            span = job.file.span((*step.loc, "uses"))
            yield found(INFO, span, f'job "{job.id}" judges with a cache that others write')
        for name in _SWITCHES:
            if str(step.given.get(name, "false")).lower() not in ("false", "", "none"):
                span = job.file.span((*step.loc, "with", name))
                yield found(INFO, span, f'job "{job.id}" judges with a cache that others write')
                break
