"""Jobs of a plan that were drawn -> run once more, beside what is kept, and compared with it.

In: drawn steps, the store with their evidence, an executor, a resolver of inputs. Out: the run's
report with an `Audit` for each, of which a statement is kept. The second run has a folder of its
own below `reports/audited/`, is given exactly what a first one would be given, and never becomes
evidence of its closure. What it made is removed where it agrees, and left to be looked at where it
does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

from llmops.errors import StoreError
from llmops.evidence.audits import lines_of, statement
from llmops.evidence.repeats import TABLES
from llmops.evidence.signed import vouched
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store
from llmops.executors.base import Event, Executor, Failure, Resolver, RunReport
from llmops.executors.run import run
from llmops.jobs.audits import Audit
from llmops.jobs.base import Job, Step
from llmops.signing.base import Signer

FOLDER = "audited"


def audit(
    steps: Sequence[Step],
    store: Store,
    executor: Executor,
    resolve: Resolver,
    on_event: Callable[[Event], None],
    report: RunReport,
    *,
    jobs: int | None = None,
    signer: Signer | None = None,
) -> RunReport:
    """The report with what came of running each drawn step once more of which evidence is kept.

    What the world does to one of them ends no other. `signer` answers for what is said. Raises
    KeyboardInterrupt.
    """
    drawn = {s.job.closure: s for s in steps if s.audit and _is_good(store, s.job)}
    if not drawn:
        return report
    beside = Store(store.root / FOLDER)
    again = [replace(step, state="run", evidence=None) for step in drawn.values()]
    told = run(
        again, store=beside, executor=executor, resolve=resolve, on_event=on_event,
        keep_going=True, jobs=jobs, again=frozenset(drawn),
    )  # fmt: skip
    audits, failures = list[Audit](), [*report.world_failed, *told.world_failed]
    for done in told.ran:
        try:
            made = _compared(drawn[done.job.closure], store, beside, done.evidence)
            if signer is not None:
                store.signed.keep(vouched(store.audits.bytes(made), signer))
            audits.append(made)
        except StoreError as error:
            failures.append(Failure(done.job, error))
    return replace(report, audits=tuple(audits), world_failed=tuple(failures))


def _is_good(store: Store, job: Job) -> bool:
    kept = store.evidence(job.closure)
    return kept is not None and kept.status == "ok"


def _compared(step: Step, store: Store, beside: Store, again: Evidence) -> Audit:
    job = step.job
    kept = store.evidence(job.closure)
    assert kept is not None, "it was drawn because it is"
    for name in (a.name for a in kept.result.artifacts if a.name in TABLES):
        store.artifact(job.closure, name)  # brought here if it lies elsewhere
    folders = [s.run_folder(job.closure) / "artifacts" for s in (store, beside)]
    lines = lines_of(folders[0], kept), lines_of(folders[1], again)
    made = store.audits.keep(statement(job, step.audit, (kept, again), lines))
    if made.same:
        shutil.rmtree(beside.run_folder(job.closure), ignore_errors=True)
    return made
