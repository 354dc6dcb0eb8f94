"""The runner does what GitHub does with a workflow, and refuses what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.github import FakeGitHub
from tests.runner import Actions, Done, Unknown
from tests.runner.actions import CHECKOUT, COMPOSITE, DOWNLOAD, SETUP_PYTHON, UPLOAD
from tests.runner.machine import outputs
from tests.runner.workflow import read

PATH = ".github/workflows/llmops.yml"
HEAD = """\
name: x
on:
  pull_request:
permissions: {}
jobs:
"""
PLAN = f"""\
  plan:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    outputs:
      jobs: ${{{{ steps.plan.outputs.jobs }}}}
    steps:
      - uses: {CHECKOUT} # v7
        with: {{fetch-depth: 0, persist-credentials: false}}
      - id: plan
        env: {{TITLE: "${{{{ github.event.pull_request.title }}}}"}}
        run: |
          echo "title: $TITLE"
          echo 'jobs=["a","b"]' >>"$GITHUB_OUTPUT"
          echo one >made.txt
          echo "## planned" >>"$GITHUB_STEP_SUMMARY"
      - uses: {UPLOAD}
        with: {{name: made, path: made.txt, overwrite: true}}
"""
RUN = f"""\
  run:
    needs: plan
    strategy:
      matrix:
        shard: ${{{{ fromJSON(needs.plan.outputs.jobs) }}}}
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    steps:
      - uses: {DOWNLOAD}
        with: {{name: made}}
      - env: {{SHARD: "${{{{ matrix.shard }}}}"}}
        run: test "$SHARD" = a && cat made.txt
      - if: always()
        run: echo afterwards
"""
GATE = """\
  gate:
    needs: [plan, run]
    if: always()
    runs-on: ubuntu-24.04
    permissions: {}
    steps:
      - env: {RESULT: "${{ needs.run.result }}"}
        run: test "$RESULT" = success
