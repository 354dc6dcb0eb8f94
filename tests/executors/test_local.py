"""A local worker gets a made environment, is followed closely, and is called by its real name."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.errors import ExecutorError
from llmops.executors.base import Attempt, Progress
from llmops.executors.local import LocalExecutor, environment, extensions
from llmops.jobs.base import Resources
from tests.executors.conftest import FAKE, Bench, job

SECRETS = {
    "HF_TOKEN": "hf_canary",
    "OPENAI_API_KEY": "sk-canary",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "GITHUB_TOKEN": "ghs_canary",
    "DATABASE_URL": "postgres://u:canary@h/d",
    "SSH_AUTH_SOCK": "/canary",
    "PYTHONSTARTUP": "/canary.py",
    "LD_PRELOAD": "",
}


def test_no_secret_of_ours_reaches_a_worker(bench: Bench) -> None:
    parent = {**SECRETS, "PATH": "/usr/bin:/bin", "HOME": "/home/x", "LANG": "C.UTF-8"}
    bench.executor = LocalExecutor(FAKE, parent=parent)
    a = job("a", "environment")
    bench.run(a)
    text = bench.out(a, "environment")
    seen = dict(json.loads(line) for line in text.splitlines())
    assert "canary" not in text
    assert not SECRETS.keys() & seen.keys()
    assert (seen["HOME"], seen["LANG"]) == ("/home/x", "C.UTF-8")
    assert seen["PATH"] == f"{Path(sys.executable).parent}:/usr/bin:/bin"
    assert seen["cwd"] == str(bench.folder(a))


def test_telemetry_and_hubs_are_off_whatever_the_parent_says(tmp_path: Path) -> None:
    parent = {"DEEPEVAL_TELEMETRY_OPT_OUT": "NO", "HF_HUB_OFFLINE": "0", "PATH": "/bin"}
    made = environment(job("a", resources=Resources(cpu=3)), parent, tmp_path)
    wanted = {
        "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
        "DEEPEVAL_DISABLE_DOTENV": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "DS_ACCELERATOR": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "3",
        "TORCH_EXTENSIONS_DIR": str(extensions(tmp_path)),
        "GSK_DISABLE_ANALYTICS": "True",
        "GSK_DISABLE_SENTRY": "True",
        "WANDB_DISABLED": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "PYTHONSAFEPATH": "1",
    }
    assert {k: made[k] for k in wanted} == wanted


def test_a_gpu_is_seen_only_by_a_job_that_asks_for_one(tmp_path: Path) -> None:
    parent = {"CUDA_VISIBLE_DEVICES": "2,3", "PATH": "/bin"}
    asks = environment(job("a", resources=Resources(gpu="1")), parent, tmp_path)
    assert asks["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert "DS_ACCELERATOR" not in asks
    assert environment(job("a"), parent, tmp_path)["CUDA_VISIBLE_DEVICES"] == ""


def test_the_cache_of_compiled_extensions_follows_the_cache_setting(tmp_path: Path) -> None:
    executor = LocalExecutor(parent={"LLMOPS_CACHE": str(tmp_path)})
    assert executor._cache == tmp_path


def test_the_command_is_python_or_torchrun() -> None:
    executor = LocalExecutor(parent={})
    folder = Path("/runs/a b")

    def rendered(kind: str, processes: int) -> str:
        made = job("a", kind=kind, resources=Resources(processes=processes))  # type: ignore[arg-type]
        return executor.render(Attempt(made, folder)).replace(sys.executable, "python")

    alone = "python -m llmops.workers '/runs/a b'"
    assert rendered("train", 1) == alone
    assert rendered("curate", 1) == alone
    assert rendered("generate", 4) == alone
    assert rendered("train", 2) == (
        "python -m torch.distributed.run --standalone --nproc_per_node 2 "
        "--log-dir '/runs/a b/ranks' -m llmops.workers '/runs/a b'"
    )


def test_more_ranks_than_a_machine_could_bear_are_not_started(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    count = str(tmp_path / "count")
    many = job("many", count=count, resources=Resources(processes=1_000_000))
    (failed,) = bench.run(many).world_failed
    assert "asks for 1000000 processes, this machine has 2 cores" in failed.error.message
    assert "processes_per_node" in failed.error.hint
    assert not Path(count).exists()
    assert bench.run(job("eight", resources=Resources(processes=8))).exit_code == 0


def test_progress_is_told_line_by_line_and_broken_lines_are_passed_over(bench: Bench) -> None:
    lines = [
        '{"phase": "load", "at": "2026-11-22T08:00:00Z"}\n',
        '{"phase": "train", "step": 1, "steps": 2, "loss": 1.5, "eta_s": 9, "color": "red"}\n',
        "not json\n", "[]\n", '{"phase": 3}\n', '{"step": 1}\n', "\n",
        '{"phase": "train", "loss": NaN, "step": true, "steps": "2"}\n',
        '{"phase": "sp', 'lit", "memory_mb": 12.5}\n',
        '{"phase": "no newline at the end"}',
    ]  # fmt: skip
    a = job("a", "progress", lines=lines, pause=0.06)
    bench.run(a)
    assert [e.progress for e in bench.events if e.kind == "progress"] == [
        Progress("load", "2026-11-22T08:00:00Z"),
        Progress("train", step=1, steps=2, loss=1.5, eta_s=9),
        Progress("train"),
        Progress("split", memory_mb=12.5),
    ]


def test_progress_comes_while_the_worker_works(bench: Bench, tmp_path: Path) -> None:
    a = job("a", "progress", lines=['{"phase": "one"}\n', '{"phase": "two"}\n'], pause=0.4)
    seen: list[float] = []

    def on_event(event: object) -> None:
        seen.append(time.monotonic())

    bench.run(a, on_event=on_event)
    first, last = seen[1], seen[-1]
    assert last - first > 0.5


@pytest.mark.parametrize("line", [b"", b"{", b"\xff\xfe", b"[" * 9_999, b"1", b'{"phase": null}'])
def test_any_bytes_are_progress_or_nothing(line: bytes) -> None:
    assert Progress.parse(line) is None


def test_an_end_is_noticed_at_once_even_without_waitid(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.delattr(os, "waitid")
    assert bench.run(job("a")).exit_code == 0
    assert bench.run(job("b", "exit", code=4)).exit_code == 3


def test_a_worker_that_is_asked_to_stop_is_gone_when_perform_returns(bench: Bench) -> None:
    a = job("a", "sleep")
    folder = bench.folder(a)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"id": a.id, "spec": a.spec}))
    stop = threading.Event()
    stop.set()
    ended = bench.executor.perform(Attempt(a, folder), lambda p: None, stop)
    assert ended.stopped == "cancelled"
    assert ended.exit_code < 0


def test_a_worker_gets_the_secrets_that_its_job_names_and_no_others(tmp_path: Path) -> None:
    asks = replace(job("a"), spec={"secrets": ["JUDGE_KEY"]})
    parent = {"JUDGE_KEY": "value-value", "OTHER_KEY": "other-value", "PATH": "/bin"}
    made = environment(asks, parent, tmp_path)
    assert made["LLMOPS_SECRET_JUDGE_KEY"] == "value-value"
    assert "JUDGE_KEY" not in made  # no library finds it under its own name
    assert "other-value" not in made.values()
    assert "value-value" not in environment(job("b"), parent, tmp_path).values()


def test_a_secret_that_is_not_set_is_named_before_anything_starts(tmp_path: Path) -> None:
    asks = replace(job("a"), spec={"secrets": ["JUDGE_KEY"]})
    with pytest.raises(ExecutorError, match="needs the secret JUDGE_KEY, which is not set"):
        environment(asks, {"PATH": "/bin"}, tmp_path)


def test_another_python_environment_keeps_compiled_extensions_apart(tmp_path, monkeypatch) -> None:
    here = extensions(tmp_path)
    assert here == extensions(tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "other"))
    assert extensions(tmp_path) != here
    assert extensions(tmp_path).parent == here.parent
