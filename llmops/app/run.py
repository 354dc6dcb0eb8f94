"""The service, wired and served: settings in, an answer to every event out, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmops import __version__
from llmops.app.commands import Commands
from llmops.app.crew import EVERY, Crew, Work
from llmops.app.door import Door, Key
from llmops.app.journal import Journal
from llmops.app.loop import Loop
from llmops.app.office import Office, owned, writable
from llmops.app.queue import Folder, Queue
from llmops.app.service import Health, create
from llmops.app.service import serve as listen
from llmops.app.settings import Settings
from llmops.app.work import Bench
from llmops.app.work import Work as Look
from llmops.forge.base import Clock

LATE = 4 * EVERY  # seconds after which a look at a repository is overdue


class Service:
    """All parts of one service on one data folder. `work` takes the place of the gate in tests."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        write: Callable[[str], None],
        *,
        workers: int = 2,
        every: float = EVERY,
        office: Callable[[Journal], Office] | None = None,
        work: Work | None = None,
    ) -> None:
        self.settings, self.clock = settings, clock
        self.journal = Journal(write, clock, (*settings.secrets, settings.key))
        self.queue = Queue(Folder(settings.data / "queue"), clock)
        self.loop = Loop(self.queue, Folder(settings.data / "open"))
        self.door = Door(Key(settings.secrets), self.queue, settings.repos, self.journal)
        self.work = work or self._look(office)
        self.crew = Crew(
            self.queue, self.work, settings.repos, self.journal, count=workers, every=every
        )
        self.began = clock.now()

    def _look(self, office: Callable[[Journal], Office] | None) -> Work:
        """The gate itself."""
        from llmops.gating.reconcile import reconcile

        assert office is not None
        made = office(self.journal)
        done = Folder(self.settings.data / "comments")
        app_id, clean = self.settings.app_id, made.clean().page
        commands = Commands(done, self.queue, app_id, clean, made.server)
        bench = Bench(made.forge, made.desk, reconcile, made.forget)
        return Look(bench, self.queue, self.loop, commands)

    def app(self) -> Any:
        """The application for a server."""
        health = Health(self.crew.healthy, self.ready, self.status)
        return create(self.door, health, self._start, self.crew.stop)

    def _start(self) -> None:
        for name in self.queue.damaged:
            self.journal.say("damaged", f"{name} was set aside; the first look makes up for it")
        found = len(self.queue.entries())
        self.journal.say("start", f"llmops {__version__}, {found} left to do")
        self.crew.start()

    def ready(self) -> str:
        """Why no event can be taken now, "" if one can. GitHub's outage is no reason."""
        why = "the data folder cannot be written to"
        return why if writable(self.settings.data) else ""

    def status(self) -> Mapping[str, Any]:
        """Counts and times."""
        entries = self.queue.entries()
        now, last = self.clock.now(), self.loop.last()
        seen = [last.get(repo, self.began) for repo in self.settings.repos]
        return {
            "service": "llmops app", "version": __version__,
            "up_seconds": int((now - self.began).total_seconds()),
            "repositories": len(self.settings.repos), "to_do": len(entries),
            "working": len(self.queue.working()),
            "retrying": sum(1 for one in entries if one.tries),
            "left": sum(1 for one in entries if one.parked),
            "oldest_look": min(seen).isoformat(timespec="seconds"),
            "late": sum(1 for at in seen if (now - at).total_seconds() > LATE),
        }  # fmt: skip


def serve(
    settings: Settings, workers: int, write: Callable[[str], None], *, api_url: str = ""
) -> None:
    """Until a signal ends it. Raises UsageError where another service has the data folder."""
    from llmops.forge.auth import AppKey
    from llmops.forge.clock import SystemClock

    with owned(settings.data):
        clock = SystemClock()
        key = AppKey(settings.app_id, settings.key, api_url=api_url, clock=clock)

        def office(journal: Journal) -> Office:
            return Office(settings, key, clock, journal, api_url=api_url)

        made = Service(settings, clock, write, workers=workers, office=office)
        listen(made.app(), settings.host, settings.port, made.journal)
