"""`concurrency`: runs of one pull request that pile up, or a queue's run that is cancelled.

Each push starts the workflow again: without a group the old runs go on and cost. In a merge queue
no run may be cancelled, since a cancelled check takes the pull request out of the queue. A group
named by a branch (`github.head_ref`) is shared by forks that name theirs alike.
https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops.diagnostics import Diagnostic
from llmops.source.places import Loc
from llmops.workflows.base import File, Info, found, mapping
from llmops.workflows.expressions import expressions, named

INFO = Info(
    id="concurrency",
    why="old runs cost for nothing, or a stranger's push cancels the run of another",
    fix="group by github.ref, and cancel only what a pull_request started",
    audits=("concurrency-limits",),
    bad="""\
on:
  pull_request:
  merge_group:
permissions: {}
concurrency:
  group: llmops-${{ github.ref }}
  cancel-in-progress: true
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
_ONE_CHANGE = (
    "github.ref", "github.event.pull_request.number", "github.event.number", "github.run_id",
    "github.event.merge_group.head_ref", "github.ref_name", "github.sha",
)  # fmt: skip


def check(file: File) -> Iterator[Diagnostic]:
    """One for a workflow of pull requests without a group, and for each group that is wrong."""
    events = file.events
    if not {"pull_request", "merge_group"} & set(events):
        return
    groups: list[tuple[Loc, Any]] = [(("concurrency",), file.value.get("concurrency"))] * (
        "concurrency" in file.value
    )
    groups += [
        ((*j.loc, "concurrency"), j.value["concurrency"])
        for j in file.jobs
        if "concurrency" in j.value
    ]
    if not groups:
        span = file.span(("on",), key=True)
        message = "each push starts another run beside those of the pushes before"
        yield found(INFO, span, message, warn=True)
    for loc, given in groups:
        yield from _group(file, loc, given)
        yield from _cancels(file, loc, mapping(given).get("cancel-in-progress"))


def _group(file: File, loc: Loc, given: Any) -> Iterator[Diagnostic]:
    name = str(mapping(given).get("group", "")) if isinstance(given, dict) else str(given)
    told = {context for one in expressions(name) for context in named(one.inner)}
    here = (*loc, "group") if isinstance(given, dict) else loc
    if "github.head_ref" in told and not set(_ONE_CHANGE) & told:
        message = "the group is named by a branch, and forks can name theirs alike"
        hint = "write github.ref: it holds the number of the pull request"
        yield found(INFO, file.span(here), message, hint, warn=True)
    elif not (set(_ONE_CHANGE) | {"github.head_ref"}) & told:
        message = "one group for all changes: the run of one waits for, or cancels, that of another"
        yield found(INFO, file.span(here), message, "write github.ref into the name of the group")


def _cancels(file: File, loc: Loc, cancels: Any) -> Iterator[Diagnostic]:
    if "merge_group" not in file.events or cancels in (None, False, "false"):
        return
    told = named(str(cancels)) if isinstance(cancels, str) else frozenset()
    if not {"github.event_name", "github.event.merge_group", "github.ref"} & told:
        message = "a run of the merge queue can be cancelled, which takes the change out of it"
        hint = "write cancel-in-progress: ${{ github.event_name == 'pull_request' }}"
        yield found(INFO, file.span((*loc, "cancel-in-progress")), message, hint)
