"""`llmops run` with made-up workers, in a process that may be told when to die.

REPORT (where to write how many moments there were), the moment or "-", the signal, then the
command's words. The environment says what its workers are to do: BATTERY_WORKER, as JSON.
"""

import json
import os
import signal
import sys
from pathlib import Path

from llmops.cli.main import main
from llmops.executors.local import LocalExecutor
from llmops.executors.run import EXECUTORS
from tests.battery import kill

# Whoever started the tests may ignore signals (nohup does, and a shell's `&`); children inherit it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
report, moment, number, *words = sys.argv[1:]
worker = json.loads(os.environ["BATTERY_WORKER"])
EXECUTORS["local"] = lambda: LocalExecutor(worker, grace_seconds=0.2)  # type: ignore[index]
counting = kill.from_here(None if moment == "-" else int(moment), int(number))
code = main(words)
Path(report).write_text(str(counting.seen))
sys.exit(code)
