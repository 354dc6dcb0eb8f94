"""A repository on GitHub as the App reads it: dictionaries behind `forge.base.Forge`'s calls.

Only what is asked of GitHub here is answered; every request is counted. What is written is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from llmops.forge.base import Comment, ForgeError, Pull, Refused, Repo, WorkflowRun
from tests.app.conftest import BASE, REPO, Clock

APP_ID = 4711


@dataclass
class FakeForge:
    """One repository."""

    clock: Clock
    repo: Repo = field(default_factory=lambda: Repo.parse(REPO))
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    tips: dict[str, str] = field(default_factory=lambda: {"main": BASE})
    refs: list[dict[str, Any]] = field(default_factory=list)
    workflow_runs: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)  # comments
    may: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    down: bool = False
    refuses: tuple[str, ...] = ()

    # -- what a test sets up ------------------------------------------------------------------

    def open(self, number: int, head: str, base: str = "main", **more: Any) -> None:
        self.pulls[number] = {
            "number": number, "head": {"sha": head}, "base": {"ref": base}, "draft": False,
            "updated_at": stamp(self.clock.at), "author": "eve", "state": "open", "fork": True,
            **more,
        }  # fmt: skip

    def comment(self, number: int, body: str, by: str = "ann", **more: Any) -> int:
        identity = 1000 + len(self.said)
        self.said.append({
            "id": identity, "body": body, "user": {"login": by, "type": "User"},
            "created_at": stamp(self.clock.at), "updated_at": stamp(self.clock.at),
            "performed_via_github_app": None, "number": number,
            "issue_url": f"https://api.github.com/repos/{REPO}/issues/{number}",
            "html_url": f"https://github.com/{REPO}/pull/{number}#issuecomment-{identity}", **more,
        })  # fmt: skip
        return identity

    # -- what the App asks --------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        self._count(path)
        if path == f"repos/{REPO}":
            return {"default_branch": "main"}
        if path.endswith("/actions/runs"):
            return {"workflow_runs": self.workflow_runs[:100]}
        if path.endswith("/commits"):
            return self.history[: params.get("per_page", 30)]
        if "/matching-refs/" in path:
            return self.refs
        if "/issues/comments/" in path:
            identity = int(path.rpartition("/")[2])
            return next((one for one in self.said if one["id"] == identity), None)
        raise AssertionError(path)

    def every(self, path: str, key: str = "", **params: Any) -> Iterator[Any]:
        self._count(path)
        if path.endswith("/pulls"):
            yield from (one for one in self.pulls.values() if one["state"] == "open")
        elif path.endswith("/issues/comments"):
            yield from (one for one in self.said if one["updated_at"] >= params["since"])
        else:
            raise AssertionError(path)

    def tip(self, branch: str) -> str | None:
        self._count(f"tip/{branch}")
        return self.tips.get(branch)

    def pull(self, number: int) -> Pull | None:
        self._count(f"pull/{number}")
        known = self.pulls.get(number)
        return None if known is None else as_pull(known)

    def pulls_of(self, head_sha: str) -> tuple[Pull, ...]:
        self._count(f"pulls-of/{head_sha}")
        known = (one for one in self.pulls.values() if one["state"] == "open")
        return tuple(as_pull(one) for one in known if one["head"]["sha"] == head_sha)

    def permission(self, login: str) -> str:
        self._count(f"permission/{login}")
        return self.may.get(login, "read")

    def comments(self, number: int) -> Iterator[Comment]:
        self._count(f"comments/{number}")
        for one in self.said:
            if one["number"] == number:
                yield Comment(
                    one["id"], one["user"]["login"], one["body"], by_app=one.get("by_app")
                )

    def create_comment(self, number: int, body: str) -> Comment:
        self._count(f"create-comment/{number}")
        identity = self.comment(number, body, "gate[bot]", by_app=APP_ID,
                                user={"login": "gate[bot]", "type": "Bot"})  # fmt: skip
        return Comment(identity, "gate[bot]", body, by_app=APP_ID)

    def runs(self, head_sha: str) -> tuple[WorkflowRun, ...]:
        self._count(f"runs/{head_sha}")
        return tuple(
            WorkflowRun(one["id"], 1, head_sha, "pull_request", one["status"], one["conclusion"],
                        "", REPO)
            for one in self.workflow_runs if one["head_sha"] == head_sha
        )  # fmt: skip

    def repeat(self, path: str, body: Mapping[str, Any]) -> Any:
        self._count(path)
        self.sent.append((path, body))
        return {}

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        self._count(path)
        self.sent.append((f"{method} {path}", body))
        return {}

    def answers(self) -> list[str]:
        """What the App said, without markers."""
        mine = [one["body"] for one in self.said if one.get("by_app") == APP_ID]
        return [body.partition("\n")[2] for body in mine]

    def _count(self, path: str) -> None:
        self.asked.append(path)
        if self.down:
            raise ForgeError("github cannot be reached")
        if any(word in path for word in self.refuses):
            raise Refused("github refuses", status=403)


def as_pull(known: Mapping[str, Any]) -> Pull:
    return Pull(
        known["number"], known["state"], False, known["draft"], known["head"]["sha"], "change",
        BASE, known["base"]["ref"], known["author"], known["fork"],
        labels=tuple(known.get("labels", ())),
    )  # fmt: skip


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
