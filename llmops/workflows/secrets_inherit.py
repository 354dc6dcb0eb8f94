"""`secrets-inherit`: every secret at once, instead of those that are needed.

`secrets: inherit` hands all secrets of the repository to another workflow, `toJSON(secrets)` writes
them all into one value that no log hides, and `secrets[...]` lets a text choose.
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows#passing-inputs-and-secrets-to-a-reusable-workflow
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import GITHUB, File, Info, found, scalars, shown
from llmops.workflows.expressions import expressions, flows

INFO = Info(
    id="secrets-inherit",
    why="what gets one secret gets all of them, and those that come later",
    fix="name each secret that is needed",
    systems=GITHUB,
    audits=("secrets-inherit", "overprovisioned-secrets"),
    bad="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  judge:
    uses: $/.github/workflows/judge.yml
    permissions:
      contents: read
    secrets: inherit
""",
    good="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  judge:
    uses: $/.github/workflows/judge.yml
    permissions:
      contents: read
    secrets:
      JUDGE_KEY: ${{ secrets.JUDGE_KEY }}
""",
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each place that hands out all."""
    for job in file.jobs:
        if job.value.get("secrets") == "inherit":
            span = file.span((*job.loc, "secrets"))
            yield found(INFO, span, f'job "{job.id}" hands every secret to "{shown(job.calls)}"')
    for loc, written in scalars(dict(file.value)):
        for one in expressions(written):
            if {"secrets", "secrets.*"} & flows(one.inner):
                message = f"every secret can be in this value: {shown(one.written)}"
                yield found(INFO, file.within(loc, one.written), message)
