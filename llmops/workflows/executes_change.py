"""`executes-change`: a job that plans or judges also runs what the change brings.

Plan and gate read a change as data. `make`, `npm ci`, `pip install .` or a script of the work tree
run what its author wrote, with the job's token; so does `python -m pip`, which takes a folder `pip`
of the work tree before the real one, unless it is `python -I -m pip`. Work of the change belongs
into the jobs that run it, and its verdict into another.
https://docs.python.org/3/using/cmdline.html#cmdoption-I
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows import gitlab
from llmops.workflows.base import File, Info, System, found, runs_llmops, shown
from llmops.workflows.scripts import Script, scripts

INFO = Info(
    id="executes-change",
    why="who wrote the change decides what the job plans, or what it publishes",
    fix="plan and judge in jobs of their own, and start modules as python -I -m",
    systems=(System.WORKFLOW, System.GITLAB, System.JENKINS),
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
      - run: python -m pip install "llmops @ $LLMOPS_PACKAGE"
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
      - run: python -I -m pip install "llmops @ $LLMOPS_PACKAGE"
      - run: llmops gate
""",
)
_READS = ("plan", "gate")
_START = r"(?:^|[;&|(]|\bthen\b|\bdo\b)[^\S\n]*(?:\w+=\S*[^\S\n]+)*"
_MODULE = re.compile(
    rf"{_START}(?P<what>python[\d.]*[^\S\n]+(?:-(?![IPm])\w+[^\S\n]+)*-m[^\S\n]+[\w.]+)",
    re.MULTILINE,
)
_PROGRAM = re.compile(
    rf"{_START}(?P<what>(?:make|tox|nox|pytest|npx|uv[^\S\n]+(?:sync|run)|poetry[^\S\n]+\w+|yarn|pnpm"
    r"|npm[^\S\n]+(?:ci|i|install|run|test)|(?:(?:ba|z)?sh|source|\.|python[\d.]*)[^\S\n]+[\w./-]+\.(?:sh|py)"
    r"|\./[\w./-]+)\b)",
    re.MULTILINE,
)
_OWN_PACKAGE = re.compile(
    r"(?P<what>\bpip[\d.]*\s+install\b[^\n;&|]*?\s(?:-e|--editable|-r|--requirement|\.(?=\s|$|/|\[)))"
)
_WAYS = (_MODULE, _PROGRAM, _OWN_PACKAGE)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each line of a job that plans or judges and runs what stands in the work tree."""
    for job in file.jobs:
        if any(job.runs(one) for one in _READS):
            yield from _lines(one for one in scripts(file) if one.job == job)
            if job.runs("run"):
                span = file.span(job.loc, key=True)
                message = f'job "{job.id}" judges where the change was run'
                yield found(INFO, span, message, warn=True)
    for one in gitlab.jobs(file):
        if any(runs_llmops(line, word) for line in gitlab.lines(one) for word in _READS):
            within = (s for s in scripts(file) if s.text in gitlab.lines(one))
            yield from _lines(within)
    steps = [one for one in scripts(file) if file.system is System.JENKINS]
    for step in steps:
        if any(runs_llmops(step.text, word) for word in _READS):
            yield from _lines((step,))


def _lines(found_in: Iterable[Script]) -> Iterator[Diagnostic]:
    for script in found_in:
        for way in _WAYS:
            for match in way.finditer(script.text):
                what = match["what"]
                message = f'what the change brings is run here: "{shown(what)}"'
                yield found(INFO, script.where(what), message)
