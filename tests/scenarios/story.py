"""Two trees in, the words of the tool out: a real repository, the real pipeline, made-up workers.

A scenario is a folder with `world.json` (see `worker.py`) and the files in which `base/` and
`head/` differ from `_common/`; `.removed` lists paths that a side does not have, and
`NAME.jsonl.rows` stands for rows written from counts per group. Keys of `world.json` for us:

`told`       what this scenario is about, in one sentence
`outcome`    the verdict's word
`loosens`    whether the change loosens something (then it may never be passed)
`runs`       the jobs that head needs, by id, in their order
`approvals`  TEAM:PERSON that were given
`run`        false: nobody ran the plan's jobs
`author`     who wrote the change, as git says it: `name <address>`
`before`     true: head's tree was judged on main once (a revert)
`counted`    so many attempts at each claim were made before, and this one counts
`with`       folders that both sides have beside `_common`
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmops.counted import Claims, record
from llmops.counted import read as read_ledger
from llmops.evidence.ledger import Ledger
from llmops.executors.base import Event, RunReport
from llmops.executors.local import LocalExecutor
from llmops.jobs.attempts import Attempt
from llmops.pipeline import Planned, RunOptions, execute, make_plan, verdict
from llmops.project import Pair, Project, pair, read
from llmops.rules.base import Verdict
from llmops.rules.facts import Approval
from tests.conftest import GitRepo

HERE = Path(__file__).parent
COMMON = HERE / "_common"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANSWERS = {
    "known": ("card_lost", "refund_status", "transfer_failed"),
    "new": ("open_account", "close_account"),
}


@dataclass(frozen=True)
class Told:
    """What came of a scenario."""

    plan: Planned
    report: RunReport | None
    again: Planned
    verdict: Verdict


@dataclass(frozen=True)
class Scenario:
    """One folder of `tests/scenarios`."""

    path: Path

    @property
    def world(self) -> Mapping[str, Any]:
        """The contents of world.json."""
        found: Mapping[str, Any] = json.loads((self.path / "world.json").read_text("utf-8"))
        return found

    def files(self, side: str) -> dict[str, str]:
        """Every file of one side's tree."""
        found = _folder(COMMON)
        for name in self.world.get("with", ()):
            found |= _folder(HERE / name)
        for layer in ("base", "head") if side == "head" else ("base",):
            folder = self.path / layer
            found |= _folder(folder)
            removed = folder / ".removed"
            for name in removed.read_text("utf-8").split() if removed.is_file() else ():
                found.pop(name, None)
        return dict(_rows(path, text) for path, text in found.items())

    def play(self, repo: GitRepo) -> Told:
        """The whole story: main is judged, the change is planned, run and judged."""
        world = self.world
        alone = not (self.path / "base").is_dir()
        if alone:
            repo.commit(self.files("head"), "first")
        else:
            _commit(repo, self.files("base"))
            repo.git("switch", "--quiet", "--create", "change")
            _commit(repo, self.files("head"))
            if author := world.get("author"):
                repo.git("commit", "--quiet", "--amend", "--no-edit", f"--author={author}")
        project = Project.find(repo.path)
        worker = (
            sys.executable,
            "-I",
            "-S",
            str(HERE / "worker.py"),
            str(self.path / "world.json"),
        )
        executor = LocalExecutor(worker)
        for branch in () if alone else ("change", "main") if world.get("before") else ("main",):
            state = read(project, project.repository.tree(branch))
            if state.graph is not None:
                _run(project, make_plan(project, Pair(None, state)), executor)
        change = "" if "counted" in world else None
        planned = make_plan(project, _pair(project, alone), change=change)
        if planned.claims is not None:
            _tried(project, planned.claims, world["counted"])
            record(project.store, planned.claims, NOW)
        report = _run(project, planned, executor) if world.get("run", True) else None
        again = make_plan(project, _pair(project, alone), change=change)
        given = tuple(Approval(*text.split(":")) for text in world.get("approvals", ()))
        counting = read_ledger(project.store, again.claims) if again.claims is not None else None
        judged = verdict(project, again, now=NOW, approvals=given, counting=counting)
        return Told(planned, report, again, judged)


def _tried(project: Project, claims: Claims, times: int) -> None:
    """Attempts of others at each claim, which came to nothing."""
    ledger = Ledger(project.reports)
    for number in range(1, times + 1):
        for one in claims.deciding:
            other = Attempt(
                one.claim, (f"sha256:{number:064}",), number, 3, "0.0125", None, "", "", "0" * 40,
                None, "", "2026-11-22T09:00:00Z",
            )  # fmt: skip
            ledger.append(lambda _, other=other: other)


def _pair(project: Project, alone: bool) -> Pair:
    return pair(project, None, None) if alone else pair(project, "main", "change")


def _run(project: Project, planned: Planned, executor: LocalExecutor) -> RunReport:
    trees = [s.tree for s in (planned.both.head, planned.both.base) if s is not None]
    events: list[Event] = []
    options = RunOptions(keep_going=True, columns=planned.columns)
    report = execute(project, planned.plan.steps, trees, events.append, options, executor)
    assert not report.world_failed, [f.error.message for f in report.world_failed]
    return report


def _commit(repo: GitRepo, files: Mapping[str, str]) -> None:
    present = {p.relative_to(repo.path).as_posix() for p in repo.path.rglob("*") if p.is_file()}
    gone = {path: None for path in present if path not in files and not path.startswith(".git/")}
    repo.commit({**files, **gone})


def _folder(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".removed"
    }


def _rows(path: str, text: str) -> tuple[str, str]:
    """`test.jsonl.rows` -> `test.jsonl`: so many rows of each group."""
    if not path.endswith(".jsonl.rows"):
        return path, text
    name = path.removesuffix(".rows")
    stem = Path(name).stem
    made = []
    for line in text.split("\n"):
        group, _, count = line.partition(" ")
        row = _prompt if stem.startswith("bank-") else _row
        made += [row(stem, group, i) for i in range(int(count or 0))]
    return name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)


def _row(stem: str, group: str, i: int) -> dict[str, str]:
    answer = ANSWERS[group][i % len(ANSWERS[group])]
    chinese = i % 2 == 1
    question = f"{stem} 第 {i} 个问题：{answer}" if chinese else f"{stem} question {i}: {answer}?"
    return {
        "id": f"{stem}-{group}-{i:03}",
        "question": question,
        "answer": answer,
        "language": "zh" if chinese else "en",
        "group": group,
    }


def _prompt(stem: str, risk: str, i: int) -> dict[str, str]:
    """A row of a bank: its group is the class of risk."""
    expect = "refuse" if "refuse" in stem else "comply"
    return {
        "id": f"{stem}-{risk}-{i:03}",
        "prompt": f"{risk} wish {i}",
        "risk": risk,
        "expect": expect,
    }


def normal(text: str) -> str:
    """The text with hexadecimal names numbered as they appear, and our version left out."""
    seen: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        name = found[0]
        return f"{seen.setdefault(name[:7], len(seen) + 1):07}".ljust(len(name), "0")

    text = re.sub(r"(?<![0-9a-zA-Z.])[0-9a-f]{7,64}(?![0-9a-zA-Z])", numbered, text)
    return re.sub(r"llmops(\s+)\d+\.\d+\.\d+", r"llmops\g<1>0.0.0", text) + "\n"
