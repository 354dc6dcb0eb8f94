"""`llmops` with a made-up world: jobs are done by the stand-in worker, and waiting takes no time.

Started as `llmops_world.py WORLD.json ARGUMENTS...`, where a workflow calls `llmops`.
"""

import sys
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(world, *words):
    """The command line of llmops, with another worker and a faster clock."""
    sys.path.insert(0, str(ROOT))
    from llmops.cli.main import main as run
    from llmops.executors.local import LocalExecutor
    from llmops.executors.run import EXECUTORS
    from llmops.forge.clock import SystemClock

    hasten(SystemClock)
    worker = (sys.executable, "-I", str(ROOT / "tests" / "tools" / "stand_in.py"), world)
    EXECUTORS["local"] = lambda: LocalExecutor(worker)
    return run(list(words))


def hasten(clock):
    """Waiting moves this clock and takes no time."""
    now, monotonic, slept = clock.now, clock.monotonic, [0.0]
    clock.now = lambda self: now(self) + timedelta(seconds=slept[0])
    clock.monotonic = lambda self: monotonic(self) + slept[0]
    clock.sleep = lambda self, seconds: slept.append(slept.pop() + max(0.0, seconds))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
