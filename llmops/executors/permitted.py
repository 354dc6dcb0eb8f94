"""An executor that asks, before a job starts, whether it may have what it asks for.

In: the egress lists and the secrets that the Environments of both trees list. Out: the job's end,
or an ExecutorError that names the job, what it wants and whose list lacks it. A judge is the one
thing that a job sends rows to: its host must be on every list. A change cannot list for itself
what it wants: base's lists hold too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmops.diagnostics import printable
from llmops.errors import ExecutorError
from llmops.executors.base import Attempt, Ended, Executor, Progress
from llmops.jobs.base import Job
from llmops.source.egress import Egress, is_loopback


@dataclass(frozen=True, slots=True)
class Names:
    """The secrets that an Environment lists, and which one."""

    of: str
    names: frozenset[str]


class Permitted:
    """`inner`, for jobs that keep to the lists. `environ` holds addresses that are secrets."""

    def __init__(
        self,
        inner: Executor,
        egress: tuple[Egress, ...],
        secrets: tuple[Names, ...],
        environ: Mapping[str, str],
    ) -> None:
        self.name = inner.name
        self._inner, self._egress, self._secrets = inner, egress, secrets
        self._environ = environ

    def render(self, attempt: Attempt) -> str:
        """What would be started."""
        return self._inner.render(attempt)

    def perform(
        self, attempt: Attempt, on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> Ended:
        """Run the worker if it may run. See `base.Executor`."""
        self._expect_secrets(attempt.job)
        self._expect_host(attempt.job)
        return self._inner.perform(attempt, on_progress, stop)

    def _expect_secrets(self, job: Job) -> None:
        for name in job.spec.get("secrets", ()):
            for listed in self._secrets:
                if name not in listed.names:
                    raise ExecutorError(
                        f'"{job.id}" wants the secret {name}, which {listed.of} does not list',
                        hint="add it to secrets.names there and merge that first",
                    )

    def _expect_host(self, job: Job) -> None:
        given = job.spec.get("judge", {}).get("endpoint", {}).get("base_url")
        hidden = given.get("secret") if isinstance(given, Mapping) else None
        address = self._environ.get(hidden, "") if hidden else given
        host = _host(address or "")
        for one in self._egress if host and not is_loopback(host) else ():
            if not one.allows(host):
                shown = f"the host in {hidden}" if hidden else printable(host)
                raise ExecutorError(
                    f'"{job.id}" asks a judge at {shown}, not on the egress list of {one.of}',
                    hint="add it to spec.egress there and merge that first",
                )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
