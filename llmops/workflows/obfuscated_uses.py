"""`obfuscated-uses`: an action that is named so that nobody sees which it is.

`actions/checkout/../evil`, a doubled or trailing slash, letters that look like others: GitHub takes
the path to pieces, a reviewer and a list of allowed actions do not. An expression cannot name one.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsuses
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import GITHUB, File, Info, found, shown
from llmops.workflows.unpinned_uses import uses

INFO = Info(
    id="obfuscated-uses",
    why="a reviewer, and a list of allowed actions, take it for another one",
    fix="write owner/name/folder@commit, with nothing between that is left out",
    systems=GITHUB,
    audits=("obfuscation",),
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
      - uses: actions/setup-python/./@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
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
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
""",
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each `uses` that is not written plainly."""
    for loc, used in uses(file):
        if why := _hides(used):
            yield found(INFO, file.span(loc), f'"{shown(used)}" {why}')


def _hides(used: str) -> str:
    if "${{" in used:
        return "is chosen by an expression"
    if used.startswith("docker://"):
        return ""
    name = used.partition("@")[0]
    parts = name.removeprefix("./").removeprefix("$/").split("/")
    if not used.isascii():
        return "has letters that look like others"
    if name != name.strip() or "" in parts or "." in parts:
        return "has parts that mean nothing"
    return "goes up and down again" if ".." in parts else ""
