"""`forgiven-gate`: a gate that failed and is green all the same.

`continue-on-error`, `|| true`, a pipe whose last command succeeds, GitLab's `allow_failure`,
Jenkins' `catchError`: each makes a failed verdict look like a passed one.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idcontinue-on-error
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.workflows import gitlab, jenkins
from llmops.workflows.base import File, Info, Job, Step, System, found, mapping, runs_llmops, shown
from llmops.workflows.scripts import scripts

INFO = Info(
    id="forgiven-gate",
    why="a failed verdict looks like a passed one",
    fix="let the step end as llmops gate ends",
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
      - run: llmops gate || true
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
_FORGIVEN = re.compile(
    r"(?:llmops|python3?\s+-m\s+llmops)\s+(?:-\S+\s+)*gate\b[^\n|;&]*?"
    r"(?P<how>\|\|[^\n]*|;\s*(?:true|exit 0|:)[^\n]*)"
)
_PIPED = re.compile(r"(?:llmops|python3?\s+-m\s+llmops)\s+(?:-\S+\s+)*gate\b[^\n|]*\|(?!\|)[^\n]*")
_LOOSE = re.compile(r"^\s*set\s+\+\w*e", re.MULTILINE)
_CATCHES = re.compile(
    r"\bcatchError\b|\bunstable\s*\(|\bcurrentBuild\.result\s*=\s*['\"]SUCCESS['\"]"
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each way in which a gate is forgiven."""
    for job in file.jobs:
        if job.is_gate:
            yield from _continues(job)
            yield from _piped(job)
    for script in scripts(file):
        if runs_llmops(script.text, "gate"):
            for match in _FORGIVEN.finditer(script.text):
                message = f'the verdict is thrown away: "{shown(match["how"].strip())}"'
                yield found(INFO, script.where(match["how"]), message)
            if loose := _LOOSE.search(script.text):
                span = script.where(loose[0].strip())
                yield found(INFO, span, "the script goes on where llmops gate fails")
    for one in gitlab.jobs(file):
        if one.is_gate(file) and one.value.get("allow_failure") not in (None, False):
            span = file.span((*one.loc, "allow_failure"))
            yield found(INFO, span, f'job "{one.id}" may fail and the pipeline passes')
    yield from _jenkins(file)


def _continues(job: Job) -> Iterator[Diagnostic]:
    if job.value.get("continue-on-error") not in (None, False):
        span = job.file.span((*job.loc, "continue-on-error"))
        yield found(INFO, span, f'job "{job.id}" may fail and counts as success')
    for step in job.steps:
        judges = runs_llmops(step.run, "gate") or "llmops" in step.uses
        if judges and step.value.get("continue-on-error") not in (None, False):
            span = job.file.span((*step.loc, "continue-on-error"))
            yield found(INFO, span, f'job "{job.id}" goes on where the gate fails')


def _piped(job: Job) -> Iterator[Diagnostic]:
    """GitHub's default shell is `bash -e`, in which a pipe ends as its last command does."""
    for step in job.steps:
        match = _PIPED.search(step.run)
        if match and "pipefail" not in step.run and _shell(step) != "bash":
            span = job.file.within((*step.loc, "run"), match[0])
            hint = "write shell: bash on the step: it sets pipefail"
            yield found(INFO, span, "a pipe ends as its last command does, not as the gate", hint)


def _shell(step: Step) -> str:
    holders = [step.value]
    for holder in (step.job.value if step.job else {}, step.file.value):
        holders.append(mapping(mapping(holder.get("defaults")).get("run")))
    return next((str(one["shell"]) for one in holders if "shell" in one), "")


def _jenkins(file: File) -> Iterator[Diagnostic]:
    if not runs_llmops(jenkins.code(file).replace("'", " ").replace('"', " "), "gate"):
        return
    for match in _CATCHES.finditer(jenkins.code(file)):
        span = jenkins.at(file, match.start(), len(match[0]))
        yield found(INFO, span, f'a failed gate is forgiven by "{shown(match[0])}"')
    for shell in jenkins.shells(file):
        if runs_llmops(shell.body, "gate") and "returnStatus: true" in shell.around:
            span = jenkins.at(file, shell.start, len(shell.body.split("\n")[0]))
            yield found(INFO, span, "the exit code of llmops gate is a value that nobody must use")
