"""The same systems, judged by the real gate: machines only plan, run and pack, as a workflow's do.

What a machine hands over is an artifact of a workflow run, which the gate downloads, takes in as
untrusted data, judges, publishes and pushes. A machine pushes nothing.
"""

from __future__ import annotations

from llmops.evidence import branch as evidence
from llmops.evidence.manifest import Origin
from llmops.evidence.pack import pack
from llmops.gating.base import Desk, Group, Landed, PullRequest, Settled
from llmops.gating.reconcile import reconcile
from llmops.pipeline import RunOptions, execute, make_plan
from llmops.project import pair
from tests.github.train_world import Judged, Runner, ignore


class GatedRunner(Runner):
    """Machines for the jobs, and one gate with a clone and a store of its own."""

    def prove(self, sha: str) -> Judged:
        """As a `Runner` does; then the gate looks at what stands on main, and lets it stand."""
        proven = super().prove(sha)
        settled = reconcile(self.gate(), Landed(sha, "main"))
        assert settled.exit_code == 0, (settled.state, settled.notes)
        return proven

    def judge(self, base: str, head: str, number: int, told_at: str) -> Judged:
        """The workflow of a pull request, then the gate's look at it."""
        trained, ran = self._jobs(base, head, told_at, "pull_request")
        return self._settled(reconcile(self.gate(), PullRequest(number)), trained, ran)

    def judge_group(self, base: str, head: str) -> Judged:
        """The workflow of a merge group, then the gate's look at it."""
        trained, ran = self._jobs(base, head, head, "merge_group")
        return self._settled(reconcile(self.gate(), Group(head, "main")), trained, ran)

    def gate(self) -> Desk:
        """The gate, the same every time."""
        return Desk(self.host, self.remote, self.forge)

    def _settled(self, settled: Settled, trained: tuple[str, ...], ran: int) -> Judged:
        assert settled.verdict is not None, (settled.state, settled.notes)
        assert not settled.published.left, settled.published.left
        self.trained += trained
        return Judged(settled.verdict, trained, ran)

    def _jobs(self, base: str, head: str, sha: str, event: str) -> tuple[tuple[str, ...], int]:
        project = self.fresh()
        self.fetch()
        evidence.pull(project.store, self.remote)
        both = pair(project, base, head)
        planned = make_plan(project, both)
        steps = [step for step in planned.plan.steps if step.state == "run"]
        run = self.repo.fake.run(self.repo, sha, event=event)
        if steps:
            trees = [side.tree for side in (both.head, both.base) if side is not None]
            options = RunOptions(columns=planned.columns)
            execute(project, planned.plan.steps, trees, ignore, options, self.executor)
            folder = project.reports.with_name(f"{project.reports.name}-pack")
            origin = Origin(self.repo.full_name, run.id, run.attempt, sha)
            pack(project.store, [step.job.closure for step in steps], folder, origin)
            run.upload("llmops-evidence-all", folder)
        run.finish()
        return tuple(str(s.job.subject) for s in steps if s.job.type == "train"), len(steps)


class LateGate(GatedRunner):
    """The same where the gate is turned on later: what stands on main it never judged."""

    def prove(self, sha: str) -> Judged:
        """As a `Runner` does, and no more."""
        return Runner.prove(self, sha)
