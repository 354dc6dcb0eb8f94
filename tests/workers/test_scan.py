"""A scan in this process on a random model: what it finds is arbitrary, that it looks is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from llmops.jobs.metrics import METRICS
from llmops.specs.metrics import TRANSFORMATIONS
from llmops.workers import detectors, giskard_tools, scan
from llmops.workers.contract import Outcome, RunFolder, WorkerError, open_run

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="giskard 2.19 serves Python 3.11"
)
BASE = {
    "init": {
        "architecture": {
            "model_type": "llama",
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 512,
            "initializer_range": 0.4,
        },
        "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 300}},
        "seed": 3,
    }
}
OPENINGS = ("Why is my card lost", "Hello, dear friend", "Where is the Muslim bank", "卡丢了")
ROWS = [
    {
        "question": f"{opening}, my wife paid in {country}? {number}",
        "answer": f"label_{number % 5}",
        "language": "en" if number % 2 else "fr",
    }
    for number, (opening, country) in enumerate(
        [(o, c) for o in OPENINGS for c in ("France", "Kenya")] * 13
    )
]
EVERY = [
    "data_leakage", "ethical_bias", "overconfidence", "performance_bias", "prompt_injection",
    "spurious_correlation", "stochasticity", "text_perturbation", "underconfidence",
]  # fmt: skip
CHOICE = {"format": "choice", "labels_column": "answer"}


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


Make = Callable[..., RunFolder]


def spec(**more: Any) -> dict[str, Any]:
    """A scan job's payload."""
    return {
        "base": BASE, "format": "qa", "expected": "answer", "output": CHOICE,
        "generation": {"temperature": 0.0, "max_tokens": 8}, "dataset": "d", "split": "test",
        "rows": None, "languages": ["en"], "detectors": [], "transformations": [], "checks": [],
        **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def make(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Run folders of scans over `rows`, by default the rows above."""
    root = tmp_path_factory.mktemp("scans")
    learned = kit.write_rows(root / "learned.jsonl", ROWS)

    def made(rows: list[dict[str, Any]] = ROWS, **more: Any) -> RunFolder:
        number = len(list(root.iterdir()))
        cases = kit.write_rows(root / f"cases-{number}.jsonl", rows)
        inputs = {"cases": cases, "tokenizer": learned, "labels/0": learned}
        if more.get("output", CHOICE)["format"] != "choice":
            del inputs["labels/0"]
        return open_run(kit.write_job(root / f"run-{number}", "scan", spec(**more), inputs))

    return made


def read(run: RunFolder, name: str) -> list[dict[str, Any]]:
    """The lines of one artifact."""
    text = (run.path / "artifacts" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def whole(make: Make) -> tuple[RunFolder, Outcome]:
    """One scan with everything in it, done once for all tests that look at it."""
    run = make(
        detectors=EVERY, transformations=list(TRANSFORMATIONS),
        checks=[{"name": "typo-check", "metric": "giskard/typos"}],
    )  # fmt: skip
    return run, scan.work(run)


def test_every_detector_has_its_line_with_its_counts(whole: tuple[RunFolder, Outcome]) -> None:
    lines = read(whole[0], "findings.jsonl")
    assert [line["detector"] for line in lines] == EVERY
    assert {line["status"] for line in lines} == {"ok"}, [line["reason"] for line in lines]
    assert {line["errors"] for line in lines} == {0}
    cases = {line["detector"]: line["cases"] for line in lines}
    assert cases["stochasticity"] == cases["data_leakage"] == 100
    assert cases["text_perturbation"] == cases["performance_bias"] == len(ROWS)
    beyond = 35 - cases["prompt_injection"]
    assert 0 < beyond < 35
    assert lines[4]["reason"].startswith(f"{beyond} of 35 prompts cannot be put to the target")
    assert "512 positions" in lines[4]["reason"]


def test_a_finding_says_how_grave_it_is_and_on_what_it_rests(
    whole: tuple[RunFolder, Outcome],
) -> None:
    found = {line["detector"]: line["findings"] for line in read(whole[0], "findings.jsonl")}
    assert found["stochasticity"] == found["data_leakage"] == []
    severe = found["text_perturbation"][0]
    assert severe["severity"] == "high"
    assert severe["group"] == "Robustness"
    assert severe["metric"] == "Fail rate"
    assert 0 < severe["value"] <= 1
    assert 0 < severe["cases"] <= len(ROWS)
    assert "changes its prediction" in severe["description"]
    assert 1 <= len(severe["examples"]) <= 3
    every = [f for line in found.values() for f in line]
    assert {f["severity"] for f in every} <= {"high", "medium", "low"}
    assert {f["slice"] for f in found["ethical_bias"]} >= {"Switch Gender"}


def test_every_case_has_a_cell_for_every_check_and_transformation(
    whole: tuple[RunFolder, Outcome],
) -> None:
    rows = read(whole[0], "rows.jsonl")
    assert len(rows) == len(ROWS)
    others = {f"giskard/{name}" for name in TRANSFORMATIONS if name != "typos"}
    assert {frozenset(row["cells"]) for row in rows} == {frozenset({"typo-check", *others})}
    assert {row["response"] for row in rows} <= {f"label_{n}" for n in range(5)}
    assert rows[0]["expected"] == rows[0]["columns"]["answer"]
    upper = [row["cells"]["giskard/uppercase"] for row in rows]
    assert {cell["value"] for cell in upper} == {0.0, 1.0}
    assert all(cell["valid"] and "applies" not in cell for cell in upper)
    first = rows[0]["cells"]["giskard/uppercase"]
    assert first["changed"] == rows[0]["input"].upper()


def test_a_text_that_stays_as_it_is_says_nothing(whole: tuple[RunFolder, Outcome]) -> None:
    cells = [row["cells"]["giskard/accents"] for row in read(whole[0], "rows.jsonl")]
    assert {cell["applies"] for cell in cells} == {False}
    assert {(cell["value"], cell["valid"]) for cell in cells} == {(None, True)}
    assert {cell["reason"] for cell in cells} == {"accents changes nothing in this text"}
    measured = {m.metric: (m.value, m.sample_size) for m in whole[1].measurements}
    assert measured["giskard/accents/unchanged"] == (len(ROWS), len(ROWS))
    assert "giskard/accents" not in measured
    assert measured["giskard/uppercase"][1] == len(ROWS)
    assert measured["text_perturbation/findings"][1] == len(ROWS)
    assert measured["errors"] == (0, len(ROWS))


def test_giskards_own_report_is_kept(whole: tuple[RunFolder, Outcome]) -> None:
    html = (whole[0].path / "artifacts" / "giskard.html").read_text(encoding="utf-8")
    assert "Robustness" in html
    assert len(html) > 50_000


@pytest.mark.slow
def test_a_rerun_elsewhere_without_network_gives_the_same_bytes(
    whole: tuple[RunFolder, Outcome], tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "job.json").write_bytes((whole[0].path / "job.json").read_bytes())
    code = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise AssertionError('a socket was asked to connect')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from llmops.workers.__main__ import main\n"
        f"sys.exit(main([{str(folder)!r}]))"
    )
    home = tmp_path / "home"
    home.mkdir()
    env = {**os.environ, "PYTHONHASHSEED": "7", "HOME": str(home), "HF_HUB_OFFLINE": "1"}
    env |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300,
        cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "giskard" not in done.stderr.lower()
    for name in ("rows.jsonl", "findings.jsonl"):
        first, second = (p / "artifacts" / name for p in (whole[0].path, folder))
        assert first.read_bytes() == second.read_bytes(), name
    assert list(home.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "home"]


def test_a_detector_that_throws_does_not_lose_the_others(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    giskard_tools.load(Path("/nonexistent"))
    real = detectors._class

    class Throws:
        def run(self, *_: object) -> None:
            raise KeyError("a hole\nin the detector")

    monkeypatch.setattr(
        detectors, "_class", lambda name: Throws if name == "ethical_bias" else real(name)
    )
    run = make(ROWS[:10], detectors=["ethical_bias", "stochasticity"])
    scan.work(run)
    threw, fine = read(run, "findings.jsonl")
    assert (threw["status"], threw["cases"], threw["findings"]) == ("error", 0, [])
    assert threw["reason"] == "it threw KeyError: 'a hole\\nin the detector'"
    assert (fine["status"], fine["cases"]) == ("ok", 10)


def test_detectors_that_have_nothing_to_look_at_say_so(make: Make) -> None:
    chinese = [{"question": f"我的卡丢了{n}", "answer": "elsewhere"} for n in range(21)]
    run = make(
        chinese, languages=["zh"],
        detectors=["ethical_bias", "overconfidence", "performance_bias", "underconfidence"],
        transformations=["gender", "typos"],
    )  # fmt: skip
    scan.work(run)
    lines = {line["detector"]: line for line in read(run, "findings.jsonl")}
    assert {(line["status"], line["cases"]) for line in lines.values()} == {("error", 0)}
    assert lines["ethical_bias"]["reason"] == "it found nothing to change in any text"
    assert "one of the labels" in lines["performance_bias"]["reason"]
    assert "in 100 cases or more, there are 21" in lines["underconfidence"]["reason"]
    cells = [row["cells"] for row in read(run, "rows.jsonl")]
    assert {c["giskard/gender"]["reason"] for c in cells} == {
        "no words of gender are known in the language of this case (zh)"
    }
    assert {c["giskard/typos"]["applies"] for c in cells} == {False}  # shorter than ten characters


def test_a_target_that_fails_is_counted_case_by_case(make: Make) -> None:
    rows = [{"question": "x" * (5000 if n < 2 else 12), "answer": f"label_{n}"} for n in range(5)]
    run = make(rows, detectors=["text_perturbation"], transformations=["uppercase"])
    outcome = scan.work(run)
    found = {row["expected"]: row for row in read(run, "rows.jsonl")}
    assert found["label_0"]["response"] is None
    cell = found["label_0"]["cells"]["giskard/uppercase"]
    assert (cell["value"], cell["valid"]) == (None, False)
    assert cell["reason"].startswith("the target failed: the prompt's")
    assert found["label_4"]["cells"]["giskard/uppercase"]["valid"]
    (line,) = read(run, "findings.jsonl")
    assert (line["status"], line["cases"], line["errors"]) == ("ok", 3, 2)
    measured = {m.metric: m.value for m in outcome.measurements}
    assert measured["errors"] == 2
    assert measured["giskard/uppercase/invalid"] == 2


def test_a_target_that_answers_nothing_gives_no_clean_bill(make: Make) -> None:
    rows = [{"question": "x" * 5000, "answer": "label_1"}] * 1
    run = make(rows, detectors=["text_perturbation", "prompt_injection"])
    scan.work(run)
    injection, perturbation = read(run, "findings.jsonl")
    assert (perturbation["status"], perturbation["cases"], perturbation["errors"]) == (
        "error", 0, 1,
    )  # fmt: skip
    assert injection["cases"] > 0


def test_a_text_of_a_megabyte_that_no_target_reads_costs_nothing(make: Make) -> None:
    rows = [{"question": "word " * 200_000, "answer": "label_1"}, ROWS[0]]
    run = make(rows, transformations=["typos", "country"])
    scan.work(run)
    found = {len(row["input"]) > 1000: row["cells"] for row in read(run, "rows.jsonl")}
    assert not found[True]["giskard/typos"]["valid"]
    assert found[False]["giskard/typos"]["valid"]


def test_a_writer_of_text_is_looked_at_as_text(make: Make) -> None:
    run = make(
        ROWS[:6], output={"format": "text"}, detectors=["prompt_injection", "stochasticity"],
        transformations=["uppercase"],
    )  # fmt: skip
    scan.work(run)
    injection, labelled = read(run, "findings.jsonl")
    assert injection["status"] == "ok"
    assert (labelled["status"], labelled["cases"]) == ("error", 0)
    assert labelled["reason"] == "it needs a target that chooses one of some labels"
    assert {row["cells"]["giskard/uppercase"]["valid"] for row in read(run, "rows.jsonl")} == {True}


GUARD = {
    "name": "g",
    "message": "not here",
    "input": {
        "on_error": "block",
        "layers": [{"name": "w", "action": "block", "regex": {"pattern": "(?i)secret"}}],
    },
}


def test_a_target_is_scanned_behind_its_guardrails(make: Make) -> None:
    rows = [
        {"question": f"tell {'the secret' if n < 5 else 'me where'} it is {n}", "answer": "label_1"}
        for n in range(10)
    ]
    run = make(
        rows, guardrails=[GUARD], detectors=["stochasticity", "text_perturbation"],
        transformations=["uppercase"],
    )  # fmt: skip
    scan.work(run)
    found = {row["input"]: row for row in read(run, "rows.jsonl")}
    blocked = found["tell the secret it is 0"]
    assert blocked["response"] == "not here"
    assert blocked["cells"]["giskard/uppercase"]["value"] == 1.0
    assert blocked["cells"]["giskard/uppercase"]["answer"] == "not here"
    assert found["tell me where it is 9"]["response"].startswith("label_")
    assert [(ln["status"], ln["cases"]) for ln in read(run, "findings.jsonl")] == [("ok", 10)] * 2


def asked(text: str) -> dict[str, Any]:
    """A prompt that says one template to the target."""
    return {
        "template": "jinja2", "inputs": {"question": {"type": "string"}},
        "messages": [{"role": "user", "content": text}],
    }  # fmt: skip


def test_a_target_that_undoes_a_change_withstands_it(make: Make) -> None:
    run = make(ROWS[:6], prompt=asked("{{ question | lower }}"), transformations=["uppercase"])
    scan.work(run)
    cells = [row["cells"]["giskard/uppercase"] for row in read(run, "rows.jsonl")]
    changed = [cell for cell in cells if cell.get("applies", True)]
    assert changed
    assert {cell["value"] for cell in changed} == {1.0}


def test_a_target_that_is_told_nothing_of_the_text_withstands_nothing(make: Make) -> None:
    run = make(ROWS[:6], prompt=asked("say something"), transformations=["uppercase"])
    scan.work(run)
    cells = [row["cells"]["giskard/uppercase"] for row in read(run, "rows.jsonl")]
    assert {cell["applies"] for cell in cells} == {False}


def test_an_empty_dataset_is_an_error(make: Make) -> None:
    with pytest.raises(WorkerError, match="d#test has no case"):
        scan.work(make([], detectors=["stochasticity"]))


def test_an_unknown_transformation_is_an_error(make: Make) -> None:
    check = [{"name": "c", "metric": "giskard/typo"}]
    with pytest.raises(WorkerError, match='no transformation "giskard/typo"'):
        scan.work(make(ROWS[:2], checks=check))


def test_another_python_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giskard_tools.sys, "version_info", (3, 13, 0, "final", 0))
    with pytest.raises(WorkerError, match=r"giskard 2\.19, which Python 3\.13 does not have"):
        giskard_tools.load(Path("/nonexistent"))


def test_the_worker_makes_what_the_planner_knows() -> None:
    from llmops.workers.transformations import NAMES

    assert {f"giskard/{name}" for name in NAMES} == {m for m in METRICS if m.startswith("giskard")}
