"""`llmops` with a made-up world: jobs are done by the stand-in worker, and waiting takes no time.

Started as `llmops_world.py WORLD.json ARGUMENTS...`, where a workflow calls `llmops`.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(world, *words):
    """The command line of llmops, with another worker and a faster clock."""
    sys.path.insert(0, str(ROOT))
    from llmops.cli.main import main as run
    from llmops.executors.local import LocalExecutor
    from llmops.executors.run import EXECUTORS

    worker = (sys.executable, "-I", str(ROOT / "tests" / "tools" / "stand_in.py"), world)
    EXECUTORS["local"] = lambda: LocalExecutor(worker)
    return run(list(words))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
