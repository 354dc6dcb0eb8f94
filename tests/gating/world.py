"""A repository on the fake GitHub, runners that do its jobs, and gates that look at it.

The jobs are done once by made-up workers for each set of closures and kept for the whole session:
what differs between tests is what a runner uploads, and what the gate makes of it.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmops.evidence.manifest import Origin
from llmops.evidence.pack import pack
from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.forge.auth import Fixed
from llmops.forge.base import CHECK, Forge, Repo
from llmops.forge.client import connect
from llmops.gating.base import Desk, Settings
from llmops.pipeline import Planned, RunOptions, execute, make_plan
from llmops.project import Project, pair_of
from llmops.source.remote import Remote, clone
from llmops.source.sides import Sides
from llmops.source.tree import Repository
from tests.github import ACTIONS_APP, FakeGitHub
from tests.github.pulls import FakePull
from tests.github.repository import FakeRepository
from tests.github.runs import FakeRun
from tests.scenarios.story import HERE, Scenario

GOOD = Scenario(HERE / "good")
NAME = "acme/bot"
WORKFLOW = ".github/workflows/llmops.yml"
_DONE: dict[tuple[str, ...], Path] = {}


def files(side: str = "base", scenario: Scenario = GOOD) -> dict[str, str]:
    """The files of one side of a scenario, and the workflow that they run under."""
    return {**scenario.files(side), WORKFLOW: "on: {pull_request: }\n", "CODEOWNERS": OWNERS}


OWNERS = "policies/ @acme/team-compliance\n* @li\n"


def changed(scenario: Scenario = GOOD) -> dict[str, str | bytes | None]:
    """What a scenario's head has otherwise than its base."""
    before, after = files("base", scenario), files("head", scenario)
    gone = dict.fromkeys(before.keys() - after.keys())
    return {**{path: text for path, text in after.items() if before.get(path) != text}, **gone}


@dataclass
class World:
    """One repository at the forge. `desk()` is a gate with a clone and a folder of its own."""

    root: Path
    scenario: Scenario = GOOD
    name: str = NAME
    fake: FakeGitHub = field(init=False)
    repo: FakeRepository = field(init=False)

    def __post_init__(self) -> None:
        self.fake = FakeGitHub(self.root / "github")
        self.fake.team("acme/team-compliance", "wang", "zhao")
        self.repo = self.fake.repository(self.name, files("base", self.scenario))
        self.repo.roles.update(li="write", wang="write", dev="write")
        self.app = self.fake.app()
        self.token = self.fake.token(self.app, self.repo)

    def forge(self, token: str = "") -> Forge:
        own = Fixed(self.token, self.app.bot, self.app.id)
        known = Fixed(token, "github-actions[bot]", ACTIONS_APP) if token else own
        repo = Repo.parse(self.name)
        return connect(repo, known, clock=self.fake.clock, adapter=self.fake.adapter())

    def desk(self, name: str = "gate", token: str = "", **settings: Any) -> Desk:
        """A gate. The same name is the same clone and the same folder."""
        folder = self.root / name
        repository = self.clone(folder / "clone")
        project = Project(repository, folder / "kept", self.root / "cache")
        return Desk(project, Remote(repository), self.forge(token), Settings(**settings))

    def clone(self, folder: Path) -> Repository:
        if folder.is_dir():
            return Repository.find(folder)
        return clone(str(self.repo.path), folder)

    def pull(
        self, change: Mapping[str, Any] | None = None, branch: str = "change", **about: Any
    ) -> FakePull:
        """A pull request with the scenario's change, or another."""
        content = changed(self.scenario) if change is None else dict(change)
        return self.repo.pull(branch, content, **about)

    # ---- what runners do -----------------------------------------------------------------------

    def planned(self, base: str, head: str, *, exact: bool = False) -> tuple[Project, Planned]:
        """The plan of a change as a runner makes it, with nothing kept."""
        folder = self.root / "runner"
        repository = self.clone(folder)
        Remote(repository).fetch(base, head)
        project = Project(repository, folder / "reports", self.root / "cache")
        landing = repository.tree(head) if exact else repository.merged(base, head)
        both = pair_of(project, Sides(repository.tree(base), landing, (base, head)))
        return project, make_plan(project, both)

    def worked(self, base: str, head: str, *, exact: bool = False) -> Path:
        """A folder `reports` with the evidence of every job of a change."""
        project, made = self.planned(base, head, exact=exact)
        key = tuple(sorted(step.job.closure for step in made.plan.steps))
        if key not in _DONE:
            kept = Path(tempfile.mkdtemp(prefix="llmops-worked-"))
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            project = replace(project, reports=kept)
            worker = ("-I", "-S", str(HERE / "worker.py"), str(self.scenario.path / "world.json"))
            trees = [s.tree for s in (made.both.head, made.both.base) if s is not None]
            report = execute(
                project, made.plan.steps, trees, lambda _event: None,
                RunOptions(keep_going=True, columns=made.columns),
                LocalExecutor((sys.executable, *worker)),
            )  # fmt: skip
            assert not report.world_failed, [f.error.message for f in report.world_failed]
            _DONE[key] = kept
        return _DONE[key]

    def packed(
        self, folder: Path, run: FakeRun, closures: Iterable[str] | None = None, **other: Any
    ) -> dict[str, bytes]:
        """The files that a run packs of some closures (all), by what it says of itself."""
        store = Store(folder)
        wanted = list(store.proven()) if closures is None else list(closures)
        about = {"repository": self.name, "run_id": run.id, "head_sha": run.head_sha, **other}
        with tempfile.TemporaryDirectory() as room:
            out = Path(room) / "outgoing"
            pack(store, wanted, out, Origin(run_attempt=run.attempt, **about))
            names = sorted(path for path in out.rglob("*") if path.is_file())
            return {path.relative_to(out).as_posix(): path.read_bytes() for path in names}

    def run_of(self, pull: FakePull, *, finish: str = "success", **about: Any) -> FakeRun:
        """A run of the workflow at a pull request's head that did all its jobs."""
        source = pull.source.full_name if pull.source is not None else ""
        run = self.fake.run(self.repo, pull.head_sha, **{"source": source, **about})
        done = self.worked(self.repo.tip(pull.base), pull.head_sha)
        run.upload("llmops-evidence-all", self.packed(done, run))
        if finish:
            run.finish(finish)
        return run

    # ---- what people see -----------------------------------------------------------------------

    def check(self, sha: str) -> dict[str, Any]:
        """The one check of ours at a commit."""
        (found,) = self.repo.checks_at(sha, CHECK)
        return found

    def conclusion(self, sha: str) -> str | None:
        found: str | None = self.check(sha)["conclusion"]
        return found

    def title(self, sha: str) -> str:
        return str(self.check(sha)["output"]["title"])
