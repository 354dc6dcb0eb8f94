"""What each check finds, and what looks like it and is right: one line in, one line out."""

from __future__ import annotations

import pytest

from llmops.workflows.base import System
from tests.workflows.test_lint import linted, rules

CHANGE = """\
on: {on}
permissions: {{}}
concurrency:
  group: x-${{{{ github.ref }}}}
jobs:
  {job}:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
{more}    steps:
      - {step}
"""


def workflow(step: str, *, on: str = "pull_request", job: str = "test", more: str = "") -> str:
    """A workflow in which only the given parts can be wrong."""
    return CHANGE.format(on=on, job=job, step=step, more=more)


CACHED = "uses: a/b@3d3c42e5aac5ba805825da76410c181273ba90b1, with: {cache: pip}"
GATE = {"on": "[pull_request, merge_group]", "job": "gate", "more": "    if: always()\n"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # dangerous-triggers
        (workflow("run: make", on="workflow_run"), {"dangerous-triggers"}),
        (workflow("run: echo thanks", on="issue_comment"), set()),
        (workflow("run: gh pr checkout 7 && make", on="issue_comment"), {"dangerous-triggers"}),
        (workflow("run: git fetch origin pull/7/head", on="issues"), {"dangerous-triggers"}),
        # template-injection
        (workflow("run: echo ${{ github.sha }} ${{ runner.temp }}"), set()),
        (workflow("run: echo ${{ github.ref_name }}"), {"template-injection"}),
        (workflow("run: echo ${{ matrix.shard }}"), {"template-injection"}),
        (workflow("run: echo ${{ needs.plan.outputs.jobs }}"), {"template-injection"}),
        (workflow("run: echo ${{ steps.a.outputs.b }}"), {"template-injection"}),
        (workflow("run: echo ${{ toJSON(github.event) }}"), {"template-injection"}),
        (workflow("run: echo ${{ github.event_name == 'push' && 'a' || 'b' }}"), set()),
        # unpinned-uses
        (workflow("uses: ./.github/actions/llmops"), set()),
        (workflow("uses: actions/checkout"), {"unpinned-uses", "persisted-credentials"}),
        (workflow("uses: a/b@3d3c42e"), {"unpinned-uses"}),
        # forgiven-gate
        (workflow("run: llmops gate", **GATE), set()),
        (workflow("run: llmops gate; true", **GATE), {"forgiven-gate"}),
        (workflow("run: llmops gate | tee x", **GATE), {"forgiven-gate"}),
        (workflow("{run: llmops gate | tee x, shell: bash}", **GATE), set()),
        (workflow("{run: llmops gate, continue-on-error: true}", **GATE), {"forgiven-gate"}),
        (workflow("run: make || true"), set()),
        # skippable-gate
        (workflow("run: llmops gate", **{**GATE, "more": "    if: success()\n"}),
         {"skippable-gate"}),
        (workflow("run: llmops gate", **{**GATE, "more": "    if: '!cancelled()'\n"}),
         {"skippable-gate"}),
        (workflow("run: llmops gate", **{**GATE, "more": "    if: ${{ always() }}\n"}), set()),
        (workflow("{run: llmops gate, if: github.actor != 'x'}", **GATE), {"skippable-gate"}),
        # environment-files
        (workflow("{run: echo x=$T >> $GITHUB_OUTPUT, env: {T: '${{ github.head_ref }}'}}"),
         {"environment-files"}),
        (workflow("{run: echo $T, env: {T: '${{ github.head_ref }}'}}"), set()),
        (workflow("run: cat x >> $GITHUB_ENV"), set()),
        (workflow("run: cat x >> $GITHUB_ENV", on="issue_comment"), {"environment-files"}),
        # unsound-condition
        (workflow("{run: make, if: '${{ github.ref }} == x'}"), {"unsound-condition"}),
        (workflow("{run: make, if: \"github.actor == 'dependabot[bot]'\"}"), {"unsound-condition"}),
        (workflow("{run: make, if: \"contains(github.ref, 'release')\"}"), set()),
        # index-package
        (workflow("run: pip install llmops"), {"index-package"}),
        (workflow("run: python -m pip install -q 'llmops[workers]==1'"), {"index-package"}),
        (workflow("run: uvx llmops plan"), {"index-package"}),
        (workflow("run: pip install ./llmops"), set()),
        (workflow("run: pip install -e . && llmops run"), set()),
        (workflow("run: pip install 'llmops @ git+https://h/o/llmops@c'"), set()),
        (workflow("run: pip install git+https://h/o/llmops"), set()),
        # obfuscated-uses
        (workflow("uses: a//b@3d3c42e5aac5ba805825da76410c181273ba90b1"), {"obfuscated-uses"}),
        (workflow("uses: a/b/../c@3d3c42e5aac5ba805825da76410c181273ba90b1"), {"obfuscated-uses"}),
        (workflow("uses: aсtions/x@3d3c42e5aac5ba805825da76410c181273ba90b1"), {"obfuscated-uses"}),
        # secrets-inherit
        (workflow("{run: make, env: {S: '${{ toJSON(secrets) }}'}}"), {"secrets-inherit"}),
        # secrets-outside-environment
        (workflow("{run: make, env: {S: '${{ secrets.GITHUB_TOKEN }}'}}"), set()),
        (workflow("{run: make, env: {S: '${{ secrets.K }}'}}", more="    environment: e\n"), set()),
        (workflow("{run: llmops plan, env: {S: '${{ secrets.K }}'}}", more="    environment: e\n"),
         {"secrets-outside-environment"}),
        # unpinned-images
        (workflow("uses: docker://alpine:3"), {"unpinned-images"}),
        (workflow("run: make", more="    services: {db: {image: 'postgres:17'}}\n"),
         {"unpinned-images"}),
        # gate-cache
        (workflow(f"{{{CACHED}}}", **GATE),
         {"gate-cache"}),
        (workflow(f"{{{CACHED}}}"), set()),
        # executes-change
        (workflow("run: llmops plan && python -m pip list"), {"executes-change"}),
        (workflow("run: python -I -m pip list && llmops plan"), set()),
        (workflow("run: PYTHONUTF8=1 python3.11 -u -m pip list; llmops plan"), {"executes-change"}),
        (workflow("run: make && llmops plan"), {"executes-change"}),
        (workflow("run: npm ci && llmops plan"), {"executes-change"}),
        (workflow("run: pip install -e . && llmops plan"), {"executes-change"}),
        (workflow("run: bash ci/setup.sh && llmops plan"), {"executes-change"}),
        (workflow("run: ./setup && llmops plan"), {"executes-change"}),
        (workflow("run: llmops plan && llmops run && llmops gate", **GATE), {"executes-change"}),
        (workflow("run: cmake --version; echo make it; llmops plan --out ./plan.json"), set()),
        (workflow("run: make && llmops run"), set()),
        # insecure-commands
        (workflow("{run: make, env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: 1}}"), {"insecure-commands"}),
        # persisted-credentials
        (workflow("{uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1, "
                  "with: {persist-credentials: 'false'}}"), set()),
    ],
)  # fmt: skip
def test_what_each_class_finds_and_what_it_lets_be(text: str, found: set[str]) -> None:
    assert rules(text) == found


