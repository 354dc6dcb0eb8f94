"""One job from claim to evidence.

In: a job of a plan, a store, an executor. Out: `Done`, or an error that says why there is no
result. Order matters: claim, look whether it is done already, inputs, a clean folder, `job.json`,
that it starts signed and kept (where somebody signs), the worker, its result checked, the statement
written last; then its artifacts are laid where all machines reach them, if there is such a place.
"""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from llmops.digest import canonical
from llmops.errors import ExecutorError, StoreError
from llmops.evidence import started
from llmops.evidence.signed import vouched
from llmops.evidence.statement import Evidence, told
from llmops.evidence.store import Store
from llmops.executors.base import Attempt, Done, Ended, Event, Executor, Resolver
from llmops.executors.folder import RunFolder
from llmops.jobs.base import Job, Result
from llmops.signing.base import Signer


class CancelledError(Exception):
    """The run was stopped before this job had a result; nothing is wrong with the job."""


@dataclass(frozen=True, slots=True)
class World:
    """What an attempt needs of the world; `tell` may be called from any thread.

    `again`: closures that are worked once more although there is evidence of them. `signer`: who
    answers for what runs here, if anybody does. `columns`: those of rows that may be shown.
    """

    store: Store
    executor: Executor
    resolve: Resolver
    tell: Callable[[Event], None]
    stop: threading.Event
    again: frozenset[str] = frozenset()
    signer: Signer | None = None
    columns: frozenset[str] = frozenset()


def attempt(job: Job, world: World) -> Done:
    """Bring the job to evidence.

    Raises LlmopsError if the world fails, CancelledError if the run is stopped.
    """
    folder = RunFolder(world.store.run_folder(job.closure))

    told: set[str] = set()

    def on_wait(why: str) -> None:
        if why not in told:
            told.add(why)
            world.tell(Event("waits", job, why))

    with folder.claim(world.stop, on_wait) as claim:
        if claim is None:
            raise CancelledError
        again = job.closure in world.again
        done = None if again else _already(job, world, folder)
        done = done or _work(job, world, folder, claim)
        world.store.share(done.evidence)
        return done


def _already(job: Job, world: World, folder: RunFolder) -> Done | None:
    """The job's evidence, if another run made it, or left a whole result without a statement."""
    store = world.store
    evidence = store.evidence(job.closure)
    if evidence is not None:
        # Whose artifacts were lost or altered: a result that stands there now is not believed.
        whole = evidence.status != "ok" or not store.missing(job.closure)
        note = "done by another run meanwhile"
        return Done(job, evidence, ran=False, note=note) if whole else None
    try:
        result = folder.result(job)
    except (ExecutorError, StoreError):  # none, or none to use: the job runs
        return None
    began = _began(job, world, folder)
    if store.problem(result) or (world.signer is not None and not began):
        return None
    kept = store.keep(
        job, result, folder.given(), started=began, columns=world.columns, signer=world.signer
    )
    return Done(job, kept, ran=True, note="finished by an earlier run that was stopped")


def _work(job: Job, world: World, folder: RunFolder, claim: int) -> Done:
    inputs = {wanted.name: world.resolve(wanted) for wanted in job.inputs}
    given = {name: one.digest for name, one in inputs.items()}
    folder.clean(job)
    folder.write_job(job, inputs)
    began = _begin(job, world, folder, given)
    world.tell(Event("started", job))
    ended = world.executor.perform(
        Attempt(job, folder.path, claim),
        lambda progress: world.tell(Event("progress", job, progress=progress)),
        world.stop,
    )
    result = _result(job, folder, ended)
    evidence = _keep(job, result, world, folder, given, began)
    return Done(job, evidence, ran=True, seconds=ended.seconds)


def _begin(job: Job, world: World, folder: RunFolder, given: dict[str, str]) -> str:
    """That it starts, signed and kept: the digest of what was said, "" where nobody signs."""
    if world.signer is None:
        return ""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = canonical(started.started(job, given, secrets.token_hex(16), at))
    digest = world.store.signed.keep(vouched(said, world.signer))
    folder.write_started(digest)
    return digest


def _began(job: Job, world: World, folder: RunFolder) -> str:
    """What was said when the result in the folder was begun; a worker may have written there."""
    digest = folder.started() if world.signer is not None else ""
    envelope = world.store.signed.get(digest) if digest else None
    if envelope is None:
        return ""
    try:
        own = started.parse(envelope.payload)
    except ValueError:
        return ""
    return digest if own.job == told(job, folder.given()) else ""


def _keep(
    job: Job, result: Result, world: World, folder: RunFolder, given: dict[str, str], began: str
) -> Evidence:
    problem = world.store.problem(result)
    if problem:
        folder.discard_result()
        raise ExecutorError(f'result of "{job.id}" is not what its worker left: {problem}')
    return world.store.keep(
        job, result, given, started=began, columns=world.columns, signer=world.signer
    )


def _result(job: Job, folder: RunFolder, ended: Ended) -> Result:
    """The result that the worker wrote, if it ended as one that has written one."""
    if ended.exit_code == 0 and ended.stopped != "timeout":
        return folder.result(job)
    if ended.stopped == "cancelled":
        raise CancelledError  # we ended it: a result that it had written is for the next run
    folder.discard_result()
    if ended.stopped == "timeout":
        limit = f"{job.resources.timeout_minutes:g} minutes"
        raise ExecutorError(
            f'"{job.id}" was stopped after {limit}, its timeout',
            hint=f"raise timeout_minutes or give it more of the machine; {folder.see_log()}",
        )
    # 3 is the worker's own; torchrun has 1 for whatever its ranks ended with.
    heard = ended.exit_code == 3 or (ended.exit_code == 1 and not folder.lost_a_rank())
    raise (folder.error() if heard else None) or folder.died(job, _how(ended.exit_code))


def _how(code: int) -> str:
    if code >= 0:
        return f"died with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    memory = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{memory}"
