from __future__ import annotations

import json

from llmops.workflows.lint import INFOS

WORKFLOW = ".github/workflows/ci.yml"


def test_a_mistake_is_shown_with_its_line_and_ends_with_1(llmops, git_repo) -> None:
    repo = git_repo({WORKFLOW: INFOS["unpinned-uses"].bad})
    said = llmops("lint-ci", "-C", repo.path)
    assert said.code == 1
    assert f'{WORKFLOW}:12:15: error[unpinned-uses]: "actions/setup-python"' in said.out
    assert "^^^^^^^^^^^^" in said.out
    assert "hint: write the full 40-hex commit" in said.out
    assert said.out.splitlines()[-1] == "1 file: 1 error, 0 warnings"


def test_a_good_workflow_ends_with_0(llmops, git_repo) -> None:
    repo = git_repo({WORKFLOW: INFOS["unpinned-uses"].good})
    said = llmops("lint-ci", "-C", repo.path)
    assert (said.code, said.out.strip()) == (0, "1 file: 0 errors, 0 warnings")


def test_files_are_found_by_themselves(llmops, git_repo) -> None:
    bad = INFOS["unpinned-uses"].bad
    action = "runs:\n  using: composite\n  steps:\n    - uses: a/b@main\n"
    repo = git_repo({WORKFLOW: bad, "act/action.yml": action, "docs/sample.yml": bad})
    said = llmops("lint-ci", "-C", repo.path)
    assert "act/action.yml:4:13: error[unpinned-uses]" in said.out
    assert "docs/sample.yml" not in said.out
    named = llmops("lint-ci", "-C", repo.path, "docs/sample.yml")
    assert "docs/sample.yml:12:15: error[unpinned-uses]" in named.out
    folder = llmops("lint-ci", "-C", repo.path, "act")
    assert folder.out.splitlines()[-1] == "1 file: 1 error, 0 warnings"


def test_a_path_that_holds_nothing_is_wrong_usage(llmops, git_repo) -> None:
    repo = git_repo({WORKFLOW: INFOS["unpinned-uses"].good})
    said = llmops("lint-ci", "-C", repo.path, ".github/workflow")
    assert said.code == 2
    assert 'hint: did you mean ".github/workflows"?' in said.err


def test_machines_are_told_in_their_own_formats(llmops, git_repo) -> None:
    repo = git_repo({WORKFLOW: INFOS["unpinned-uses"].bad})
    one = json.loads(llmops("lint-ci", "-C", repo.path, "--format", "json").out)["diagnostics"][0]
    assert (one["rule"], one["line"], one["severity"]) == ("unpinned-uses", 12, "error")
    run = json.loads(llmops("lint-ci", "-C", repo.path, "--format", "sarif").out)["runs"][0]
    assert run["automationDetails"]["id"] == "llmops/lint-ci/"
    assert run["tool"]["driver"]["rules"][0]["help"]["text"] == INFOS["unpinned-uses"].fix
    said = llmops("lint-ci", "-C", repo.path, "--format", "github").out
    assert said.startswith(
        "::error title=unpinned-uses,file=.github/workflows/ci.yml,line=12,col=15"
    )
    assert "<failure" in llmops("lint-ci", "-C", repo.path, "--format", "junit").out


def test_a_required_job_is_held_to_what_the_gate_is_held_to(llmops, git_repo) -> None:
    text = INFOS["skippable-gate"].bad.replace("  gate:", "  last:").replace("llmops gate", "make")
    repo = git_repo({WORKFLOW: text})
    assert "skippable-gate" not in llmops("lint-ci", "-C", repo.path).out
    said = llmops("lint-ci", "-C", repo.path, "--required", "last")
    assert said.code == 1
    assert "error[skippable-gate]" in said.out
