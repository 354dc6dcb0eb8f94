"""A pull request on the fake GitHub, and what a publication of it must look like there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmops.forge.auth import ACTIONS_APP, ACTIONS_LOGIN, Fixed
from llmops.forge.base import CHECK, COMMENT, Publication, Repo
from llmops.forge.client import GitHub, connect
from tests.github import FakeGitHub

LABELS = ("llmops: passed", "llmops: failed", "llmops: looser")


class World:
    """One repository with a pull request, and a workflow's client of it."""

    def __init__(self, root: Path) -> None:
        self.fake = FakeGitHub(root)
        self.repo = self.fake.repository("acme/bot")
        self.pull = self.repo.pull("change", {"a.yaml": "x"})
        self.sha = self.pull.head_sha
        self.fake.sync = lambda: None  # type: ignore[method-assign]  # nobody pushes from here on

    def reset(self) -> World:
        """As it was before anything was published; hours later."""
        for kept in (self.repo.checks, self.repo.suites, self.repo.comments, self.pull.labels):
            kept.clear()
        for kept in (self.repo.statuses, self.repo.deployments, self.repo.sarifs):
            kept.clear()
        self.fake.faults.clear()
        self.fake.requests.clear()
        self.fake.watchers.clear()
        self.fake.clock.advance(7200)
        return self

    def client(self, token: str = "", login: str = ACTIONS_LOGIN) -> GitHub:
        mine = Fixed(token or self.fake.workflow_token(self.repo), login, ACTIONS_APP)
        return self.connected(mine)

    def person(self, login: str) -> GitHub:
        self.repo.roles[login] = "write"
        return self.connected(Fixed(self.fake.person_token(login)))

    def connected(self, token: Fixed) -> GitHub:
        fake = self.fake
        return connect(Repo("acme", "bot"), token, clock=fake.clock, adapter=fake.adapter())

    def publication(self, conclusion: str = "failure", annotations: int = 3) -> Publication:
        said = f"{conclusion} {annotations}"
        return Publication(
            head_sha=self.sha,
            number=self.pull.number,
            check={
                "name": CHECK,
                "head_sha": self.sha,
                "status": "completed",
                "conclusion": conclusion,
                "external_id": said,
                "output": {"title": said, "summary": "**so**"},
            },
            annotations=[note(i) for i in range(annotations)],
            comment=f"{COMMENT}state={said} -->\n### {said}\n\n<sub>at 08:00</sub>",
            status={"state": "failure", "context": CHECK, "description": said},
            labels=("llmops: failed",) if conclusion == "failure" else ("llmops: passed",),
            own_labels=LABELS,
        )

    def visible(self) -> list[dict[str, Any]]:
        return [one for one in self.repo.checks_at(self.sha) if one["name"] == CHECK]

    def sticky(self) -> list[dict[str, Any]]:
        return [one for one in self.repo.comments.values() if one["body"].startswith(COMMENT)]

    def shows(self, publication: Publication) -> None:
        """Fail unless exactly that is to be seen."""
        (check,) = self.visible()
        assert publication.check is not None
        assert (check["status"], check["conclusion"]) == (
            "completed",
            publication.check["conclusion"],
        )
        assert check["external_id"] == publication.check["external_id"]
        kept = [{k: a[k] for k in note(0)} for a in check["annotations"]]
        assert kept == list(publication.annotations)
        (comment,) = self.sticky()
        assert comment["body"] == publication.comment
        assert set(self.pull.labels) & set(LABELS) == set(publication.labels or ())


def note(number: int) -> dict[str, Any]:
    return {
        "path": "a.yaml",
        "start_line": number + 1,
        "end_line": number + 1,
        "annotation_level": "failure",
        "message": f"finding {number}",
    }
