"""`persisted-credentials`: a checkout that leaves the job's token in the work tree.

`actions/checkout` writes the token into `.git/config`, where every later step, every program that
the change brings and every artifact of the folder can read it.
https://github.com/actions/checkout#usage
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import GITHUB, File, Info, System, found

INFO = Info(
    id="persisted-credentials",
    why="every later step, and whatever a change runs, can read the token from .git/config",
    fix="write persist-credentials: false below with",
    systems=GITHUB,
    audits=("artipacked",),
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
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
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
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
""",
)
_CHANGES = (
    "pull_request", "merge_group", "pull_request_target", "workflow_run", "issue_comment",
    "workflow_call",
)  # fmt: skip


def check(file: File) -> Iterator[Diagnostic]:
    """One for each checkout: an error where a change starts the workflow."""
    changes = file.system is System.ACTION or bool(set(_CHANGES) & set(file.events))
    for step in file.steps:
        if not step.uses_action("actions/checkout"):
            continue
        if str(step.given.get("persist-credentials", "")).lower() != "false":
            span = file.span((*step.loc, "uses"))
            message = "the job's token stays in .git/config after this checkout"
            yield found(INFO, span, message, warn=not changes)
