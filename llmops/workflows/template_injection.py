"""`template-injection`: text of others that becomes code.

`${{ … }}` in a script is replaced before the shell reads it: a title such as `"; curl …; "` is then
a command. Only what can be nothing but an id, a hash or a word of GitHub's own may stand there;
everything else goes through a variable, which a shell never executes.
https://docs.github.com/en/actions/concepts/security/script-injections
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.source.places import Loc
from llmops.workflows import gitlab, jenkins
from llmops.workflows.base import GITHUB, File, Info, Step, System, found, mapping, shown
from llmops.workflows.expressions import expressions
from llmops.workflows.trust import Trust, trust

INFO = Info(
    id="template-injection",
    why="whoever writes the text runs commands in the job, with its token and its secrets",
    fix='hand it over as a variable with env:, and write "$NAME" in the script',
    systems=(*GITHUB, System.GITLAB, System.JENKINS),
    audits=("template-injection",),
    bad="""\
on: pull_request
permissions: {}
concurrency:
  group: greet-${{ github.ref }}
  cancel-in-progress: true
jobs:
  greet:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: echo "thanks for ${{ github.event.pull_request.title }}"
""",
    good="""\
on: pull_request
permissions: {}
concurrency:
  group: greet-${{ github.ref }}
  cancel-in-progress: true
jobs:
  greet:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: echo "thanks for $TITLE"
        env:
          TITLE: ${{ github.event.pull_request.title }}
""",
)
# What an action takes as code: action -> inputs.
_SINKS = {
    "actions/github-script": ("script",),
    "azure/cli": ("inlinescript", "inlineScript"),
    "azure/powershell": ("inlinescript", "inlineScript"),
    "appleboy/ssh-action": ("script",),
    "amadevus/pwsh-script": ("script",),
    "jannekem/run-python-script-action": ("script",),
    "nick-fields/retry": ("command", "on_retry_command"),
}
# GitLab: inputs are put into the text before it is read; a shell reads a variable's text again.
_GITLAB = re.compile(
    r"\$\[\[[^\]]*\]\]|\beval\b[^\n]*\$\{?CI_(?:COMMIT|MERGE_REQUEST|EXTERNAL)_\w+\}?"
    r"|\b(?:ba|z)?sh\s+-c\s+\"[^\"\n]*\$\{?CI_(?:COMMIT|MERGE_REQUEST|EXTERNAL)_\w+\}?"
)
_GROOVY = re.compile(
    r"(?<!\\)\$\{?(?:env\.)?(?:CHANGE_(?:TITLE|BRANCH|AUTHOR\w*|FORK|URL)|BRANCH_NAME|GIT_BRANCH|TAG_NAME"
    r"|ghprb\w+|gitlab\w+|params\.\w+)\b\}?"
)
_PLAIN = ("boolean", "number")
_WORDS = {
    Trust.OUTSIDE: "text of an outsider",
    Trust.GIVEN: "text of whoever starts or calls this",
    Trust.MADE: "text that another step made of the change",
    Trust.INSIDE: "text from outside this file",
}


def check(file: File) -> Iterator[Diagnostic]:
    """One for each expression in a script; a warning where only insiders write it."""
    for step in file.steps:
        for loc, script in scripts(step):
            yield from _injected(step, loc, script)
    yield from _gitlab(file)
    yield from _jenkins(file)


def scripts(step: Step) -> Iterator[tuple[Loc, str]]:
    """What a step executes: its own script, or what it gives an action that executes it."""
    if step.run:
        yield (*step.loc, "run"), step.run
    for name in _SINKS.get(step.uses.partition("@")[0].lower(), ()):
        if isinstance(step.given.get(name), str):
            yield (*step.loc, "with", name), step.given[name]


def _injected(step: Step, loc: Loc, script: str) -> Iterator[Diagnostic]:
    file = step.file
    for one in expressions(script):
        told = {_whose(step, context) for context in one.reaches if not _is_plain(file, context)}
        worst = next((level for level in _WORDS if level in told), None)
        if worst is None:
            continue
        mild = worst is Trust.INSIDE
        message = f"{_WORDS[worst]} becomes part of a script: {shown(one.written)}"
        yield found(INFO, file.within(loc, one.written), message, _hint(one.inner), warn=mild)


def _whose(step: Step, context: str) -> Trust:
    """Whose text a context is: that of a matrix which is written out in the file is the file's."""
    if context.startswith("matrix.") and step.job is not None and step.job.fixed(context):
        return Trust.INSIDE
    return trust(context)


def _hint(inner: str) -> str:
    """The fix, with the variable that it would be."""
    words = re.findall(r"[A-Za-z]\w*", inner.split("||")[0])
    name = (words[-1] if words else "VALUE").upper()
    given = f'{name}: "${{{{ {shown(inner.strip(), 60)} }}}}"'
    return f'hand it over with env: {{{given}}}, and write "${name}"'


def _is_plain(file: File, context: str) -> bool:
    """Whether an input can only be a number or a truth."""
    root, _, name = context.partition(".")
    if root != "inputs":
        return False
    for event in ("workflow_dispatch", "workflow_call"):
        inputs = mapping(file.events.get(event, {}).get("inputs")) if event in file.events else {}
        if name in inputs and mapping(inputs[name]).get("type") not in _PLAIN:
            return False
    declared = [
        mapping(mapping(file.events[e].get("inputs")).get(name))
        for e in ("workflow_dispatch", "workflow_call")
        if e in file.events
    ]
    return any(one.get("type") in _PLAIN for one in declared)


def _gitlab(file: File) -> Iterator[Diagnostic]:
    for loc, line in gitlab.scripts(file):
        for match in _GITLAB.finditer(line):
            message = f"text of others becomes part of a script: {shown(match[0])}"
            hint = 'write "$NAME" and nothing that reads it again; an input goes through variables:'
            yield found(INFO, file.within(loc, match[0]), message, hint)


def _jenkins(file: File) -> Iterator[Diagnostic]:
    for shell in jenkins.shells(file):
        for match in _GROOVY.finditer(shell.body) if shell.interpolated else ():
            span = jenkins.at(file, shell.start + match.start(), len(match[0]))
            message = f"text of others becomes part of a script: {shown(match[0])}"
            hint = "write the script in single quotes, so that the shell and not Groovy reads it"
            yield found(INFO, span, message, hint)
