"""What is still to be looked at: one small file for each subject, so that a kill loses nothing.

In: subjects from events, from the periodic look and from work itself. Out: one subject at a time,
at most one of a lane, first come first served. A subject that is asked for ten times before anybody
looks is looked at once; one that is asked for while somebody looks is looked at again. A failed one
comes back later, each time after a longer wait; after `TRIES`, and where a person has to mend
something first, it is left for an hour, unless an event, a full look or a new start asks for it.
Its file goes when its work is done and not before.

One process owns the folder. Times are the wall clock's, since they outlive the process.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from llmops.app.subjects import Subject
from llmops.evidence import files
from llmops.forge.base import Clock

TRIES = 8
FIRST_WAIT, LONGEST_WAIT = 5.0, 600.0  # seconds between tries
LEFT = timedelta(hours=1)  # how long what was given up is left
JUMP = timedelta(hours=2)  # a longer wait than any that we set: the clock was put back
FORMAT = 1


class Disk(Protocol):
    """Named bytes that outlive the process."""

    def names(self) -> list[str]:
        """Every name."""

    def read(self, name: str) -> bytes:
        """The bytes under a name."""

    def write(self, name: str, data: bytes) -> None:
        """These bytes under that name, all of them or what was there. Raises StoreError."""

    def remove(self, name: str) -> None:
        """Nothing under that name."""

    def set_aside(self, name: str) -> None:
        """What cannot be read, kept elsewhere for people."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as `Disk`."""

    path: Path

    def names(self) -> list[str]:
        """Names of the files that are whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        return sorted(p.name for p in self.path.glob("*.json"))

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return (self.path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Temporary file, fsync, rename."""
        files.replace(self.path / name, data)

    def remove(self, name: str) -> None:
        """A name that a kill brings back only costs one more look."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise files.failed("remove", self.path / name, error) from error

    def set_aside(self, name: str) -> None:
        """Into the folder `damaged`."""
        (self.path / "damaged").mkdir(exist_ok=True)
        (self.path / name).replace(self.path / "damaged" / name)


@dataclass(frozen=True, slots=True)
class Entry:
    """A subject that waits. `order`: since when, as a number that grows; `why`: what went wrong."""

    subject: Subject
    order: int
    tries: int = 0
    not_before: datetime | None = None
    why: str = ""
    parked: bool = False

    def data(self) -> bytes:
        """As its file has it."""
        later = self.not_before.isoformat() if self.not_before else None
        found = {
            "format_version": FORMAT, "subject": self.subject.data(), "order": self.order,
            "tries": self.tries, "not_before": later, "why": self.why, "parked": self.parked,
        }  # fmt: skip
        return json.dumps(found, sort_keys=True).encode() + b"\n"

    @classmethod
    def of(cls, data: bytes) -> Entry:
        """From its file. Raises ValueError."""
        found = json.loads(data)
        if not isinstance(found, Mapping) or found.get("format_version") != FORMAT:
            raise ValueError("it is no entry of this format")
        try:
            later = found["not_before"]
            return cls(
                Subject.of(found["subject"]),
                int(found["order"]),
                int(found["tries"]),
                datetime.fromisoformat(later).astimezone(UTC) if later else None,
                str(found["why"]),
                found["parked"] is True,
            )
        except (KeyError, TypeError) as error:
            raise ValueError("it is no entry") from error


def lane(subject: Subject) -> str:
    """One at a time for each repository: one clone, and GitHub asks for serial requests."""
    return subject.repo


class Queue:
    """Subjects that wait, kept on a disk. Safe to use from several threads."""

    def __init__(self, disk: Disk, clock: Clock, lane: Callable[[Subject], str] = lane) -> None:
        self._disk, self._clock, self._lane = disk, clock, lane
        self._waiting: dict[str, Entry] = {}
        self._working: dict[str, Entry] = {}
        self._again: set[str] = set()
        self._changed = threading.Condition()
        self.damaged: tuple[str, ...] = ()
        self._next = 0
        self._read()

    def _read(self) -> None:
        """What an earlier process left. What was given up is tried again, never before its time."""
        bad = []
        for name in self._disk.names():
            try:
                entry = Entry.of(self._disk.read(name))
            except (ValueError, RecursionError):
                self._disk.set_aside(name)
                bad.append(name)
                continue
            later = None if entry.parked else entry.not_before
            again = replace(entry, tries=0, parked=False, not_before=later)
            self._waiting[entry.subject.key] = again
        self._next = 1 + max((entry.order for entry in self._waiting.values()), default=0)
        self.damaged = tuple(bad)

    def put(self, subject: Subject) -> bool:
        """Have it looked at, once more if somebody looks right now. True where that is new.

        On return it is on the disk. Raises StoreError; then it is as before.
        """
        with self._changed:
            key = subject.key
            if key in self._working:
                self._again.add(key)
                return False
            known = self._waiting.get(key)
            if known is not None and not known.parked:
                return False
            self._keep(Entry(subject, known.order if known else self._take_number()))
            self._changed.notify_all()
            return known is None

    def take(self) -> Subject | None:
        """The next that is due and whose lane is free, now being worked on; None: none is."""
        with self._changed:
            busy = {self._lane(entry.subject) for entry in self._working.values()}
            for key, entry in sorted(self._waiting.items(), key=lambda item: item[1].order):
                if self._due(entry) and self._lane(entry.subject) not in busy:
                    self._working[key] = self._waiting.pop(key)
                    return entry.subject
            return None

    def done(self, subject: Subject) -> None:
        """It was looked at. Asked for meanwhile: it waits anew, at the end.

        Raises StoreError where its file cannot go; then a new start looks once more.
        """
        with self._changed:
            key = subject.key
            del self._working[key]
            self._changed.notify_all()
            if key in self._again:
                self._again.discard(key)
                self._waiting[key] = Entry(subject, self._take_number())  # its file is there
            else:
                self._disk.remove(f"{key}.json")

    def failed(self, subject: Subject, why: str, *, until: datetime | None = None) -> Entry:
        """It could not be looked at: later again, not before `until` if that is said."""
        with self._changed:
            key = subject.key
            entry = self._working.pop(key)
            self._again.discard(key)
            tries = entry.tries + 1
            wait = timedelta(seconds=min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT))
            due = self._clock.now() + (LEFT if tries >= TRIES else wait)
            due = min(max(due, until), self._clock.now() + JUMP) if until else due
            later = Entry(subject, self._take_number(), tries, due, why[:500], tries >= TRIES)
            self._waiting[key] = later  # also where the disk is full: this process goes on
            self._changed.notify_all()
            self._disk.write(f"{key}.json", later.data())
            return later

    def park(self, subject: Subject, why: str) -> None:
        """A person has to mend something: left for an hour, or until somebody asks again."""
        with self._changed:
            entry = self._working.pop(subject.key)
            again = subject.key in self._again
            self._again.discard(subject.key)
            later = replace(
                entry, why=why[:500], parked=not again, order=self._take_number(),
                not_before=None if again else self._clock.now() + LEFT,
            )  # fmt: skip
            self._waiting[subject.key] = later
            self._changed.notify_all()
            self._disk.write(f"{subject.key}.json", later.data())

    def wait(self, seconds: float) -> None:
        """Until something changes, or so long."""
        with self._changed:
            self._changed.wait(seconds)

    def entries(self) -> tuple[Entry, ...]:
        """All that is to be done, and what is being done, oldest first."""
        with self._changed:
            found = [*self._waiting.values(), *self._working.values()]
            return tuple(sorted(found, key=lambda entry: entry.order))

    def working(self) -> tuple[Subject, ...]:
        """What is being done."""
        with self._changed:
            return tuple(entry.subject for entry in self._working.values())

    def _due(self, entry: Entry) -> bool:
        later, now = entry.not_before, self._clock.now()
        return later is None or later <= now or later - now > JUMP

    def _keep(self, entry: Entry) -> None:
        self._disk.write(f"{entry.subject.key}.json", entry.data())
        self._waiting[entry.subject.key] = entry

    def _take_number(self) -> int:
        self._next += 1
        return self._next - 1
