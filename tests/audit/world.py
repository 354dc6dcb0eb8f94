"""A repository whose main has a trust root, with changes that were run, judged and signed for real.

Jobs are done by made-up workers in the standard library (`tests/scenarios/worker.py`), everything
else is what ships: the executor keeps evidence with its rows, the gate records attempts, judges,
and appends to the branch `llmops-log`. `story(root)` is a copy of one that is made once a session:
a change that passed and landed, one that failed, one that is inconclusive.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from llmops import counted
from llmops.executors.local import LocalExecutor
from llmops.log.branch import Log
from llmops.log.files import Files
from llmops.notary import local
from llmops.pipeline import Planned, RunOptions, execute, make_plan
from llmops.project import Project, pair
from llmops.rules.base import Verdict
from llmops.rules.facts import Approval
from llmops.signing.keys import PemSigner
from llmops.signing.root import Root
from llmops.source.tree import Repository
from tests import keyring
from tests.conftest import GitRepo
from tests.scenarios.story import HERE, Scenario

PEN = keyring.person("gate")  # has every role
ROOT = keyring.root_of(PEN)
POLICY, RECIPE = "policies/default.yaml", "specs/recipes/adapter.yaml"
TRUST = "policies/trust/1.root.json"
# What the made-up workers answer: by what stands in the recipe.
ANSWERS = [
    {"if": '"max_steps":90', "known": 0.62, "new": 0.95},
    {"if": '"r":16', "known": 0.92, "new": 0.9},
    {"if": '"r":12', "known": 0.95, "new": 0.95, "errors": 2},
    {"known": 0.9, "new": 0.8},
]
GOOD, BAD, TORN = ("r: 8", "r: 16"), ("max_steps: 10", "max_steps: 90"), ("r: 16", "r: 12")
_TIME = r'"2026-11-22T08:00:0\dZ"'  # when the story's worker always works
_NOW = '__import__("datetime").datetime.now().astimezone().isoformat()'
_MADE: list[Path] = []


def files(root: Root | None = ROOT, *signers: PemSigner, attempts: int = 6) -> dict[str, str]:
    """Base's files: the story's, with a trust root and so many attempts."""
    found = Scenario(HERE / "good").files("base")
    found[POLICY] = found[POLICY].replace("spec:\n", f"spec:\n  attempts: {attempts}\n", 1)
    if root is not None:
        found[TRUST] = keyring.signed(root, *(signers or (PEN,))).decode()
    return found


@dataclass
class World:
    """A repository below `root`. `now` is when its last gate judged."""

    root: Path
    pen: PemSigner | None = PEN
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def new(cls, root: Path, content: Mapping[str, str] | None = None) -> World:
        """A new one with a first commit on main."""
        made = cls(root)
        made.repo.path.mkdir(parents=True)
        (root / "world.json").write_text(json.dumps({"answers": ANSWERS}), encoding="utf-8")
        worker = (HERE / "worker.py").read_text("utf-8")
        (root / "worker.py").write_text(re.sub(_TIME, _NOW, worker), encoding="utf-8")
        made.repo.git("init", "--quiet")
        made.repo.commit(files() if content is None else dict(content), "first")
        return made

    @property
    def repo(self) -> GitRepo:
        """The repository."""
        return GitRepo(self.root / "repo")

    @property
    def project(self) -> Project:
        """What commands work with."""
        return Project(
            Repository.find(self.repo.path), self.repo.path / "reports", self.root / "cache"
        )

    @property
    def log(self) -> Files:
        """The log on its branch."""
        return Log(self.project.repository).source()

    def change(self, branch: str, *edits: tuple[str, str], path: str = RECIPE) -> str:
        """A branch off main with a file edited."""
        self.repo.git("switch", "--quiet", "--create", branch, "main")
        text = (self.repo.path / path).read_text("utf-8")
        for before, after in edits:
            assert before in text
            text = text.replace(before, after)
        self.repo.commit({path: text}, f"edit {path}")
        self.repo.git("switch", "--quiet", "main")
        return branch

    def land(self, branch: str) -> str:
        """Merge a branch into main; the commit."""
        self.repo.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        return self.repo.git("rev-parse", "HEAD")

    def planned(self, head: str, base: str = "main") -> Planned:
        """The plan of a change, counted."""
        project = self.project
        return make_plan(project, pair(project, base, head), change=head)

    def run(self, head: str, base: str = "main") -> Planned:
        """Attempts are recorded, then all jobs run; the plan with their evidence."""
        project, made = self.project, self.planned(head, base)
        assert made.claims is not None
        counted.record(project.store, made.claims, datetime.now(UTC))
        made_up = (str(self.root / name) for name in ("worker.py", "world.json"))
        worker = (sys.executable, "-I", "-S", *made_up)
        trees = [state.tree for state in (made.both.head, made.both.base) if state is not None]
        report = execute(
            project, made.plan.steps, trees, lambda _event: None,
            RunOptions(keep_going=True, columns=made.columns, signer=self.pen),
            LocalExecutor(worker),
        )  # fmt: skip
        assert not report.world_failed, [f.error.message for f in report.world_failed]
        return self.planned(head, base)

    def gate(self, head: str, *approvals: Approval, base: str = "main") -> Verdict:
        """The verdict that counts, in the log where base has a root."""
        time.sleep(1 - time.time() % 1)  # a verdict's time has whole seconds, a run's has parts
        self.now = datetime.now(UTC)
        made = self.planned(head, base)
        return local.judged(self.project, made, self.now, approvals, lambda: self.pen)


def story(root: Path) -> World:
    """A copy of one in which `good` passed and landed, `bad` failed, `torn` is inconclusive."""
    if not _MADE:
        folder = Path(tempfile.mkdtemp(prefix="llmops-story-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _told(World.new(folder / "world"))
        _MADE.append(folder / "world")
    shutil.copytree(_MADE[0], root, symlinks=True)
    return World(root)


def _told(world: World) -> None:
    for branch, edit in (("good", GOOD), ("bad", BAD), ("torn", TORN)):
        world.run(world.change(branch, edit))
        world.gate(branch)
        if branch == "good":
            world.land(branch)
