"""Clones, tokens and clients: what each repository's desk is made of.

In: settings, and the App's key. Out: for each repository a client that writes as the App and a
desk with a clone of its own below the data folder. Tokens live an hour and are made when they are
needed; the journal knows each, so that none is ever said. No hook and no file of a clone is run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.app.journal import Journal
from llmops.app.settings import Settings
from llmops.errors import StoreError, UsageError
from llmops.evidence import files
from llmops.forge.base import Clock, Repo
from llmops.project import Project
from llmops.source.tree import Repository

if TYPE_CHECKING:
    from llmops.forge.auth import AppKey, Installation
    from llmops.forge.client import GitHub
    from llmops.gating.base import Desk
    from llmops.gating.hiding import Clean

SERVER = "https://github.com"


class Office:
    """Desks by repository. `adapter`: how requests go out, for tests."""

    def __init__(
        self,
        settings: Settings,
        key: AppKey,
        clock: Clock,
        journal: Journal,
        *,
        api_url: str = "",
        adapter: Any = None,
        address: Callable[[str], str] | None = None,
    ) -> None:
        self._settings, self._key, self._clock, self._journal = settings, key, clock, journal
        self._api_url, self._adapter = api_url, adapter
        self.server = server(api_url)
        self._address = address or (lambda repo: f"{self.server}/{repo}.git")
        self._forges: dict[str, tuple[GitHub, Installation]] = {}
        self._paces: dict[int, Any] = {}

    def forge(self, repo: str) -> GitHub:
        """A client of one repository, which writes as the App."""
        return self._known(repo)[0]

    def forget(self, repo: str) -> None:
        """Ask anew which installation has a repository, and whether there is one."""
        self._forges.pop(repo, None)

    def desk(self, repo: str) -> Desk:
        """A desk with a token that lives long enough for one look."""
        from llmops.gating.base import Desk
        from llmops.gating.base import Settings as How
        from llmops.signing.keys import signer
        from llmops.source.remote import Remote

        forge, token = self._known(repo)
        secret = token.value()
        self._journal.hide(secret)
        repository = self._clone(repo, secret)
        project = Project.of(repository, self._settings.data / "cache")
        how = How(checker=self._settings.app_id, server=self.server)
        return Desk(
            project, Remote(repository, secret=secret), forge, how, clean=self.clean(secret),
            key=partial(signer, None, os.environ),
        )  # fmt: skip

    def clean(self, *tokens: str) -> Clean:
        """What leaves our secrets out of a page."""
        from llmops.gating.hiding import cleaner

        return cleaner(os.environ, (*tokens, *self._settings.secrets, self._settings.key))

    def _known(self, repo: str) -> tuple[GitHub, Installation]:
        from llmops.forge.auth import Installation
        from llmops.forge.client import connect
        from llmops.forge.wire import Pace

        if repo not in self._forges:
            named = Repo.parse(repo)
            installed = self._key.installation(named)
            pace = self._paces.setdefault(installed, Pace(self._clock))
            token = Installation(self._key, installed)
            forge = connect(
                named, token, api_url=self._api_url or None, adapter=self._adapter, pace=pace
            )
            self._forges[repo] = (forge, token)
        return self._forges[repo]

    def _clone(self, repo: str, secret: str) -> Repository:
        """The clone of a repository; one that was cut short is made again in its place."""
        from llmops.source.remote import clone

        folder = self._settings.data / "repos" / repo.lower()
        whole = folder / ".git" / "llmops-cloned"
        if whole.exists():
            return Repository.find(folder)
        made = clone(self._address(repo), folder, secret)
        files.replace(whole, b"")
        return made


def server(api_url: str) -> str:
    """Where git and people find what an API is of: `https://HOST/api/v3` is of `https://HOST`."""
    known = api_url.rstrip("/")
    if known in ("", "https://api.github.com"):
        return SERVER
    return known.removesuffix("/api/v3")


@contextlib.contextmanager
def owned(data: Path) -> Iterator[None]:
    """Nobody else works in the data folder meanwhile. A kill lets it go.

    Raises UsageError where another service has it.
    """
    try:
        with (data / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError as error:
        what = f"another llmops app works in {files.shown(data)}"
        raise UsageError(what, hint="one service for each data folder") from error


def writable(data: Path) -> str:
    """Why nothing can be kept now, "" if it can."""
    try:
        files.replace(data / ".ready", str(os.getpid()).encode())
    except StoreError as error:
        return error.message
    return ""
