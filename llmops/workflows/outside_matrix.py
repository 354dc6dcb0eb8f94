"""`outside-matrix`: what jobs there are is decided by text from outside.

Whoever writes the text decides how many jobs start, on which runners and with which values. Only
the plan's own list of shards, made by another job and of a known form, may fill a matrix.
https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import File, Info, found, mapping, scalars, shown
from llmops.workflows.expressions import expressions
from llmops.workflows.trust import Trust, trust

INFO = Info(
    id="outside-matrix",
    why="whoever writes the text decides how many jobs run, where, and with what",
    fix="let a job make the list, as in fromJSON(needs.plan.outputs.jobs)",
    bad="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    strategy:
      matrix:
        case: ${{ fromJSON(github.event.pull_request.body) }}
    runs-on: ubuntu-24.04
    permissions:
      contents: read
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
  plan:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    outputs:
      jobs: ${{ steps.plan.outputs.jobs }}
    steps:
      - id: plan
        run: llmops plan --outputs "$GITHUB_OUTPUT"
  test:
    needs: plan
    strategy:
      matrix:
        shard: ${{ fromJSON(needs.plan.outputs.jobs) }}
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: make test
""",
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each value of a matrix that an outsider or a caller writes."""
    for job in file.jobs:
        loc = (*job.loc, "strategy", "matrix")
        for here, written in scalars(mapping(job.value.get("strategy")).get("matrix"), loc):
            for one in expressions(written):
                if {Trust.OUTSIDE, Trust.GIVEN} & set(map(trust, one.reaches)):
                    message = (
                        f'text from outside makes the jobs of "{job.id}": {shown(one.written)}'
                    )
                    yield found(INFO, file.within(here, one.written), message)
