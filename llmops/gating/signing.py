"""The gate's pen at work on a scene: what a verdict rests on, then the verdict, in the shared log.

In: a desk with its key, a scene, a plan. Out: what the log says, or why nothing is signed: a fork's
job has no key, and neither has a repository whose base names no trust root. What lands is signed or
it is not judged.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from llmops.errors import NotAllowed
from llmops.gating.base import Desk
from llmops.gating.judging import Given
from llmops.gating.scenes import Scene
from llmops.jobs.attempts import HELD
from llmops.notary import reading, record
from llmops.notary.base import Pen, Unsigned
from llmops.notary.given import Said
from llmops.notary.pen import pen as pen_of
from llmops.notary.record import Begun
from llmops.pipeline import Planned, authors_of
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.rules.base import Verdict


def pen(desk: Desk, scene: Scene) -> Pen | Unsigned | None:
    """Whose pen it is by base's trust root; None where base has none."""
    return pen_of(
        scene.sides.base, desk.project.repository, desk.key,
        remote=desk.remote, clock=desk.forge.clock.now, pause=desk.forge.clock.sleep,
    )  # fmt: skip


def begun(desk: Desk, scene: Scene, made: Planned) -> tuple[Pen, Begun] | Unsigned | None:
    """What a verdict may rest on stands in the log, before anything is judged."""
    found = pen(desk, scene)
    if not isinstance(found, Pen):
        return found
    try:
        return found, record.begin(found, desk.project, made)
    except NotAllowed as error:
        return Unsigned(error.message, error.hint)


def sealed(
    desk: Desk,
    made: Planned,
    given: Given,
    verdict: Verdict,
    stands: tuple[Pen, Begun] | Unsigned | None,
) -> Verdict:
    """The verdict, in the log; its `extra` says where, or why nobody signed it."""
    if stands is None:
        return verdict
    if isinstance(stands, Unsigned):
        return _with(verdict, NOT_SIGNED, stands.why)
    authors = authors_of(desk.project, made.both, given.approvals, given.authors)
    said = Said(given.approvals, authors, given.left_out)
    return _with(verdict, SEAL, asdict(record.finish(*stands, desk.project, made, said, verdict)))


def _with(verdict: Verdict, name: str, value: object) -> Verdict:
    return replace(verdict, extra={**verdict.extra, name: value})


def why_unsigned(desk: Desk, scene: Scene) -> str:
    """Why nothing can be signed that must be, "" where it can be or need not be."""
    found = pen(desk, scene)
    return f"nobody can sign for it: {found.why}" if isinstance(found, Unsigned) else ""


def stands(desk: Desk, scene: Scene) -> bool:
    """Whether a signed verdict let land exactly this tree under exactly these policies.

    True as well where base has no trust root, so that nothing is signed.
    """
    found = pen(desk, scene)
    if not isinstance(found, Pen):
        return found is None
    tree = scene.sides.head.oid
    policy = scene.sides.base.subtree("policies") if scene.sides.base is not None else None
    reports = reading.reports(record.looked(found), tree)
    told = [said["predicate"] for _, _, said in reports]
    same = [
        one for one in told if (one["given"]["head"]["tree"], one["policy_tree"]) == (tree, policy)
    ]
    return bool(same) and same[-1]["outcome"] in HELD
