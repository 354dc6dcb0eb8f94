"""Artifacts of runs -> evidence that was admitted, and why some is absent.

What a run uploaded is data of others: an artifact of another run, an expired one or one too big is
not downloaded, the rest is read by `evidence.admit` and by nothing else. Only what was planned is
taken, each closure once: what is proven is never looked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmops.forge.base import WorkflowRun
from llmops.gating import permits, runs
from llmops.gating.base import Desk
from llmops.gating.scenes import Scene
from llmops.jobs.base import Job


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


def gather(desk: Desk, scene: Scene, expected: Mapping[str, Job]) -> Gathered:
    """Take what the runs at a scene's head brought of some jobs. Raises ForgeError."""
    found = runs.relevant(desk, scene)
    doubt = permits.in_doubt(desk, scene)
    going = bool(expected) and (runs.going(desk, found) or not (found or desk.settings.own_run))
    waits = _waits(desk, scene, found, doubt) if expected else ""
    why = runs.why_absent(desk, found) if expected and not going else ()
    return Gathered(frozenset(), going, waits, tuple(dict.fromkeys(why)))


def _waits(desk: Desk, scene: Scene, found: tuple[WorkflowRun, ...], doubt: str) -> str:
    """Why a person has to act before there can be evidence."""
    if doubt and scene.pull is not None:
        named = permits.allowed_by(desk, scene.pull, found[-1] if found else None)
        if not named:
            return f"{doubt}, and nobody with write access has allowed {scene.head[:7]}"
    if runs.waits(found):
        return f"run {found[-1].id} waits for a person to release it"
    return ""
