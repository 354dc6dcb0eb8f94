"""`environment-files`: text of others that is written where the runner reads settings.

What stands in `$GITHUB_ENV` and `$GITHUB_PATH` is set for all later steps: a line break in the text
sets another variable, such as one that makes a program load a library. In `$GITHUB_OUTPUT` it sets
another output, and a fixed mark for the end of several lines can be written by whoever knows it.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#environment-files
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import GITHUB, File, Info, Step, found, mapping, shown
from llmops.workflows.dangerous_triggers import ALWAYS, WITH_HEAD
from llmops.workflows.expressions import expressions
from llmops.workflows.trust import Trust, trust

INFO = Info(
    id="environment-files",
    why="a line break in the text sets a variable or an output of its own",
    fix="keep it in a variable of the step; hand on only ids and hashes, one line each",
    systems=GITHUB,
    audits=("github-env",),
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
      - run: echo "TITLE=$TITLE" >> "$GITHUB_ENV"
        env:
          TITLE: ${{ github.event.pull_request.title }}
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
      - run: echo "HEAD_SHA=$HEAD_SHA" >> "$GITHUB_ENV"
        env:
          HEAD_SHA: ${{ github.event.pull_request.head.sha }}
""",
)
_WRITES = re.compile(
    r"^.*(?:>>?|\btee\b).*\$\{?(?P<file>GITHUB_(?:ENV|PATH|OUTPUT|STATE))\b.*$", re.MULTILINE
)
_MADE = re.compile(r"\$\(|`|\bcat\b|<\s*\S")


def check(file: File) -> Iterator[Diagnostic]:
    """One for each line that writes text of others, and, with rights, what a program printed."""
    risky = bool({*ALWAYS, *WITH_HEAD} & set(file.events))
    for step in file.steps:
        outside = set(_outside(step))
        for match in _WRITES.finditer(step.run):
            used = [name for name in sorted(outside) if _uses(step.run, match, name)]
            span = file.within((*step.loc, "run"), match[0].strip())
            if used:
                message = f'"${used[0]}", text of others, is written into {match["file"]}'
                yield found(INFO, span, message)
            elif risky and match["file"] != "GITHUB_OUTPUT" and _MADE.search(match[0]):
                message = (
                    f"what was read or fetched is written into {match['file']}: {shown(match[0])}"
                )
                yield found(INFO, span, message)


def _uses(script: str, match: re.Match[str], name: str) -> bool:
    """Whether the line uses a variable; or any line does, where a group or a heredoc is written."""
    line = match[0].strip()
    many = line.startswith("}") or "<<" in line
    return re.search(rf"\$\{{?{re.escape(name)}\b", script if many else line) is not None


def _outside(step: Step) -> Iterator[str]:
    """Variables of a step that hold text of others."""
    holders = [step.file.value, step.job.value if step.job else {}, step.value]
    for holder in holders:
        for name, value in mapping(holder.get("env")).items():
            for one in expressions(str(value)):
                if {Trust.OUTSIDE, Trust.GIVEN} & set(map(trust, one.reaches)):
                    yield str(name)
