from __future__ import annotations

import pytest

from llmops.rules import approvals
from llmops.rules.base import Outcome
from llmops.rules.facts import Approval
from tests.rules.world import World, right
from tests.trees import BANK, changed

POLICY = "policies/default.yaml"
ASKS = "approvals:\n    - {name: machine, when: machine_author, from: [team-cs], count: 2}\n"
MACHINE = changed(POLICY, "approvals:\n", ASKS)
BOT = frozenset({"dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"})
PERSON = frozenset({"李华", "12+lihua@users.noreply.github.com", "12+lihua"})


def world(base=MACHINE, authors=BOT, approved=(), **more) -> World:
    given = tuple(Approval("team-cs", name) for name in approved)
    return World(base, base, lambda m: right(195, 200), authors=authors, approvals=given, **more)


def test_what_a_machine_wrote_waits_for_people() -> None:
    for approved, outcome in (((), "inconclusive"), (("li",), "inconclusive"),
                              (("li", "wu"), "passed")):  # fmt: skip
        (found,) = world(approved=approved).found("approval")
        assert found.outcome.word == outcome
        assert found.gate == "Policy/default/machine"
        assert f"has {len(approved)} of 2 approvals from team-cs" in found.message


@pytest.mark.parametrize(("many", "cut"), [(3, False), (4, True)])
def test_three_machines_are_named_and_that_there_are_more(many: int, cut: bool) -> None:
    (found,) = world(authors=frozenset(f"m{i}[bot]" for i in range(many))).found("approval")
    named = "written by m0[bot], m1[bot], m2[bot]"
    assert found.message.startswith(f"{named}, …; has" if cut else f"{named}; has")


def test_what_a_person_wrote_does_not() -> None:
    assert world(authors=PERSON).found("approval") == []
    assert world(authors=PERSON).verdict().outcome is Outcome.PASSED


def test_a_machine_s_own_word_does_not_count() -> None:
    (found,) = world(approved=("dependabot[bot]", "Dependabot[Bot]", "li")).found("approval")
    assert "has 1 of 2" in found.message


def test_only_base_asks() -> None:
    bare = World(MACHINE, BANK, lambda m: right(195, 200), authors=BOT)
    assert bare.found("approval") == []
    gone = World(BANK, MACHINE, lambda m: right(195, 200), authors=BOT)
    assert [f.outcome for f in gone.found("approval")] == [Outcome.INCONCLUSIVE]


def test_an_approval_for_one_occasion_is_not_asked_at_another() -> None:
    facts = world().facts()
    assert [a.name for a in approvals.asked(facts, "machine_author")] == ["Policy/default/machine"]
    assert [a.name for a in approvals.asked(facts, "policy_looser")] == ["Policy/default/looser"]
    assert approvals.asked(facts, "attempts") == ()


@pytest.mark.parametrize(
    "author",
    [
        "renovate[bot]", "Renovate[Bot]", "bot", "release-bot", "Release Bot", "ci_bot",
        "41898282+github-actions[bot]@users.noreply.github.com", "noreply@example.com",
        "no-reply@example.com", "ci@acme.example", "actions@github.com",
    ],
)  # fmt: skip
def test_who_is_a_machine(author: str) -> None:
    assert approvals.machines([author]) == (author,)


@pytest.mark.parametrize(
    "author",
    [
        "李华", "Abbot", "Talbot", "robotics@acme.example", "12+li@users.noreply.github.com",
        "li@noreply.example", "bottle", "", "@", "Ci Wang",
    ],
)  # fmt: skip
def test_who_is_not(author: str) -> None:
    assert approvals.machines([author]) == ()
