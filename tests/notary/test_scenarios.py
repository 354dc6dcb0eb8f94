"""Every scenario signed: what follows from the log alone is what the gate found, gate by gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmops import counted
from llmops.log.branch import Log
from llmops.notary import record
from llmops.notary.base import Pen
from llmops.notary.given import Said
from llmops.pipeline import authors_of, make_plan, verdict
from llmops.project import InvalidSpecs, Project, pair
from llmops.rules.facts import Approval
from llmops.signing.root import chain
from tests import keyring
from tests.audit.world import PEN, ROOT
from tests.conftest import GitRepo
from tests.scenarios.story import HERE, NOW, Scenario

ALL = sorted(path.parent.name for path in HERE.glob("*/world.json"))
DEFAULT = ("new-finding",)


def signed(name: str, repo: GitRepo) -> None:
    """Play a scenario, count it, and have its verdict in a log. Raises where it does not follow."""
    scenario = Scenario(HERE / name)
    scenario.play(repo)
    project = Project.find(repo.path)
    both = pair(project, None if name == "first-commit" else "main", "HEAD")
    made = make_plan(project, both, change="")
    assert made.claims is not None
    counted.record(project.store, made.claims, NOW)
    made = make_plan(project, both, change="")
    pen = Pen(
        Log(project.repository), PEN, chain([keyring.signed(ROOT, PEN)]), "git:x", lambda: NOW
    )
    begun = record.begin(pen, project, made)
    approvals = tuple(Approval(*text.split(":")) for text in scenario.world.get("approvals", ()))
    assert made.claims is not None
    counting = counted.read(project.store, made.claims)
    found = verdict(project, made, now=NOW, approvals=approvals, counting=counting)
    said = Said(approvals, authors_of(project, both, approvals, frozenset()))
    seal = record.finish(pen, begun, project, made, said, found)
    assert seal.entry > 0


@pytest.mark.parametrize(
    "name", [n if n in DEFAULT else pytest.param(n, marks=pytest.mark.slow) for n in ALL]
)
def test_what_is_signed_follows_from_what_is_public(
    git_repo: Callable[..., GitRepo], name: str, tmp_path: Path
) -> None:
    try:
        signed(name, git_repo())
    except InvalidSpecs:
        pytest.skip("nothing is judged there")
