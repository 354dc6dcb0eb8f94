from __future__ import annotations

import pytest

from llmops.executors.folder import cause

TORCHRUN = (
    "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
    "============================================================",
    "llmops.workers FAILED",
    "------------------------------------------------------------",
    "Failures:",
    "[1]:",
    "  rank      : 0 (local_rank: 0)",
    "  exitcode  : -15 (pid: 23737)  (SIGTERM)",
    "Root Cause (first observed failure):",
    "[0]:",
    "  rank      : 1 (local_rank: 1)",
    "  exitcode  : {code}",
    "  error_file: <N/A>",
    "============================================================",
)


def torchrun(code: str) -> list[str]:
    return [line.format(code=code) for line in TORCHRUN]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("-9 (pid: 23738)  (SIGKILL)", "killed by SIGKILL (out of memory?)"),
        ("-11 (pid: 7) (SIGSEGV)", "killed by SIGSEGV"),
    ],
)
def test_a_killed_rank_is_told_and_not_what_its_peers_said_about_it(code: str, told: str) -> None:
    log = ["[rank0]: RuntimeError: connection closed by peer", *torchrun(code)]
    assert cause(log) == f"one of its ranks was {told}"


def test_a_rank_that_raised_is_told_by_its_error() -> None:
    log = ["Traceback (most recent call last):", "[rank0]: OSError: [Errno 28] No space left"]
    assert cause([*log, *torchrun("1 (pid: 3)")]) == "OSError: [Errno 28] No space left"


def test_the_last_line_tells_where_no_error_does() -> None:
    assert cause(["hello", "segmentation fault"]) == "segmentation fault"
    assert cause(torchrun("1 (pid: 3)"))[:3] == "==="
    assert cause([]) == ""
