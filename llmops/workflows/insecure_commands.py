"""`insecure-commands`: a switch that lets a program's output set variables and the path.

`ACTIONS_ALLOW_UNSECURE_COMMANDS` brings back commands that the runner obeyed wherever a line of a
log began so, and that were taken out for that reason.
https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import GITHUB, File, Info, found, mapping

INFO = Info(
    id="insecure-commands",
    why="any line that a program prints may then set variables of the job",
    fix="take the variable out, and write into $GITHUB_ENV what a step must hand on",
    systems=GITHUB,
    audits=("insecure-commands",),
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
    env:
      ACTIONS_ALLOW_UNSECURE_COMMANDS: "true"
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
_NAME = "ACTIONS_ALLOW_UNSECURE_COMMANDS"


def check(file: File) -> Iterator[Diagnostic]:
    """One for each place that sets it."""
    holders = [((), file.value), *((job.loc, job.value) for job in file.jobs)]
    holders += [(step.loc, step.value) for step in file.steps]
    for loc, holder in holders:
        if str(mapping(holder.get("env")).get(_NAME, "false")).lower() not in ("false", "0", ""):
            span = file.span((*loc, "env", _NAME), key=True)
            yield found(INFO, span, f"{_NAME} lets a log set variables")
