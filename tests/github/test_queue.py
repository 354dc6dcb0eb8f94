"""The merge queue of the fake, and its webhooks: what GitHub does with groups and deliveries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.github import Webhooks, signature
from tests.github.pulls import FakePull
from tests.github.queue import Group, MergeQueue
from tests.github.world import World


class Queued(World):
    """Four pull requests in a queue."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.pulls = [self.repo.pull(f"c{i}", {f"f{i}.txt": "x\n"}) for i in range(4)]
        self.queue: MergeQueue = self.repo.queue(build=3, batch=2)
        self.fake.webhooks().take()
        self.queue.add(*self.pulls)

    def judged(self, group: Group, conclusion: str) -> None:
        body = {"name": "llmops/gate", "head_sha": group.head_sha, "status": "completed"}
        made = self.ask("POST", "check-runs", **body, conclusion=conclusion)
        assert made.status_code == 201

    def files(self, commit: str) -> list[str]:
        return self.repo.git.run("ls-tree", "--name-only", commit).split()


@pytest.fixture
def queued(tmp_path: Path) -> Queued:
    return Queued(tmp_path)


def test_a_group_is_the_branch_with_all_before_it_and_is_told_of(queued: Queued) -> None:
    groups = queued.queue.groups
    assert [queued.files(g.head_sha) for g in groups] == [
        ["a.txt", *(f"f{i}.txt" for i in range(n + 1))] for n in range(3)
    ]
    told = queued.fake.webhooks().take("merge_group.checks_requested")
    assert [d.payload["merge_group"]["head_sha"] for d in told] == [g.head_sha for g in groups]
    bases = [d.payload["merge_group"]["base_sha"] for d in told]
    assert bases == [queued.repo.tip(), groups[0].head_sha, groups[1].head_sha]
    assert queued.repo.git.heads()[groups[0].ref.removeprefix("refs/heads/")] == groups[0].head_sha


def test_what_passed_lands_in_order_and_in_batches_as_it_was_judged(queued: Queued) -> None:
    first, second, third = queued.queue.groups
    for group in (second, third):
        queued.judged(group, "success")
    assert queued.queue.settle() == []
    queued.judged(first, "success")
    assert queued.queue.settle() == [first, second]
    assert queued.repo.tip() == second.head_sha
    assert [p.merged_as for p in queued.pulls] == [first.head_sha, second.head_sha, None, None]
    assert [g.pull.number for g in queued.queue.groups] == [3, 4]
    assert queued.queue.groups[0].head_sha == third.head_sha
    assert queued.ask("GET", "pulls/1").json()["merged"] is True


@pytest.mark.parametrize("conclusion", ["failure", "action_required", "cancelled", "timed_out"])
def test_what_failed_leaves_and_those_behind_it_are_built_again(
    queued: Queued, conclusion: str
) -> None:
    first, second, third = queued.queue.groups
    queued.judged(first, "success")
    queued.judged(second, conclusion)
    assert queued.queue.settle() == [first]
    assert queued.queue.dropped == [queued.pulls[1]]
    assert [g.pull.number for g in queued.queue.groups] == [3, 4]
    assert queued.queue.groups[0].head_sha != third.head_sha
    assert "f1.txt" not in queued.files(queued.queue.groups[0].head_sha)
    gone = queued.fake.webhooks().take("merge_group.destroyed")
    assert [d.payload["reason"] for d in gone] == ["invalidated", "invalidated", "merged"]


def test_no_check_no_landing(queued: Queued) -> None:
    assert queued.queue.settle() == []
    made = queued.ask("POST", "check-runs", name="llmops/gate", status="in_progress",
                      head_sha=queued.queue.groups[0].head_sha)  # fmt: skip
    assert made.status_code == 201
    assert queued.queue.settle() == []
    assert not queued.queue.dropped


def test_a_green_box_of_another_source_lands_nothing(queued: Queued) -> None:
    queued.queue.source = queued.app.id
    queued.use(queued.fake.workflow_token(queued.repo))
    queued.judged(queued.queue.groups[0], "success")
    assert queued.queue.settle() == []
    queued.use(queued.fake.token(queued.app, queued.repo))
    queued.judged(queued.queue.groups[0], "success")
    assert [g.pull.number for g in queued.queue.settle()] == [1]


def test_a_push_past_the_queue_builds_all_groups_again(queued: Queued) -> None:
    old = [g.head_sha for g in queued.queue.groups]
    queued.judged(queued.queue.groups[0], "success")
    tip = queued.repo.push({"hotfix.txt": "x\n"})
    assert queued.queue.settle() == []
    assert queued.queue.groups[0].base_sha == tip
    assert not {g.head_sha for g in queued.queue.groups} & set(old)


def test_a_conflict_and_who_is_taken_out_leave_the_queue(queued: Queued) -> None:
    late: FakePull = queued.repo.pull("late", {"f0.txt": "another\n"})
    queued.queue.add(late)
    queued.queue.remove(queued.pulls[1])
    queued.queue.build = 9
    queued.queue.fill()
    assert queued.queue.dropped == [queued.pulls[1], late]
    assert [g.pull.number for g in queued.queue.groups] == [1, 3, 4]


def test_a_delivery_is_signed_as_github_signs_it() -> None:
    # The example of https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    said = signature(b"Hello, World!", "It's a Secret to Everybody")
    assert said == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_deliveries_can_be_doubled_dropped_reordered_and_forged() -> None:
    hooks = Webhooks()
    for number in range(3):
        hooks.emit("ping", {"action": str(number)})
    first = hooks.pending[0]
    forged = hooks.forged(first)
    assert (forged.body, forged.id) == (first.body, first.id)
    assert forged.headers["X-Hub-Signature-256"] != first.headers["X-Hub-Signature-256"]
    assert [d.name for d in hooks.drop("ping.1")] == ["ping.1"]
    hooks.duplicate(3)
    hooks.shuffle(2)
    assert hooks.deliver(lambda headers, body: 202) == [202] * 6
    assert sorted(d.name for d, _ in hooks.sent) == ["ping.0"] * 3 + ["ping.2"] * 3
    assert len({d.id for d, _ in hooks.sent}) == 2
    assert not hooks.pending
