"""A made-up worker that writes down each start and end, and may be told when to die.

LEDGER, the job's id that dies ("-": none), its moment, WORLD.json, RUN_FOLDER. It dies once: the
ledger tells whether it has.
"""

import json
import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import kill

ledger, victim, moment, world, folder = sys.argv[1:]
job = json.loads((Path(folder) / "job.json").read_text(encoding="utf-8"))


def note(word: str) -> None:
    """One line, whole: so short a write to the end of a file is never mixed with another."""
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(descriptor, f"{word} {job['id']} {job['closure']}\n".encode())
    os.close(descriptor)


dies = job["id"] == victim and f"start {victim} " not in Path(ledger).read_text(encoding="utf-8")
note("start")
counting = kill.from_here(int(moment) if dies else None)
sys.argv = ["worker.py", world, folder]
runpy.run_path(str(Path(__file__).parents[1] / "scenarios" / "worker.py"), run_name="__main__")
note("end")
