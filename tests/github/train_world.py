"""Many disjoint systems in one repository, and runners that plan, run, judge and publish for real.

Real: git, planning, the executor's bookkeeping, evidence and its branch, verdicts, our client and
the merge queue of the fake. Made up: what a worker computes (the scenarios' worker, in process). A
machine that judges a pull request is a fresh one: it has a clone, what the evidence branch has, and
artifacts from the storage, and nothing else. Merge groups are judged by one host that stays, as the
App's does; it sees what others proved by the branch alone, too.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.evidence import branch as evidence
from llmops.evidence.blobs import opened
from llmops.executors.base import Attempt, Ended, Progress
from llmops.forge.base import Repo
from llmops.forge.client import GitHub
from llmops.forge.publish import publish
from llmops.pipeline import RunOptions, execute, make_plan, verdict
from llmops.project import Project, pair
from llmops.reports import github_states as states
from llmops.rules.base import Verdict
from llmops.source.remote import Remote, clone
from tests.github.repository import FakeRepository
from tests.trees import spec

WORKER = Path(__file__).parents[1] / "scenarios" / "worker.py"
ROWS = 16
MINUTE = 60.0  # passes for each look: GitHub takes 500 new things an hour
BAD = 99  # a training of so many steps forgets most of what it knew
WORLD = {"answers": [{"if": f'"max_steps":{BAD}', "all": 0.2}, {"all": 1.0}]}


def system(i: int) -> dict[str, str]:
    """The specs and the data of one system, which refer to nothing of another."""
    name = f"s{i:03}"
    rows = {
        part: "".join(
            json.dumps({"id": f"{part}-{n}", "question": f"{name} {part} {n}?", "answer": "yes",
                        "group": "all"}) + "\n"
            for n in range(ROWS)
        )
        for part in ("train", "test")
    }  # fmt: skip
    sources = "".join(
        f"\n  - {{name: {part}, file: specs/data/{name}-{part}.jsonl, license: Apache-2.0,"
        " origin: synthetic}"
        for part in rows
    )
    return {
        **{f"specs/data/{name}-{part}.jsonl": text for part, text in rows.items()},
        f"specs/models/{name}.yaml": spec(
            "Model", name,
            "init:\n  architecture: {model_type: llama, hidden_size: 32, num_hidden_layers: 1}\n"
            "  tokenizer: {train: {algorithm: byte_level_bpe, vocab_size: 300, data:"
            f' "{name}#train"}}}}\n  seed: 0\nlicense: Apache-2.0',
        ),
        f"specs/datasets/{name}.yaml": spec(
            "Dataset", name,
            f"purpose: [sft, evaluation]\nsources:{sources}\nformat: qa\n"
            "splits: {method: given, parts: {train: train, test: test}}",
        ),
        f"specs/recipes/{name}.yaml": recipe(name),
        f"specs/prompts/{name}.yaml": spec(
            "Prompt", name,
            "template: jinja2\ninputs: {question: {type: string}}\n"
            "messages: [{role: user, content: '{{ question }}'}]\noutput: {format: text}",
        ),
        f"specs/applications/{name}.yaml": spec(
            "Application", name, f"model: Recipe/{name}\nprompt: {name}"
        ),
        f"specs/evaluations/{name}.yaml": spec(
            "Evaluation", name,
            f"target: Application/{name}\ndataset: {name}#test\nengine: builtin\n"
            f"sample: {{rows: {ROWS}}}\nchecks:\n  - {{name: accuracy, metric: builtin/accuracy,"
            " require: {min: 0.6}, regression: {margin: 0.3}}",
        ),
    }  # fmt: skip


def recipe(name: str, steps: int = 10) -> str:
    """A recipe; another number of steps is another training."""
    return spec(
        "Recipe", name,
        f'base_model: {name}\nmethod: sft\ndata: [{{dataset: "{name}#train"}}]\nfull: {{}}\n'
        f"training: {{learning_rate: 1.0e-3, max_steps: {steps}}}\nseed: 1",
    )  # fmt: skip


def systems(count: int) -> dict[str, str]:
    """A repository of so many systems, with a policy."""
    files = {
        "policies/default.yaml": spec(
            "Policy", "default",
            "rules:\n  - {name: evidence, rule: evidence-present}\n"
            "  - {name: bounds, rule: require}",
        ),
        ".gitignore": "/reports/\n",
    }  # fmt: skip
    for i in range(count):
        files |= system(i)
    return files


class InProcess:
    """An executor whose worker is the scenarios' one, without a process of its own."""

    name = "local"

    def __init__(self, world: Path) -> None:
        self._world = world
        self._code = compile(WORKER.read_text(encoding="utf-8"), str(WORKER), "exec")
        self._one = threading.Lock()

    def render(self, attempt: Attempt) -> str:
        return f"worker {attempt.folder}"

    def perform(
        self, attempt: Attempt, on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> Ended:
        with self._one:  # it reads sys.argv
            before, sys.argv = sys.argv, ["worker", str(self._world), str(attempt.folder)]
            try:
                exec(self._code, {"__name__": "__main__"})
            finally:
                sys.argv = before
        return Ended(0, 0.0)


@dataclass
class Judged:
    """What one machine found: the verdict, and the trainings that it had to do."""

    verdict: Verdict
    trained: tuple[str, ...]
    ran: int


@dataclass
class Runner:
    """Fresh machines, one after the other. `shares`: whether they see what others proved."""

    repo: FakeRepository
    root: Path
    forge: GitHub
    shares: bool = True
    trained: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True)
        (self.root / "world.json").write_text(json.dumps(WORLD))
        self._repository = clone(str(self.repo.path), self.root / "clone")
        self.remote = Remote(self._repository)
        self.executor = InProcess(self.root / "world.json")
        self._machines = 0
        self.host = self.fresh()

    def prove(self, sha: str) -> Judged:
        """Bring everything of a commit to evidence: main, before the story begins."""
        return self._on(self.fresh(), None, sha)

    def judge(self, base: str, head: str, number: int, told_at: str) -> Judged:
        """The workflow of a pull request, on a fresh machine; its check and comment included."""
        return self._publish(self._on(self.fresh(), base, head), told_at, number)

    def judge_group(self, base: str, head: str) -> Judged:
        """The workflow of a merge group, on the host."""
        return self._publish(self._on(self.host, base, head), head, None)

    def _publish(self, judged: Judged, sha: str, number: int | None) -> Judged:
        subject = states.Subject(Repo.parse(self.repo.full_name), number, sha)
        made = publish(self.forge, states.judged(subject, judged.verdict))
        assert not made.left, made.left
        self.trained += judged.trained
        self.repo.fake.clock.advance(MINUTE)
        return judged

    def fresh(self) -> Project:
        """A machine that has nothing yet."""
        self._machines += 1
        shared = opened(f"file://{self.root / 'shared'}") if self.shares else None
        where = self.root / f"{self._machines}"
        return Project(self._repository, where, self.root / "cache", shared)

    def fetch(self) -> None:
        """All branches and pull requests, into the one clone of these tests."""
        self.remote.fetch("+refs/heads/*:refs/remotes/origin/*", "+refs/pull/*:refs/pull/*")

    def _on(self, project: Project, base: str | None, head: str) -> Judged:
        self.fetch()
        if self.shares:
            evidence.pull(project.store, self.remote)
        judged = self._work(project, base, head)
        if self.shares:
            evidence.push(project.store, self.remote)
        return judged

    def _work(self, project: Project, base: str | None, head: str) -> Judged:
        both = pair(project, base or head, head)
        planned = make_plan(project, both)
        steps = [step for step in planned.plan.steps if step.state == "run"]
        trees = [side.tree for side in (both.head, both.base) if side is not None]
        options = RunOptions(columns=planned.columns)
        report = execute(project, planned.plan.steps, trees, ignore, options, self.executor)
        assert not report.world_failed, [f.error.message for f in report.world_failed]
        again = make_plan(project, both) if steps else planned
        assert not [s for s in again.plan.steps if s.state == "run"]
        judged = verdict(project, again, now=self.repo.fake.clock.true_now())
        trained = tuple(str(s.job.subject) for s in steps if s.job.type == "train")
        return Judged(judged, trained, len(steps))


def ignore(_: Any) -> None:
    """Events are for people."""
