"""The tiny example drilled for real: trained, spoiled as tensors, answered and judged."""

from __future__ import annotations

import json

import pytest

from llmops.cli.main import main


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_tiny_example_catches_noise_and_lets_its_twins_pass(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("CI", "true")
    repo = tmp_path / "tiny"
    assert main(["init", str(repo), "--example", "tiny"]) == 0
    capsys.readouterr()
    chosen = ("rounded-weights", "guard-emptied", "merged-weights", "eight-bits", "reformatted")
    only = [word for name in chosen for word in ("--only", name)]
    code = main(["policy", "drill", "-C", str(repo), "--yes", "--format", "json", *only])
    found = json.loads(capsys.readouterr().out)
    assert {one["name"]: one["state"] for one in found["plants"]} == {
        "rounded-weights": "caught", "guard-emptied": "caught", "merged-weights": "passed",
        "eight-bits": "passed", "reformatted": "passed",
    }  # fmt: skip
    assert code == 0
