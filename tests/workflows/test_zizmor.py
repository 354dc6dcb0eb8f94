"""Bad workflows, one for each class that zizmor has an audit for: both find it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.workflows.lint import INFOS
from tests.workflows.test_lint import rules

TOP = "name: bad\non: {on}\npermissions: {{}}\njobs:\n  bad:\n    name: bad\n"
JOB = TOP + "    runs-on: {runs_on}\n    permissions: {{}}\n    steps:\n      - {step}\n"
PINNED = "@3d3c42e5aac5ba805825da76410c181273ba90b1"


def workflow(step: str = "run: make", *, on: str = "push", runs_on: str = "ubuntu-24.04") -> str:
    return JOB.format(on=on, step=step, runs_on=runs_on)


# zizmor's audit, our check, and a workflow that has the mistake
BAD: tuple[tuple[str, str, str], ...] = (
    ("dangerous-triggers", "dangerous-triggers", workflow(on="pull_request_target")),
    ("dangerous-triggers", "dangerous-triggers",
     workflow(on="{workflow_run: {workflows: [x], types: [completed]}}")),
    ("template-injection", "template-injection",
     workflow("run: echo ${{ github.event.issue.title }}", on="issues")),
    ("template-injection", "template-injection",
     workflow("run: echo ${{ github.head_ref }}", on="pull_request")),
    ("template-injection", "template-injection",
     workflow("run: echo ${{ inputs.name }}",
              on="{workflow_dispatch: {inputs: {name: {type: string}}}}")),
    ("template-injection", "template-injection",
     workflow(f"{{uses: actions/github-script{PINNED}, with: {{script: "
              "'return \"${{ github.event.pull_request.body }}\"'}}", on="pull_request")),
    ("unpinned-uses", "unpinned-uses", workflow("uses: actions/checkout@v7")),
    ("unpinned-uses", "unpinned-uses", workflow("uses: acme/tool@main")),
    ("excessive-permissions", "permissions", workflow().replace("{}", "write-all", 1)),
    ("excessive-permissions", "permissions",
     workflow().replace("permissions: {}\n", "", 1).replace("    permissions: {}\n", "")),
    ("excessive-permissions", "permissions",
     workflow().replace("permissions: {}", "permissions: {contents: write}", 1)),
    ("secrets-inherit", "secrets-inherit",
     (TOP + f"    uses: acme/w/.github/workflows/x.yml{PINNED}\n    secrets: inherit\n").format(
         on="push")),
    ("overprovisioned-secrets", "secrets-inherit",
     workflow("{run: make, env: {ALL: '${{ toJSON(secrets) }}'}}")),
    ("secrets-outside-env", "secrets-outside-environment",
     workflow("{run: make, env: {KEY: '${{ secrets.KEY }}'}}")),
    ("self-hosted-runner", "self-hosted-runner",
     workflow(on="pull_request", runs_on="[self-hosted, gpu]")),
    ("artipacked", "persisted-credentials", workflow(f"uses: actions/checkout{PINNED}")),
    ("concurrency-limits", "concurrency", workflow(on="pull_request")),
    ("unsound-contains", "unsound-condition",
     workflow("{run: make, if: \"contains('refs/heads/main refs/heads/a', github.ref)\"}")),
    ("unsound-condition", "unsound-condition",
     workflow("{run: make, if: \"${{ github.ref == 'refs/heads/main' }} \\n\"}")),
    ("bot-conditions", "unsound-condition",
     workflow("{run: make, if: \"github.actor == 'dependabot[bot]'\"}", on="pull_request_target")),
    ("github-env", "environment-files",
     workflow("{run: 'echo \"T=$T\" >> \"$GITHUB_ENV\"', env: "
              "{T: '${{ github.event.pull_request.title }}'}}", on="pull_request_target")),
    ("obfuscation", "obfuscated-uses", workflow(f"uses: actions/cache/./restore{PINNED}")),
    ("unpinned-images", "unpinned-images",
     workflow().replace("    steps", "    container: {image: 'python:3.11'}\n    steps")),
    ("insecure-commands", "insecure-commands",
     workflow("{run: make, env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true}}")),
)  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Audits of zizmor by the number of the workflow."""
    folder = tmp_path_factory.mktemp("bad") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for number, (_, _, text) in enumerate(BAD):
        (folder / f"{number}.yml").write_text(text)
    program = Path(sys.executable).with_name("zizmor")
    command = [program, "--offline", "--no-config", "--persona", "auditor", "--strict-collection"]
    done = subprocess.run(
        [*command, "--format", "json", folder], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 14, done.stderr
    by_file: dict[str, set[str]] = {}
    for one in json.loads(done.stdout):
        path = json.dumps(one["locations"][0]["symbolic"]["key"])
        by_file.setdefault(path.rpartition("/")[2].partition(".yml")[0], set()).add(one["ident"])
    return by_file


@pytest.mark.parametrize(
    "number", range(len(BAD)), ids=[f"{a}-{i}" for i, (a, *_) in enumerate(BAD)]
)
def test_zizmor_and_lint_ci_find_the_same_mistake(number: int, found: dict[str, set[str]]) -> None:
    audit, check, text = BAD[number]
    assert audit in found[str(number)]
    assert check in rules(text)
    assert audit in INFOS[check].audits


def test_every_audit_that_a_check_names_is_compared() -> None:
    named = {audit for info in INFOS.values() for audit in info.audits}
    assert named - {audit for audit, *_ in BAD} == {"cache-poisoning"}  # it looks at releases only
