"""A run in a process of its own, so that a test can interrupt or kill it: ROOT, jobs on stdin."""

import json
import signal
import sys
from pathlib import Path

from llmops.evidence.store import Store
from llmops.executors.base import Event
from llmops.executors.inputs import Inputs
from llmops.executors.local import LocalExecutor
from llmops.executors.run import run
from llmops.jobs.base import Step
from llmops.jobs.wire import job_from_json


def tell(event: Event) -> None:
    print(json.dumps([event.kind, event.job.id]), flush=True)


def nothing(*_: object) -> Path:
    raise AssertionError


# Whoever started the tests may ignore signals (nohup does, and a shell's `&`); children inherit it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
told = json.load(sys.stdin)
store = Store(Path(sys.argv[1]))
try:
    report = run(
        [Step(job_from_json(j), "run", "") for j in told["jobs"]],
        store=store,
        executor=LocalExecutor(told["command"], grace_seconds=0.2),
        resolve=Inputs(store, nothing, nothing),  # type: ignore[arg-type]
        on_event=tell,
        cores=2,
    )
except KeyboardInterrupt:
    sys.exit(130)
sys.exit(report.exit_code)
