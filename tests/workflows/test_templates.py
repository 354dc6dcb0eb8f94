"""Every workflow that `init` can write: what each of them has, and what none of them ever has."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from llmops.workflows import templates
from llmops.workflows.templates import Choice, files, pinned, plain

PATH = ".github/workflows/llmops.yml"
SHA = "0123456789abcdef0123456789abcdef01234567"
CHOICES = [
    Choice("github", runners, gate)
    for runners, gate in itertools.product(get_args(templates.Runners), get_args(templates.Gate))
]
# Everything that an expression may say: ids, SHAs, results of jobs, and the repository's variables.
ALLOWED = {
    "always()",
    "fromJSON(needs.plan.outputs.jobs)",
    "github.base_ref || github.event.merge_group.base_ref",
    "github.event.before",
    "github.event.pull_request.base.sha || github.event.merge_group.base_sha || github.sha",
    "github.event.pull_request.head.sha || github.sha",
    "github.event.pull_request.number || github.sha",
    "github.event_name == 'pull_request' && github.event.action == 'synchronize'",
    "always() && github.event_name == 'push' && vars.LLMOPS_ROOT != ''",
    "github.ref_name",
    "github.token",
    "matrix.shard",
    "needs.plan.outputs.has_jobs",
    "needs.plan.outputs.has_jobs == 'true'",
    "needs.plan.result",
    "needs.run.result",
    "steps.plan.outputs.has_jobs",
    "steps.plan.outputs.jobs",
    "vars.LLMOPS_PACKAGE",
    "vars.LLMOPS_ROOT",
    "vars.LLMOPS_SRUN",
    # whose key signs what lands, and where it may be read
    "github.event_name != 'pull_request' && 'llmops-gate' || ''",
    "secrets.LLMOPS_SIGNING_KEY",
    # whose change reaches a GPU, and under which environment
    "needs.plan.outputs.has_jobs == 'true' && (github.event_name != 'pull_request' || "
    "github.event.pull_request.head.repo.full_name == github.repository || "
    "contains(github.event.pull_request.labels.*.name, "
    "format('llmops:{0}', github.event.pull_request.head.sha)))",
    "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name != "
    "github.repository && 'llmops-gpu-forks' || 'llmops-gpu'",
}


def text(choice: Choice, language: str = "en") -> str:
    return files(choice, language, "2.13.0")[PATH]


def read(source: str) -> dict[str, Any]:
    return YAML(typ="safe").load(source)  # YAML 1.2: `on` is a word


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value, path)
    else:
        yield path, node


@pytest.fixture(params=CHOICES, ids=lambda one: f"{one.runners}-{one.gate}")
def choice(request: pytest.FixtureRequest) -> Choice:
    return request.param


def test_it_hears_pull_requests_the_queue_and_what_landed_and_nothing_else(choice) -> None:
    on = read(text(choice))["on"]
    assert set(on) == {"pull_request", "merge_group", "push"}
    assert on["push"] == {"branches": ["main"]}
    labelled = {"labeled"} if choice.runners != "hosted" else set()
    assert set(on["pull_request"]["types"]) == {
        "opened", "synchronize", "reopened", "edited", *labelled,
    }  # fmt: skip


def test_only_the_gate_may_write_and_every_job_says_what_it_may(choice) -> None:
    flow = read(text(choice))
    assert flow["permissions"] == {}
    jobs = flow["jobs"]
    own = ["open", "gate", "landed"] if choice.gate == "workflow" else []
    assert set(jobs) == {"plan", "run", *own}
    assert jobs["plan"]["permissions"] == {"contents": "read"}
    assert jobs["run"]["permissions"] == {"actions": "read", "contents": "read"}
    if "gate" in jobs:
        assert jobs["open"]["permissions"] == {
            "checks": "write", "contents": "read", "pull-requests": "write", "statuses": "write",
        }  # fmt: skip
        assert jobs["gate"]["permissions"] == {
            "actions": "read", "checks": "write", "contents": "write", "deployments": "write",
            "issues": "write", "pull-requests": "write", "security-events": "write",
            "statuses": "write",
        }  # fmt: skip
        assert jobs["landed"]["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 360 for job in jobs.values())
    secret = [at for at, value in leaves(flow) if isinstance(value, str) and "secrets" in value]
    assert secret == ([".jobs.gate.steps.env.LLMOPS_SIGNING_KEY"] if "gate" in jobs else [])


def test_every_action_is_pinned_and_no_checkout_keeps_a_token(choice) -> None:
    steps = [step for job in read(text(choice))["jobs"].values() for step in job["steps"]]
    used = [step for step in steps if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]) for step in used)
    checkouts = [step["with"] for step in used if step["uses"].startswith("actions/checkout@")]
    assert len(checkouts) == len(read(text(choice))["jobs"])
    assert all(given["persist-credentials"] is False for given in checkouts)


def test_no_script_holds_an_expression_and_every_expression_is_known(choice) -> None:
    for path, value in leaves(read(text(choice))):
        if path.endswith(".run"):
            assert "${{" not in value
        found = re.findall(r"\$\{\{(.*?)\}\}", str(value), re.DOTALL)
        found += [value] if path.endswith(".if") else []
        assert {" ".join(one.split()) for one in found} <= ALLOWED, path


def test_the_gate_always_runs_and_never_reads_the_change(choice) -> None:
    if choice.gate == "app":
        return
    jobs = read(text(choice))["jobs"]
    gate = jobs["gate"]
    assert "needs" not in jobs["open"]
    assert jobs["open"]["steps"][0] == gate["steps"][0]
    assert (gate["if"], gate["needs"]) == ("always()", ["plan", "run"])
    assert gate["runs-on"] == "ubuntu-24.04"
    assert "!= 'pull_request' && 'llmops-gate'" in gate["environment"], "its key is for what lands"
    checkout = gate["steps"][0]["with"]["ref"]
    assert "head" not in checkout
    assert gate["steps"][-1]["if"] == "always()"


def test_only_a_new_commit_ends_a_run(choice) -> None:
    found = read(text(choice))["concurrency"]
    assert found["group"] == "llmops-${{ github.event.pull_request.number || github.sha }}"
    assert "synchronize" in found["cancel-in-progress"]


def test_a_gpu_is_reached_through_an_environment_alone(choice) -> None:
    run = read(text(choice))["jobs"]["run"]
    assert run["strategy"]["fail-fast"] is False
    hosted = choice.runners == "hosted"
    assert ("environment" in run) is not hosted
    assert ("llmops:{0}" in run["if"]) is not hosted
    assert (run["runs-on"] == "ubuntu-24.04") is hosted


def test_both_languages_say_the_same_to_github(choice) -> None:
    assert read(text(choice, "en")) == read(text(choice, "zh"))
    assert not re.search(r"#[a-z-]+: |@[A-Z]+@", text(choice))
    assert "判定" in text(choice, "zh")


def test_nothing_called_llmops_is_taken_from_an_index(choice) -> None:
    made = text(choice)
    installed = re.findall(r"pip install (.*llmops.*)", made)
    assert set(installed) <= {
        '"llmops[github,store] @ $PACKAGE"', '"llmops[workers,store] @ $PACKAGE"',
        '"llmops @ $PACKAGE"',
    }  # fmt: skip
    assert len(installed) == len(read(made)["jobs"])
    assert made.count("PACKAGE: ${{ vars.LLMOPS_PACKAGE }}\n") == len(installed)


def test_a_package_that_is_named_stands_in_the_file() -> None:
    package = f"git+https://example.org/o/llmops@{SHA}"
    made = text(Choice(package=package))
    assert "vars.LLMOPS_PACKAGE" not in made
    assert made.count(f"PACKAGE: {json.dumps(package)}\n") == 5


@pytest.mark.parametrize(
    ("package", "good"),
    [
        (f"git+https://example.org/o/llmops@{SHA}", True),
        (f"git+ssh://git@example.org/o/llmops.git@{SHA}#subdirectory=a/b", True),
        (f"https://example.org/llmops-1.0-py3-none-any.whl#sha256={SHA}{SHA[:24]}", True),
        ("llmops", False),
        ("git+https://example.org/o/llmops@main", False),
        ("git+https://example.org/o/llmops@0123456", False),
        ("https://example.org/llmops-1.0-py3-none-any.whl", False),
        (f"git+https://example.org/${{{{ github.token }}}}@{SHA}", False),
        (f"git+https://example.org/o/llmops@{SHA}\nrun: id", False),
        (f"git+https://example.org/a b@{SHA}", False),
    ],
)
def test_a_package_names_its_bytes_and_nothing_that_is_read(package: str, good: bool) -> None:
    assert pinned(package) is good


@pytest.mark.parametrize(
    ("branch", "good"),
    [("main", True), ("release/1.x", True), ("a]b", False), ("-x", False), ("${{x}}", False),
     ("a b", False), ("", False)],
)  # fmt: skip
def test_a_branch_is_written_only_where_it_is_plain(branch: str, good: bool) -> None:
    assert plain(branch) is good


def test_the_branch_that_changes_land_on_is_the_repositorys() -> None:
    assert read(text(Choice(branch="trunk")))["on"]["push"] == {"branches": ["trunk"]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_gitlab_gets_its_jobs_and_a_file_that_names_them(language: str) -> None:
    made = files(Choice("gitlab"), language, "2.13.0")
    assert set(made) == {".gitlab-ci.yml", ".gitlab/llmops.yml"}
    assert read(made[".gitlab-ci.yml"]) == {"include": [{"local": ".gitlab/llmops.yml"}]}
    jobs = read(made[".gitlab/llmops.yml"])
    assert jobs["stages"] == ["plan", "run", "gate"]
    assert jobs["gate"]["script"][-1] == "llmops gate"
    assert {rule["when"] for rule in jobs["gate"]["rules"]} == {"always"}
    assert "allow_failure" not in made[".gitlab/llmops.yml"]
    asked = [line for name in ("plan", "run", "gate") for line in jobs[name]["script"]]
    assert "LLMOPS_GIT_TOKEN" not in " ".join(jobs["run"]["script"])
    assert all("pip install llmops" not in line for line in asked)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_jenkins_gives_no_token_to_what_executes_the_change(language: str) -> None:
    made = files(Choice("jenkins"), language, "2.13.0")["Jenkinsfile"]
    before, run, gate = re.split(r"stage\('(?:run|gate)'\)", made)
    assert "withCredentials" in before
    assert "withCredentials" in gate
    assert "withCredentials" not in run
    assert '"' not in "".join(re.findall(r"sh (.)", made))  # Groovy fills in nothing
    assert re.findall(r"^ *llmops gate (?!.*format).*$", gate, re.MULTILINE)


def test_other_cis_say_what_a_shell_would_do(tmp_path: Path) -> None:
    """Every script of theirs is one that bash can read."""
    gitlab = read(files(Choice("gitlab"), "en", "2.13.0")[".gitlab/llmops.yml"])
    scripts = [*gitlab[".llmops"]["before_script"], *gitlab["run"]["script"]]
    scripts += [*gitlab["plan"]["script"], *gitlab["gate"]["script"]]
    scripts += re.findall(
        r"sh '''(.*?)'''", files(Choice("jenkins"), "en", "2")["Jenkinsfile"], re.S
    )
    for script in scripts:
        done = subprocess.run(["bash", "-n", "-c", script], check=False, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), script
