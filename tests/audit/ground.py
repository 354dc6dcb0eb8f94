"""A real log with several people's keys, and bundles of it, made once a session.

`ground()` has two verdicts, lines that were shown, keys that ended and were revoked, the log as it
was before its second verdict, and another second verdict by the same key.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from llmops.audit import bundle
from llmops.audit.base import Answer
from llmops.audit.remembered import Remembered
from llmops.audit.source import Bundle, Clone
from llmops.audit.verify import Asked, newest_pages, verify
from llmops.digest import of_bytes
from llmops.signing import dsse
from llmops.signing.base import Role
from llmops.signing.root import Grant, Revoked, Root, draft
from tests.audit.edits import Ground
from tests.audit.world import BAD, GOOD, TORN, World, files
from tests.keyring import named, person

OWNER, GATE, RUNNER = person("owner"), person("gate"), person("runner")
ENDED, GONE = person("ended"), person("gone")
PAST = "2026-02-01T00:00:00Z"
LATER = "2027-01-01T00:00:00Z"  # the auditor's clock


def root() -> Root:
    """Who may do what: one owner, one gate that keeps the log too, one runner, two of the past."""
    people = (OWNER, GATE, RUNNER, ENDED, GONE)
    keys = {one.key: named(one) for one in people} | {ENDED.key: named(ENDED, "eve", until=PAST)}
    gates = tuple(sorted(one.key for one in (GATE, ENDED, GONE)))
    runners = tuple(sorted(one.key for one in (GATE, RUNNER, ENDED)))
    roles: dict[Role, Grant] = {
        "root": Grant((OWNER.key,)), "gate": Grant(gates), "log": Grant(gates),
        "runner": Grant(runners),
    }  # fmt: skip
    return draft(Root(1, "", keys, roles, {GONE.key: Revoked(PAST, "lost")}))


ROOT = root()


@cache
def ground() -> Ground:
    """The bundle on which edits are tried."""
    folder = Path(tempfile.mkdtemp(prefix="llmops-ground-"))
    try:
        return _made(folder)
    finally:
        shutil.rmtree(folder)


def _made(folder: Path) -> Ground:
    world = World.new(folder / "world", _small(files(ROOT, OWNER)))
    world.pen = GATE
    judged(world, "good", GOOD)
    world.land("good")
    earlier = bundled(world)
    shutil.copytree(world.root, folder / "other", symlinks=True)
    other = World(folder / "other", GATE, world.now)
    judged(world, "bad", BAD)
    judged(other, "torn", TORN)
    return Ground(bundled(world, 4), GATE, RUNNER, ENDED, GONE, earlier, bundled(other))


def _small(content: dict[str, str]) -> dict[str, str]:
    """The story with an eighth of its cases, so that a bundle is read in no time."""
    test, suite = "specs/data/test.jsonl", "specs/evaluations/quality.yaml"
    content[test] = "".join(content[test].splitlines(keepends=True)[::8])
    for before, after in (("480", "60"), ("min: 0.80", "min: 0.60"), ("min: 0.70", "min: 0.50")):
        content[suite] = content[suite].replace(before, after)
    return content


def judged(world: World, name: str, edit: tuple[str, str]) -> None:
    """A change that is run and judged."""
    world.run(world.change(name, edit))
    world.gate(name)


def bundled(world: World, shown: int = 0) -> Mapping[str, bytes]:
    """The files of a bundle of a world's log."""
    project = world.project
    clone = Clone(project.repository, world.log)
    asked = bundle.Asked(shown, "dice" if shown else "")
    made = bundle.made(clone, project.store, asked, newest_pages)
    return made.files


def answer(data: bytes, before: Remembered | None = None) -> Answer:
    """What `llmops verify` says to somebody who knows the trust root, or remembers."""
    pins = {} if before is not None else {ROOT.digest: "--root"}
    return verify(Bundle.of("bundle.zip", data), Asked(LATER, pins, before))


def root_digest(files: Mapping[str, bytes]) -> str:
    """The digest of the first trust root of a bundle."""
    return of_bytes(dsse.decode(files["log/entries/00000/00000000.json"]).payload)
