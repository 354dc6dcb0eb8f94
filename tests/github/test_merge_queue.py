"""Evidence follows the closure through a merge queue: each system is trained once, whatever lands.

A queue of pull requests on disjoint systems costs one training each and not more: not in a group,
not in a batch, not after a rebase. What lands is exactly the tree that was judged.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.forge.auth import AppKey, Installation
from llmops.forge.base import Repo
from llmops.forge.client import connect
from llmops.rules.base import Outcome
from tests.github import FakeGitHub
from tests.github.gated_world import GatedRunner, LateGate
from tests.github.pulls import FakePull
from tests.github.queue import Group, MergeQueue
from tests.github.train_world import BAD, Runner, recipe, systems


class Story:
    """A repository of systems that are all proven on main, and machines for what comes."""

    def __init__(
        self, root: Path, count: int, shares: bool = True, runner: type[Runner] = Runner
    ) -> None:
        self.fake = FakeGitHub(root / "github")
        self.repo = self.fake.repository("acme/many", systems(count))
        app = self.fake.app()
        here = {"clock": self.fake.clock, "adapter": self.fake.adapter()}
        token = Installation(AppKey(app.id, app.key, **here), self.fake.installation(app, "acme"))
        self.forge = connect(Repo("acme", "many"), token, **here)
        self.runner = runner(self.repo, root / "runner", self.forge, shares)
        self.queue: MergeQueue = self.repo.queue(build=5, batch=5)
        self.runner.prove(self.repo.tip())

    def pull(self, i: int, steps: int = 20) -> FakePull:
        name = f"s{i:03}"
        files = {f"specs/recipes/{name}.yaml": recipe(name, steps)}
        return self.repo.pull(f"change-{i}-{steps}", files, title=f"Longer training of {name}")

    def judge(self, pull: FakePull) -> None:
        """The workflow of a pull request: what would land is judged, the head bears the check."""
        merge = pull.merge_commit()
        assert merge
        judged = self.runner.judge(self.repo.tip(), merge, pull.number, told_at=pull.head_sha)
        assert judged.verdict.outcome is Outcome.PASSED, judged.verdict.findings

    def judge_group(self, group: Group) -> None:
        """The workflow of a merge group: exactly its tree, on top of the branch's tip."""
        judged = self.runner.judge_group(self.repo.tip(), group.head_sha)
        assert judged.verdict.head.tree == self.repo.git.tree_of(group.head_sha)

    def drain(self) -> None:
        """Judge groups as they come, until the queue is empty."""
        judged: set[str] = set()
        while self.queue.groups:
            for group in [g for g in self.queue.groups if g.head_sha not in judged]:
                self.judge_group(group)
                judged.add(group.head_sha)
            self.queue.settle()


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path, 4)


def test_six_pull_requests_through_the_queue_cost_six_trainings(tmp_path: Path) -> None:
    _costs_one_training_each(Story(tmp_path, 6), 6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_pull_requests_through_the_queue_cost_a_hundred_trainings(tmp_path: Path) -> None:
    _costs_one_training_each(Story(tmp_path, 100), 100)


def _costs_one_training_each(story: Story, count: int) -> None:
    pulls = [story.pull(i) for i in range(count)]
    for pull in pulls:
        story.judge(pull)
    trained = [f"Recipe/s{i:03}" for i in range(count)]
    assert sorted(story.runner.trained) == trained
    rebased = pulls[count // 2]
    story.repo.push({"NOTES.md": "main moves on\n"})
    rebased.push({f"specs/recipes/s{count // 2:03}.yaml": recipe(f"s{count // 2:03}", 20)},
                 onto=story.repo.tip())  # fmt: skip
    story.judge(rebased)
    story.queue.add(*pulls)
    story.drain()
    assert [g.pull.number for g in story.queue.landed] == [p.number for p in pulls]
    assert sorted(story.runner.trained) == trained
    landed = story.repo.tip()
    assert landed == story.queue.landed[-1].head_sha
    assert story.runner.prove(landed).ran == 0
    story.fake.assert_polite()


def test_through_the_real_gate_it_costs_one_training_each_too(tmp_path: Path) -> None:
    _costs_one_training_each(Story(tmp_path, 2, runner=GatedRunner), 2)


def test_where_the_gate_came_late_nobody_pays_for_what_others_tried(tmp_path: Path) -> None:
    story = Story(tmp_path, 2, runner=LateGate)
    story.judge(story.pull(0))
    story.judge(story.pull(1))  # one attempt is allowed, and the other system's is not landed yet


def test_machines_that_share_no_evidence_train_again_and_again(tmp_path: Path) -> None:
    story = Story(tmp_path, 2, shares=False)
    pull = story.pull(0)
    story.judge(pull)
    story.judge(pull)
    assert len(story.runner.trained) > 2


def test_two_changes_of_one_system_are_a_new_tree_that_is_judged_as_it_is(story: Story) -> None:
    one = story.pull(2)
    data = "".join(f'{{"id": "t{n}", "question": "new {n}?", "answer": "yes", "group": "all"}}\n'
                   for n in range(40))  # fmt: skip
    other = story.repo.pull("data", {"specs/data/s002-train.jsonl": data})
    story.judge(one)
    story.judge(other)
    assert story.runner.trained == ["Recipe/s002"] * 2
    story.queue.add(one, other)
    story.drain()
    assert [g.pull.number for g in story.queue.landed] == [1, 2]
    assert story.runner.trained == ["Recipe/s002"] * 3  # both together were never seen before


def test_a_group_that_fails_loses_its_own_and_the_others_cost_nothing(story: Story) -> None:
    good = [story.pull(i) for i in range(3)]
    for pull in good:
        story.judge(pull)
    bad = story.pull(3, steps=BAD)
    story.queue.add(good[0], bad, *good[1:])
    story.drain()
    assert story.queue.dropped == [bad]
    assert [g.pull for g in story.queue.landed] == good
    assert sorted(story.runner.trained) == [f"Recipe/s{i:03}" for i in range(4)]
