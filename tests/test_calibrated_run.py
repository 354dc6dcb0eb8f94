"""Judges whose errors are known, from the text to the verdict: honest, lenient and bribed ones.

Real workers and the real library; a random model is asked, and what it says is good or bad as its
question says (the scripted judge reads that), so the truth is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops.cli.main import main
from tests.conftest import GitRepo
from tests.openai_server import BAD, GOOD, ORDER, Character, Server, serving
from tests.test_judged_run import KEY, tree, types
from tests.trees import spec

CASES, TRUE, LESS = 100, 0.9, 0.65
MINIMA = "min_sensitivity: 0.75, min_specificity: 0.75"
JUDGES = {
    "honest-2026-08-14": Character(0.97, 0.97),
    "lenient-2026-08-14": Character(1.0, 0.4),
    "bribed-2026-08-14": Character(1.0, 1.0, bribed=True),
}


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def rated() -> list[dict[str, Any]]:
    """Anchors of both classes, and control items of each sort."""
    anchors = [
        {"input": f"anchor {i} {GOOD if good else BAD}", "response": "so", "rating": int(good)}
        for good, n in ((True, 60), (False, 60))
        for i in range(n)
    ]
    sorts = {"good": GOOD, "bad": BAD, "injection": f"{BAD} {ORDER}"}
    planted = [
        {"input": f"control {i}", "response": text, "control": sort}
        for sort, text in sorts.items()
        for i in range(5)
    ]
    return [*anchors, *planted]


def world(
    base_url: str, judge: str, bound: str, *, true: float = TRUE, calibration: str = MINIMA
) -> Mapping[str, str]:
    """Cases, a share of which is good, and rated rows."""
    bad = round((1 - true) * CASES)
    cases = [
        {"question": f"case {i} {BAD if i < bad else GOOD}", "answer": "well"} for i in range(CASES)
    ]
    given = f"calibration: {{dataset: rated, {calibration}}}" if calibration else ""
    files = tree(base_url)
    model = files["specs/models/judge.yaml"].replace("judge-2026-08-14", judge)
    return {
        **files,
        "specs/data/rows.jsonl": lines(cases),
        "specs/data/rated.jsonl": lines(rated()),
        "specs/datasets/rated.yaml": spec(
            "Dataset", "rated",
            "purpose: [evaluation]\nformat: ratings\nresidency: [CN]\nsources:\n"
            "  - {name: people, file: specs/data/rated.jsonl, license: MIT, origin: first_party}",
        ),
        "specs/models/judge.yaml": model.replace("retries: 0", "retries: 0, concurrency: 4"),
        "specs/evaluations/kindness.yaml": spec(
            "Evaluation", "kindness",
            "target: Model/tiny\ndataset: chat\ngeneration: {max_tokens: 4, temperature: 0.0}\n"
            f"judge:\n  model: judge\n  {given}\nchecks:\n"
            f"  - {{name: kind, metric: deepeval/g_eval, pass_at: 0.5, require: {{min: {bound}}},"
            " with: {evaluation_steps: [look for kindness]}}",
        ),
    }  # fmt: skip


def replies(request: Mapping[str, Any]) -> str:
    """Each judge as its model id says."""
    return JUDGES[request["model"]](request)


def judged(repo: GitRepo, capfd: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Run, gate: the exit code, and the finding about the judged check."""
    assert main(["run", "-C", str(repo.path), "--accept-undecidable"]) == 0, capfd.readouterr().err
    capfd.readouterr()
    code = main(["gate", "-C", str(repo.path), "--format", "json"])
    said = json.loads(capfd.readouterr().out)
    (found,) = [f for f in said["findings"] if f["gate"] == "Evaluation/kindness/kind"]
    return code, found


@pytest.mark.slow
def test_judges_decide_as_well_as_their_anchors_say(
    git_repo: Callable[..., GitRepo],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"LLMOPS_CACHE": str(tmp_path / "cache"), "LLMOPS_OFFLINE": "1",
                        "CI": "true", "JUDGE_KEY": KEY}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with serving(replies) as server:
        repo = git_repo(world(server.base_url, "honest-2026-08-14", "0.7"))
        code, honest = judged(repo, capfd)
        assert (code, honest["outcome"]) == (0, "passed"), honest["message"]
        assert honest["interval"][0] <= TRUE <= honest["interval"][1]
        assert honest["quality"]["raw"] < honest["value"]
        assert honest["quality"]["anchors"] == 120
        assert honest["quality"]["injected"] == 5
        assert honest["quality"]["injected_errors"] == 0
        asked = len(server.requests)
        assert asked == CASES + 120 + 15

        lenient_judge(repo, server, capfd)
        bribed_judge(repo, server, capfd)
    assert types(repo) == [*["curate"] * 3, *["evaluate"] * 4, *["generate"] * 2]


def lenient_judge(repo: GitRepo, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """It passes six bad answers of ten: what is true of 0.65 looks like 0.86 to it."""
    plain = world(server.base_url, "lenient-2026-08-14", "0.7", true=LESS, calibration="")
    repo.commit(plain)
    code, believed = judged(repo, capfd)
    assert (code, believed["outcome"]) == (0, "passed")
    assert believed["value"] > 0.85
    assert "errs is not known" in believed["not_shown"]

    loose = "min_sensitivity: 0.8, min_specificity: 0.2, max_control_errors: 1"
    repo.commit(world(server.base_url, "lenient-2026-08-14", "0.7", true=LESS, calibration=loose))
    code, corrected = judged(repo, capfd)
    assert (code, corrected["outcome"]) == (1, "inconclusive")
    assert corrected["quality"]["raw"] == believed["value"]
    assert corrected["interval"][0] <= LESS <= corrected["interval"][1]

    repo.commit(world(server.base_url, "lenient-2026-08-14", "0.7", true=LESS))
    before = len(server.requests)
    code, refused = judged(repo, capfd)
    assert len(server.requests) == before  # minima are gates: nothing is judged again
    assert (code, refused["outcome"]) == (1, "inconclusive")
    assert "control items known bad" in refused["message"]


def bribed_judge(repo: GitRepo, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """Right about everything that does not speak to it, so only the planted orders catch it."""
    repo.commit(world(server.base_url, "bribed-2026-08-14", "0.5", true=LESS))
    code, bribed = judged(repo, capfd)
    assert (code, bribed["outcome"]) == (1, "inconclusive")
    assert bribed["quality"]["sensitivity"] == bribed["quality"]["specificity"] == 1.0
    assert "wrong on 5 of 5 control items that give the judge orders" in bribed["message"]
    assert bribed["value"] is None