def job_with(more: str, *, on: str = "pull_request", runs_on: str = "ubuntu-24.04") -> str:
    return workflow("run: make", on=on, more=more).replace("ubuntu-24.04", runs_on)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (job_with("", runs_on="my-gpu-scale-set"), {"self-hosted-runner"}),
        (job_with("", runs_on="{group: gpus}"), {"self-hosted-runner"}),
        (job_with("", runs_on="${{ inputs.runner }}"), {"self-hosted-runner"}),
        (job_with("    environment: gpu\n", runs_on="[self-hosted, gpu]"), set()),
        (job_with("", runs_on="[self-hosted, gpu]", on="push"), set()),
        (job_with("    strategy: {matrix: {os: [ubuntu-22.04, windows-2025]}}\n",
                  runs_on="${{ matrix.os }}"), set()),
        (job_with("    strategy: {matrix: {include: [{on: {os: gpu-set}}]}}\n",
                  runs_on="${{ matrix.on.os }}"), {"self-hosted-runner"}),
        (job_with("    strategy: {matrix: {os: '${{ fromJSON(needs.a.outputs.b) }}'}}\n",
                  runs_on="${{ matrix.os }}"), {"self-hosted-runner"}),
        (job_with("    strategy: {matrix: '${{ fromJSON(inputs.m) }}'}\n"), {"outside-matrix"}),
        (job_with("    strategy: {matrix: {a: '${{ fromJSON(needs.p.outputs.j) }}'}}\n"), set()),
        (job_with("    permissions: write-all\n").replace("      contents: read\n", "", 1).replace(
            "    permissions:\n", "", 1), {"permissions"}),
        (job_with("").replace("permissions: {}\n", "permissions:\n  checks: write\n"),
         {"permissions"}),
        (job_with("").replace("run: make", "run: llmops run").replace("contents: read",
         "contents: write"), {"permissions"}),
        (job_with("").replace("x-${{ github.ref }}", "x-${{ github.head_ref }}"), {"concurrency"}),
        (job_with("").replace("x-${{ github.ref }}", "x"), {"concurrency"}),
        (job_with("").replace("concurrency:\n  group: x-${{ github.ref }}\n", ""), {"concurrency"}),
        (workflow("run: llmops gate", **{**GATE, "on": "pull_request"}), {"merge-group"}),
        (workflow("run: llmops gate", **{**GATE, "on":
         "{pull_request: {paths-ignore: [docs/**]}, merge_group: {}}"}), {"filtered-gate"}),
        (workflow("run: llmops gate", **{**GATE, "on":
         "{pull_request: {types: [labeled]}, merge_group: {}}"}), {"filtered-gate"}),
    ],
)  # fmt: skip
def test_what_each_class_finds_in_a_job(text: str, found: set[str]) -> None:
    assert rules(text) == found


