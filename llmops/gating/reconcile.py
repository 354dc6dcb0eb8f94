"""The verb of the gate: one look at the world, and everything that follows from it.

Desk + subject -> `Settled`. No event is believed: what is published follows from the state of the
repository, of its runs and of the kept evidence, so a second look writes nothing, and a look that
was cut short at any point is finished by the next. The order of writes makes that safe: the check
is in progress before anything is known, attempts are at the forge before rows are judged, and a
verdict is published last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from llmops.diagnostics import Severity, printable
from llmops.errors import LlmopsError, UsageError
from llmops.evidence.uploads import Uploads
from llmops.forge.base import GaveUp, Publication, Published, Pull
from llmops.gating import (
    evidence,
    groups,
    judging,
    landing,
    permits,
    reviews,
    scenes,
    signing,
    visible,
)
from llmops.gating.base import Desk, Group, Landed, PullRequest, Settled, Subject, exit_code
from llmops.gating.gathering import Gathered, gather
from llmops.gating.permits import command
from llmops.gating.scenes import Scene
from llmops.pipeline import Planned
from llmops.project import InvalidSpecs
from llmops.reports import github_landed
from llmops.reports import github_states as states
from llmops.reports.github_states import Subject as About
from llmops.rules.base import Outcome, Verdict

_OURS = "that is a mistake of llmops: its log has the rest"
_ALONE = "push a commit of its own to each, or close one, so that each has its own check"
_MOVES = 3  # how often the head of a pull request may move under one look


@dataclass(frozen=True, slots=True)
class _Told:
    """What is to be published, and what it comes to; none of it is visible yet."""

    publication: Publication
    exit_code: int
    state: str
    notes: tuple[str, ...] = ()
    verdict: Verdict | None = None
    bug: Exception | None = None  # of ours: told, then raised


def reconcile(desk: Desk, subject: Subject) -> Settled:
    """Bring what is published of a subject in line with what is true of it.

    Raises UsageError for a subject that is not there, ForgeError where the forge cannot be asked
    about it. Everything else that goes wrong is published, as far as that is possible.
    """
    desk = _reaching(desk)
    if isinstance(subject, PullRequest):
        return _pull(desk, subject.number)
    if isinstance(subject, Group):
        about = scenes.subject(desk, subject.head_sha)
        return _visible(desk, _guarded(desk, about, partial(_group, desk, subject, about)))
    about = scenes.subject(desk, subject.sha)
    return _visible(desk, _guarded(desk, about, partial(_landed, desk, subject, about)))


def _reaching(desk: Desk) -> Desk:
    """The desk whose store has rows of earlier runs out of what those uploaded."""
    if desk.project.sources:
        return desk
    uploads = Uploads(desk.project.reports.absolute(), desk.forge.clock.now, desk.forge)
    return replace(desk, project=replace(desk.project, sources=(uploads,)))


def open_check(desk: Desk, subject: Subject) -> Settled:
    """Only the first second: a check in progress where none of ours stands yet. Judges nothing.

    Raises as `reconcile` does; a token that may not write is no mistake here.
    """
    number = subject.number if isinstance(subject, PullRequest) else None
    if isinstance(subject, PullRequest):
        pull = _expected(desk, subject.number)
        if pull.state == "closed":
            return Settled(None, Published(), 0, state="closed")
        sha = pull.head_sha
    else:
        sha = subject.head_sha if isinstance(subject, Group) else subject.sha
    done = visible.opened(desk, scenes.subject(desk, sha, number))
    return Settled(None, done, 0, done.left, "open")


# ---- the three kinds of subject ----------------------------------------------------------------


def _pull(desk: Desk, number: int) -> Settled:
    for _ in range(_MOVES):
        pull = _expected(desk, number)
        about = scenes.subject(desk, pull.head_sha, number)
        look = _closed if pull.state == "closed" else _opened
        told = _guarded(desk, about, partial(look, desk, pull, about))
        if _stands(desk, pull):
            return _visible(desk, told)
    message = f"the head of #{number} moves faster than it can be judged"
    return Settled(None, Published(), 3, (message,), "running")


def _expected(desk: Desk, number: int) -> Pull:
    pull = desk.forge.pull(number)
    if pull is None:
        what = f"{desk.forge.repo} has no pull request #{number}, or this token may not see it"
        raise UsageError(what, hint="see the number, and --repo")
    return pull


def _stands(desk: Desk, pull: Pull) -> bool:
    """Whether a pull request is still what was looked at."""
    now = _expected(desk, pull.number)
    was = pull.head_sha, pull.state, pull.base_ref
    return (now.head_sha, now.state, now.base_ref) == was


def _opened(desk: Desk, pull: Pull, about: About) -> _Told:
    visible.opened(desk, about)
    other = _elsewhere(desk, pull)
    if other is not None:
        where = f"#{other.number} too, against {printable(other.base_ref)}"
        why = f"commit {pull.head_sha[:7]} is the head of {where}; a check stands on a commit"
        return _Told(states.waiting_for_person(about, why, _ALONE), 1, "waiting", (why,))
    return _judged(desk, scenes.of_pull(desk, pull))


def _elsewhere(desk: Desk, pull: Pull) -> Pull | None:
    """Another open pull request with the same head, for a branch that may ask less of it."""
    others = desk.forge.pulls_of(pull.head_sha)
    return next((one for one in others if one.base_ref != pull.base_ref), None)


def _closed(desk: Desk, pull: Pull, about: About) -> _Told:
    """Nothing is judged any more; a check that is still open ends as what it is."""
    stands = visible.is_concluded(desk, pull.head_sha) or not visible.is_opened(desk, pull.head_sha)
    return _Told(states.closed(about, merged=pull.merged, verdict_stands=stands), 0, "closed")


def _group(desk: Desk, subject: Group, about: About) -> _Told:
    visible.opened(desk, about)
    scene = scenes.of_group(desk, subject.head_sha, subject.base_ref)
    return _judged(desk, groups.with_pulls(desk, scene))


def _landed(desk: Desk, subject: Landed, about: About) -> _Told:
    """What a verdict let land is done; anything else is judged now, and must hold by now."""
    visible.opened(desk, about)
    evidence.pull(desk)
    scene = scenes.of_landed(desk, subject.sha, subject.branch, landing.held(desk))
    tree, before = scene.sides.head.oid, landing.judged_before(desk, scene)
    if before is not None and landing.let_land(before) and signing.stands(desk, scene):
        said = github_landed.as_judged(scene.about, tree, before.outcome, before.subject)
        return _Told(_with_releases(desk, scene, said), 0, before.outcome)
    found = _guarded(desk, about, lambda: _judged(desk, landing.with_pulls(desk, scene)))
    if found.bug is not None:
        return found
    unsigned = signing.why_unsigned(desk, scene)
    if found.exit_code == 0 and not unsigned:
        return replace(found, publication=_with_releases(desk, scene, found.publication))
    why = unsigned or github_landed.why_not(found.verdict, found.state, found.notes)
    notes = landing.incident(desk, subject, scene, why)
    told = github_landed.unjudged(scene.about, tree, why)
    return _Told(told, 1, "not judged", (*found.notes, *notes), found.verdict)


def _with_releases(desk: Desk, scene: Scene, said: Publication) -> Publication:
    tree, graph = scene.sides.head.oid, judging.graph(desk, scene)
    return github_landed.with_deployments(said, scene.about, graph, tree)


# ---- one scene ---------------------------------------------------------------------------------


def _judged(desk: Desk, scene: Scene) -> _Told:
    """From a scene to what is to be said of it."""
    made, found = _look(desk, scene)
    absent = judging.missing(made)
    if absent and found.waits:
        told = states.waiting_for_person(scene.about, found.waits, permits.HINT, command(scene))
        return _Told(told, 1, "waiting", found.why)
    if absent and found.going:
        done = [step.job.closure for step in made.plan.steps if step.state != "run"]
        told = states.running(scene.about, made.plan, len(done), len(made.plan.steps), done)
        return _Told(told, 3, "running", found.why)
    verdict, kept = _verdict(desk, scene, made, told=not absent)
    if absent and verdict.outcome is not Outcome.FAILED:
        return _absent(scene, made, found, verdict)
    told = states.judged(scene.about, verdict)
    notes = (*found.why, *kept)
    return _Told(told, exit_code(verdict), verdict.outcome.word, notes, verdict)


def _look(desk: Desk, scene: Scene) -> tuple[Planned, Gathered]:
    """The plan with all that can be had by now."""
    evidence.pull(desk)
    both = judging.read(desk, scene)
    made = judging.planned(desk, scene, both)
    expected = judging.missing(made)
    if not expected:
        return made, Gathered()
    found = gather(desk, scene, expected, made.columns)
    if found.kept:
        made = judging.planned(desk, scene, both)
        evidence.push(desk, made)
    return made, found


def _verdict(
    desk: Desk, scene: Scene, made: Planned, *, told: bool
) -> tuple[Verdict, tuple[str, ...]]:
    """Attempts first, at the forge and in the log; then the verdict, and what became of them.

    Beside it what could not be kept there. Signed is what is told: all was there, or it failed.
    """
    judging.record(desk, made)
    evidence.push(desk, made)
    stands = signing.begun(desk, scene, made)
    given = reviews.given(desk, scene, made)
    verdict = judging.judge(desk, made, given)
    judging.close(desk, scene, made, verdict)
    kept = evidence.push(desk, made)
    if told or verdict.outcome is Outcome.FAILED:
        verdict = signing.sealed(desk, made, given, verdict, stands)
    return verdict, kept


def _absent(scene: Scene, made: Planned, found: Gathered, verdict: Verdict) -> _Told:
    """Nothing more will come, and not all is there: nobody judged this."""
    absent, total = len(judging.missing(made)), len(made.plan.steps)
    why = found.why or (f"no run at {scene.head[:7]} brought it",)
    message = f"{absent} of {total} jobs have no evidence: {why[0]}"
    more = "; ".join([*why[1:], "run the workflow again: what is proven is not run twice"])
    return _Told(states.not_judged(scene.about, message, more), 3, "not judged", why, verdict)


# ---- publishing --------------------------------------------------------------------------------


def _visible(desk: Desk, told: _Told) -> Settled:
    """Publish it. Where the forge cannot be reached it is to be done again."""
    done = visible.shown(desk, told.publication)
    if told.bug is not None:
        raise told.bug
    code = 3 if done.resume_at else told.exit_code
    notes = tuple(dict.fromkeys((*told.notes, *done.left)))
    return Settled(told.verdict, done, code, notes, told.state, _summary(told.publication))


def _summary(publication: Publication) -> str:
    output = (publication.check or {}).get("output") or {}
    return str(output.get("summary", ""))


# ---- what goes wrong ---------------------------------------------------------------------------


def _guarded(desk: Desk, about: About, work: Callable[[], _Told]) -> _Told:
    """The work; or what went wrong with it: never a success, never silence."""
    try:
        return work()
    except InvalidSpecs as error:
        found = error.state.diagnostics
        errors = (one for one in found if one.severity is Severity.ERROR)
        notes = tuple(f"{one.span}: {one.rule}: {printable(one.message)}" for one in errors)
        return _Told(states.invalid(about, found), 2, "invalid", notes)
    except UsageError as error:
        told = states.refused(about, desk.clean(error.message), desk.clean(error.hint))
        return _Told(told, 2, "invalid", (desk.clean(error.message),))
    except GaveUp:
        raise
    except LlmopsError as error:
        told = states.not_judged(about, desk.clean(error.message), desk.clean(error.hint))
        return _Told(told, 3, "not judged", (desk.clean(error.message),))
    except Exception as bug:
        told = states.not_judged(about, f"the gate itself failed ({type(bug).__name__})", _OURS)
        return _Told(told, 3, "not judged", bug=bug)
