"""Artifacts of runs -> evidence that was admitted, and why some is absent.

What a run uploaded is data of others: an artifact of another run, an expired one or one too big is
not downloaded, the rest is read by `evidence.admit` and by nothing else. Only what was planned is
taken, each closure once: what is proven is never looked for again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llmops.diagnostics import printable
from llmops.evidence.admit import Admitted, Expecting, admit
from llmops.evidence.places import Place, record
from llmops.evidence.trusted import of_tree
from llmops.forge.base import ForgeError, RunArtifact, WorkflowRun
from llmops.gating import permits, runs
from llmops.gating.base import Desk
from llmops.gating.rescore import rescored
from llmops.gating.scenes import Scene
from llmops.jobs.base import Job

ARTIFACT = "llmops-evidence-"  # how the names of artifacts with evidence begin
MOST = 256  # artifacts of one run that are looked at


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the runs at a commit brought. `kept`: closures that are proven now.

    `going`: a run may still bring more. `waits`: why a person has to act first. `why`: for each
    thing that did not come, the reason in words.
    """

    kept: frozenset[str] = frozenset()
    going: bool = False
    waits: str = ""
    why: tuple[str, ...] = ()


def gather(
    desk: Desk, scene: Scene, expected: Mapping[str, Job], columns: frozenset[str] = frozenset()
) -> Gathered:
    """Take what the runs at a scene's head brought of some jobs. Raises ForgeError.

    `columns`: by which some spec slices. Raises UsageError where base's trust root is none.
    """
    trust = of_tree(scene.sides.base, desk.forge.clock.now())
    take = partial(admit, check=rescored, trust=trust, columns=columns)
    found = runs.relevant(desk, scene)
    doubt = permits.in_doubt(desk, scene)
    left, kept, why = dict(expected), set[str](), list[str]()
    for run in found:
        if left and not (doubt and _unallowed(desk, scene, run)):
            for closure in _taken(desk, scene, run, left, why, take):
                kept.add(closure)
                left.pop(closure, None)
    going = bool(left) and (runs.going(desk, found) or not (found or desk.settings.own_run))
    waits = _waits(desk, scene, found, doubt) if left else ""
    if left and not going:
        why += runs.why_absent(desk, found)
    return Gathered(frozenset(kept), going, waits, tuple(dict.fromkeys(why)))


def _unallowed(desk: Desk, scene: Scene, run: WorkflowRun) -> bool:
    return scene.pull is not None and not permits.allowed_by(desk, scene.pull, run)


def _waits(desk: Desk, scene: Scene, found: tuple[WorkflowRun, ...], doubt: str) -> str:
    """Why a person has to act before there can be evidence."""
    if doubt and scene.pull is not None:
        named = permits.allowed_by(desk, scene.pull, found[-1] if found else None)
        if not named:
            return f"{doubt}, and nobody with write access has allowed {scene.head[:7]}"
    if runs.waits(found):
        return f"run {found[-1].id} waits for a person to release it"
    return ""


def _taken(
    desk: Desk,
    scene: Scene,
    run: WorkflowRun,
    expected: Mapping[str, Job],
    why: list[str],
    take: Callable[..., Admitted],
) -> Iterator[str]:
    """The closures that a run's artifacts prove; what is wrong with one goes to `why`."""
    left = dict(expected)
    listed = (a for a in desk.forge.artifacts(run.id) if a.name.startswith(ARTIFACT))
    for _, artifact in zip(range(MOST), listed, strict=False):
        if not left:
            return
        problem = unfit(desk, scene, run, artifact)
        if problem:
            why.append(f"{_named(artifact)} of run {run.id} {problem}")
            continue
        for closure in _admitted(desk, scene, run, artifact, left, why, take):
            left.pop(closure, None)
            yield closure


def unfit(desk: Desk, scene: Scene, run: WorkflowRun, artifact: RunArtifact) -> str:
    """Why an artifact is not downloaded, "" where it is."""
    if artifact.run_id != run.id:
        return f"is of another run ({artifact.run_id})"
    if artifact.head_sha and artifact.head_sha != scene.head:
        return f"is of another commit ({printable(artifact.head_sha[:7])})"
    if artifact.expired:
        return "has expired"
    most = desk.settings.most_bytes
    if artifact.size_bytes > most:
        return f"is too big: {artifact.size_bytes:,} bytes, at most {most:,} are read"
    return ""


def _admitted(
    desk: Desk,
    scene: Scene,
    run: WorkflowRun,
    artifact: RunArtifact,
    expected: Mapping[str, Job],
    why: list[str],
    take: Callable[..., Admitted],
) -> frozenset[str]:
    """Download one artifact and take what holds."""
    with tempfile.TemporaryDirectory(prefix="llmops-gate-") as folder:
        archive = Path(folder) / "artifact.zip"
        try:
            desk.forge.download(artifact, archive, desk.settings.most_bytes)
        except ForgeError as error:
            if not _gone(error):
                raise
            why.append(f"{_named(artifact)} of run {run.id}: {error.message}")
            return frozenset()
        who = Expecting(run_id=run.id, repository=str(desk.forge.repo), head_sha=scene.head)
        found = take(desk.project.store, archive, expected, who)
    why += [f"{_named(artifact)} of run {run.id}: {reason}" for reason in found.refused]
    place = Place(
        str(desk.forge.repo), run.id, artifact.id, artifact.name, artifact.expires_at,
        artifact.size_bytes, artifact.digest,
    )  # fmt: skip
    for closure in found.kept:
        record(desk.project.store, closure, (place,))
    return frozenset(found.kept)


def _gone(error: ForgeError) -> bool:
    """Whether trying again brings nothing: the bytes are not there, or not the ones listed."""
    return type(error) is ForgeError or getattr(error, "status", 0) in (404, 410)


def _named(artifact: RunArtifact) -> str:
    return printable(artifact.name, 120)
