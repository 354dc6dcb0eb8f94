"""`unsound-condition`: an `if:` that does not ask what it seems to ask.

`contains('main release', github.ref_name)` looks for a part of a text, so a branch named `m` is
let in. Text around `${{ … }}` makes the whole condition a text, which is always true; so does the
line break that `if: |` leaves. `github.actor` is who pushed last, which a bot can be made to be.
https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#contains
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.source.places import Loc
from llmops.workflows.base import GITHUB, File, Info, found, shown
from llmops.workflows.expressions import expressions, is_whole

INFO = Info(
    id="unsound-condition",
    why="the condition lets through what it seems to keep out",
    fix="compare with == for each value, and write nothing around ${{ }}",
    systems=GITHUB,
    audits=("unsound-contains", "unsound-condition", "bot-conditions"),
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
      - if: contains('refs/heads/main refs/heads/release', github.ref)
        run: make release
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
      - if: github.ref == 'refs/heads/main' || github.ref == 'refs/heads/release'
        run: make release
""",
)
_PARTS = re.compile(
    r"contains\s*\(\s*'(?:[^']|'')*'\s*,\s*(?:github|inputs|env|matrix|needs|steps)\b[^)]*\)",
    re.IGNORECASE,
)
_BOT = re.compile(
    r"github\.(?:triggering_)?actor(?:_id)?\s*==\s*'[^']*\[bot\]'"
    r"|'[^']*\[bot\]'\s*==\s*github\.(?:triggering_)?actor\b",
    re.IGNORECASE,
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each condition of a job or step that is not sound."""
    for loc, condition in _conditions(file):
        span = file.span(loc)
        if next(expressions(condition), None) and not _is_one(condition):
            message = "always true, since text stands around the expression"
            hint = "write the condition without ${{ }}, on one line or behind >-"
            yield found(INFO, span, message, hint)
        if match := _PARTS.search(condition):
            yield found(
                INFO, file.within(loc, match[0]), f"looks for a part of a text: {shown(match[0])}"
            )
        if match := _BOT.search(condition):
            message = f"whoever pushed last can be made a bot: {shown(match[0])}"
            hint = "ask github.event.pull_request.user.login, who opened it"
            yield found(INFO, file.within(loc, match[0]), message, hint)


def _is_one(condition: str) -> bool:
    """Whether it is one expression, to the last character."""
    return is_whole(condition) and condition == condition.strip()


def _conditions(file: File) -> Iterator[tuple[Loc, str]]:
    for job in file.jobs:
        if isinstance(job.value.get("if"), str):
            yield (*job.loc, "if"), job.value["if"]
    for step in file.steps:
        if isinstance(step.value.get("if"), str):
            yield (*step.loc, "if"), step.value["if"]