"""


@pytest.fixture
def started(tmp_path: Path):
    """`started(text)`: the run of a pull request under that workflow."""

    def start(text: str, title: str = "A change", **how: object) -> Done:
        fake = FakeGitHub(tmp_path / "github")
        repo = fake.repository("acme/llm", {"a.txt": "a", PATH: text})
        pull = repo.pull("change", {"a.txt": "b"}, title=title)
        actions = Actions(fake, repo, tmp_path / "machines")
        done = actions.pull_request(pull, "opened", **how)
        assert done is not None
        return done

    return start


def test_jobs_steps_outputs_artifacts_and_matrix_are_done(started) -> None:
    done = started(HEAD + PLAN + RUN + GATE, title='"; touch pwned; "$(id)')
    assert {name: job.conclusion for name, job in done.jobs.items()} == {
        "plan": "success", "run (a)": "success", "run (b)": "failure", "gate": "failure",
    }  # fmt: skip
    assert 'title: "; touch pwned; "$(id)\n' in done.jobs["plan"].log
    assert "one\n" in done.jobs["run (a)"].log
    assert "afterwards\n" in done.jobs["run (b)"].log
    assert done.summary == "## planned\n"
    assert (done.conclusion, done.run.status, done.run.conclusion) == (
        "failure", "completed", "failure",
    )  # fmt: skip


@pytest.mark.parametrize("end", ["cancelled", "skipped", "failure"])
def test_a_job_that_needs_another_sees_how_it_ended(started, end: str) -> None:
    done = started(HEAD + PLAN + RUN + GATE, ends={"plan": end})
    assert done.jobs["run"].conclusion == "skipped"
    assert done.jobs["gate"].conclusion == "failure"  # `always()`, and run was no success


def test_a_job_without_always_is_skipped_when_what_it_needs_was_not_a_success(started) -> None:
    done = started(HEAD + PLAN + RUN + GATE.replace("    if: always()\n", ""), ends={"run": "x"})
    assert done.jobs["gate"].conclusion == "skipped"
    assert done.conclusion == "success"  # which is why the gate asks for always()


def test_the_token_of_a_fork_only_reads(tmp_path: Path) -> None:
    fake = FakeGitHub(tmp_path / "github")
    gate = GATE.replace("permissions: {}", "permissions: {checks: write, contents: write}")
    repo = fake.repository("acme/llm", {"a.txt": "a", PATH: HEAD + PLAN + RUN + gate})
    actions = Actions(fake, repo, tmp_path / "machines")
    for source, level in ((None, "write"), (repo.fork("eve"), "read")):
        pull = repo.pull(f"to-{level}", {"a.txt": level}, source=source, by="eve")
        done = actions.pull_request(pull, "opened", ends={"run": "success"})
        assert done is not None
        held = fake.tokens[done.jobs["gate"].token].permissions
        assert held == {"metadata": "read", "checks": level, "contents": level}


def test_an_environment_with_reviewers_waits_for_one(tmp_path: Path) -> None:
    fake = FakeGitHub(tmp_path / "github")
    run = RUN.replace("    needs: plan\n", "    needs: plan\n    environment: gpu\n")
    repo = fake.repository("acme/llm", {"a.txt": "a", PATH: HEAD + PLAN + run + GATE})
    repo.environment("gpu", rules=[{"type": "required_reviewers"}])
    actions = Actions(fake, repo, tmp_path / "machines")
    pull = repo.pull("change", {"a.txt": "b"})
    done = actions.pull_request(pull, "opened")
    assert done is not None
    assert (set(done.jobs), done.run.status) == ({"plan"}, "waiting")
    again = actions.pull_request(pull, "opened", approved={"gpu": "bob"}, run=done.run)
    assert again is not None
    assert "run (a)" in again.jobs
    assert done.run.approvals[0]["by"] == "bob"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (f"uses: {CHECKOUT}", "uses: actions/checkout@v7", "is not known here"),
        ("    runs-on: ubuntu-24.04\n", "    runs-on: x\n    container: y\n", "container"),
        ("persist-credentials: false", "persist-credentials: true", "keeps its token"),
        ("fetch-depth: 0", "submodules: true", "submodules"),
        ('echo "title: $TITLE"', "echo ${{ github.event.pull_request.title }}", "in a script"),
        ("steps.plan.outputs.jobs", "steps.plan.outputs.job", "no 'job'"),
        ("github.event.pull_request.title", "secrets.KEY", "no context 'secrets'"),
        ("permissions: {}", "permissions: {contents: write}", "grants nothing at its top"),
        ("  pull_request:", "  pull_request:\n  issue_comment:", "issue_comment"),
    ],
)
def test_what_is_not_known_is_refused(started, before: str, after: str, told: str) -> None:
    text = HEAD + PLAN + RUN + GATE
    assert before in text
    with pytest.raises(Unknown, match=told):
        started(text.replace(before, after, 1))


def test_jobs_in_a_circle_are_refused() -> None:
    with pytest.raises(Unknown, match="circle"):
        read(HEAD + PLAN.replace("    outputs:", "    needs: run\n    outputs:") + RUN)


def test_python_is_only_pip_here(started) -> None:
    script = f"""\
  plan:
    runs-on: ubuntu-24.04
    permissions: {{}}
    steps:
      - uses: {SETUP_PYTHON}
        with: {{python-version: "3.11"}}
      - run: python -I -m pip install "llmops @ git+https://example.org/llmops@abc"
      - run: llmops --version
      - run: python -I -m pip install llmops
"""
    job = started(HEAD + script).jobs["plan"]
    assert list(job.steps.values()) == ["success", "success", "success", "failure"]
    assert "would come from an index" in job.log
    assert job.machine.asked_of_pip[0] == "llmops @ git+https://example.org/llmops@abc"


def test_outputs_are_read_as_github_reads_them() -> None:
    assert outputs("a=1\nb<<END\nx=2\ny\nEND\nc=\n") == {"a": "1", "b": "x=2\ny", "c": ""}
    with pytest.raises(Unknown, match="never ends"):
        outputs("b<<END\nx\n")


def test_our_own_action_runs_one_command(tmp_path: Path) -> None:
    own = Path(__file__).parents[2] / ".github" / "actions" / "llmops" / "action.yml"
    flow = f"""\
  words:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    steps:
      - uses: {COMPOSITE}
        with:
          package: ${{{{ vars.LLMOPS_PACKAGE }}}}
          command: |
            explain
            Recipe.training
"""
    fake = FakeGitHub(tmp_path / "github")
    files = {PATH: HEAD + flow, ".github/actions/llmops/action.yml": own.read_text("utf-8")}
    repo = fake.repository("acme/llm", files)
    pull = repo.pull("change", {"a.txt": "b"})
    actions = Actions(fake, repo, tmp_path / "machines")
    done = actions.pull_request(pull, "opened")
    assert done is not None
    assert done.conclusion == "failure"
    assert "::error::say where llmops comes from" in done.log
    actions.variables["LLMOPS_PACKAGE"] = "git+https://example.org/llmops@abc"
    done = actions.pull_request(pull, "opened")
    assert done is not None
    assert (done.conclusion, "TrainingArguments" in done.log) == ("success", True), done.log
