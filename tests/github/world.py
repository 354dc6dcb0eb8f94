"""A world to begin with: a repository, an App with a token, a requests session."""

from __future__ import annotations

from pathlib import Path

import requests

from tests.github.repository import FakeRepository
from tests.github.server import FakeGitHub

API = "https://api.github.com"


class World:
    """A repository, an App with a token, a session."""

    def __init__(self, root: Path) -> None:
        self.fake = FakeGitHub(root)
        self.repo: FakeRepository = self.fake.repository("acme/llm", {"a.txt": "1\n"})
        self.app = self.fake.app()
        self.session = requests.Session()
        self.session.mount("https://", self.fake.adapter())
        self.use(self.fake.token(self.app, self.repo))

    def use(self, token: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **body: object) -> requests.Response:
        if method != "GET":
            self.fake.clock.advance(1)
        json = body or None
        return self.session.request(method, f"{API}/repos/acme/llm/{path}", json=json, timeout=10)

    def check(self, **more: object) -> requests.Response:
        sha = self.repo.tip()
        return self.ask("POST", "check-runs", name="llmops/gate", head_sha=sha, **more)
