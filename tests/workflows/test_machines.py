from __future__ import annotations

import pytest

from llmops.workflows.machines import Machines, machines
from llmops.workflows.read import read

FORKS = (
    "${{ github.event.pull_request.head.repo.full_name != github.repository && 'gpu-forks' "
    "|| 'gpu' }}"
)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("runs-on: ubuntu-24.04", Machines()),
        ("runs-on: [self-hosted, gpu]", Machines(unguarded=True)),
        ("{runs-on: gpu-set, environment: gpu}", Machines(("gpu",), ("gpu",))),
        ("{runs-on: {group: g}, environment: {name: gpu}}", Machines(("gpu",), ("gpu",))),
        (f'{{runs-on: gpu-set, environment: "{FORKS}"}}',
         Machines(("gpu", "gpu-forks"), ("gpu-forks",))),
        ("{runs-on: gpu-set, environment: \"${{ github.event_name == 'push' && 'a' || 'b' }}\"}",
         Machines(("a", "b"), ("a", "b"))),
    ],
)  # fmt: skip
def test_which_environments_guard_own_machines(job: str, expected: Machines) -> None:
    text = f"on: pull_request\njobs:\n  run: {job}\n".replace("run: runs-on", "run:\n    runs-on")
    file = read(".github/workflows/a.yml", text.encode()).file
    assert file is not None
    assert machines([file]) == expected
