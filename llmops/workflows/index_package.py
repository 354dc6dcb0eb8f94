"""`index-package`: the tool is installed by its name from a public index.

The package that the public index has under this name is somebody else's. What judges a change is
installed from where you know it is from: a git address with a full commit, a wheel that you built,
or a lock file with hashes.
https://pip.pypa.io/en/stable/topics/secure-installs/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows.base import GITHUB, File, Info, System, found, shown
from llmops.workflows.scripts import scripts

INFO = Info(
    id="index-package",
    why="the package of this name on the public index is somebody else's",
    fix="install a git address with a full commit, or a wheel that you built",
    systems=(*GITHUB, System.GITLAB, System.JENKINS),
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
      - run: pip install llmops==0.3.0
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
      - run: pip install "$LLMOPS_PACKAGE"
        env:
          LLMOPS_PACKAGE: ${{ vars.LLMOPS_PACKAGE }}
""",
)
_INSTALLS = re.compile(
    r"\b(?:pip3?(?:\.\d+)?\s+install|uv\s+(?:pip\s+install|add|tool\s+(?:install|run))|uvx|pipx\s+(?:install|run))"
    r"\b[^\n;&|]*?(?<![\w./:@=-])(?P<package>['\"]?llmops(?:\[[\w,-]*\])?(?:\s*[=~<>!]=?=?[^\s;&|]*)?['\"]?)"
    r"(?=\s|$|;|&|\|)(?!\s*@\s)",
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each script that installs it by its name."""
    for script in scripts(file):
        for match in _INSTALLS.finditer(script.text):
            message = f'"{shown(match["package"])}" is taken from an index'
            yield found(INFO, script.where(match[0].split("\n")[0]), message)