GITLAB = "image: python@sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gate: {script: [llmops gate --format codequality]}\n", set()),
        ("image: python:3.11\ngate: {script: [llmops gate]}\n", {"unpinned-images"}),
        ("a: {image: {name: 'x:1'}, services: ['db:2'], script: make}\n", {"unpinned-images"}),
        (GITLAB + "a: {image: '$IMAGE', script: make}\n", set()),
        ("gate: {script: [llmops gate], allow_failure: true}\n", {"forgiven-gate"}),
        ("gate: {script: ['llmops gate || true']}\n", {"forgiven-gate"}),
        ("gate: {script: [llmops gate], when: manual}\n", {"skippable-gate"}),
        ("gate: {script: [llmops gate], rules: [{when: never}]}\n", {"skippable-gate"}),
        ("gate: {script: [llmops gate], rules: [{changes: [specs/**]}]}\n", {"filtered-gate"}),
        ("gate: {script: [llmops gate], only: {changes: [specs/**]}}\n", {"filtered-gate"}),
        ("gate: {script: [llmops gate], cache: {paths: [x]}}\n", {"gate-cache"}),
        ("run: {script: [make], cache: {paths: [x]}}\n", set()),
        ("a: {script: ['eval \"echo $CI_COMMIT_TITLE\"']}\n", {"template-injection"}),
        ("a: {script: ['echo \"$CI_COMMIT_TITLE\"']}\n", set()),
        ("a: {script: ['echo $[[ inputs.x ]]']}\n", {"template-injection"}),
        ("a: {script: [pip install llmops]}\n", {"index-package"}),
        ("include: [{remote: 'https://h/x.yml'}]\n", {"unpinned-uses"}),
        ("include: [{remote: 'https://h/x.yml', integrity: 'sha256-x'}]\n", set()),
        ("include: [{project: g/p, ref: main, file: x.yml}]\n", {"unpinned-uses"}),
        ("include: [{local: /ci/x.yml}, {template: Jobs/SAST.gitlab-ci.yml}]\n", set()),
        ("include:\n  - component: h/g/c@1.0\n", {"unpinned-uses"}),
        ("gate: {script: [python3 -m pip list, llmops gate]}\n", {"executes-change"}),
        ("run: {script: [make, llmops run]}\ngate: {script: [llmops gate]}\n", set()),
        (".a: &a {script: [make]}\nb: *a\n", {"yaml-alias"}),
    ],
)
def test_what_is_found_in_gitlab(text: str, found: set[str]) -> None:
    assert rules(text, System.GITLAB) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pipeline { agent any\n stages { stage('gate') { steps { sh 'llmops gate' } } } }", set()),
        ("sh 'llmops gate || true'", {"forgiven-gate"}),
        ("catchError { sh 'llmops gate' }", {"forgiven-gate"}),
        ("def code = sh(script: 'llmops gate', returnStatus: true)", {"forgiven-gate"}),
        ("catchError { sh 'make' }", set()),
        ("sh \"echo ${env.CHANGE_TITLE}\"", {"template-injection"}),
        ("sh \"\"\"\n  git checkout $BRANCH_NAME\n\"\"\"", {"template-injection"}),
        ("sh 'echo $CHANGE_TITLE'", set()),
        ("// sh \"echo ${env.CHANGE_TITLE}\"\n/* catchError { sh 'llmops gate' } */", set()),
        ("sh 'curl https://h/x' // fine", set()),
        ("agent { docker { image 'python:3.11' } }", {"unpinned-images"}),
        ("agent { docker { image 'python@sha256:" + "0" * 64 + "' } }", set()),
        ("sh 'make; llmops gate'", {"executes-change"}),
        ("sh 'make; llmops run plan.json'", set()),
        ("sh 'pip install llmops'", {"index-package"}),
        ("@Library('shared@main') _", {"unpinned-uses"}),
        ("@Library('shared@3d3c42e5aac5ba805825da76410c181273ba90b1') _", set()),
    ],
)  # fmt: skip
def test_what_is_found_in_jenkins(text: str, found: set[str]) -> None:
    assert rules(text, System.JENKINS) == found


def test_the_text_of_a_matrix_that_is_written_out_is_only_warned_of() -> None:
    step = workflow("run: echo ${{ matrix.v }}", more="    strategy: {matrix: {v: [a, b]}}\n")
    made = step.replace("[a, b]", "'${{ fromJSON(needs.a.outputs.b) }}'")
    assert [line.split()[1] for line in linted(step)] == ["warning"]
    assert [line.split()[1] for line in linted(made)] == ["error"]
