"""A worker that says whatever secret it was given, everywhere, as it was told to spell it.

Started as `python -I -S leaky_worker.py RUN_FOLDER`. The job's `fake` says where: "log" (log,
progress, error and the reason in its result), or "artifact" (a row too).
"""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

FOLDER = Path(sys.argv[1])
JOB = json.loads((FOLDER / "job.json").read_text(encoding="utf-8"))
SPELLINGS = {
    "plain": lambda v: v,
    "reversed": lambda v: v[::-1],
    "base64": lambda v: base64.b64encode(f"Bearer {v}".encode()).decode(),
    "base64url": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "hex": lambda v: v.encode().hex().upper(),
    "percent": lambda v: quote(v, safe=""),
}
given = {name: value for name, value in os.environ.items() if name.startswith("LLMOPS_SECRET_")}
said = [spell(value) for value in given.values() for spell in SPELLINGS.values()]
line = f"{len(given)} secrets: " + " ".join(said)
print(line)
print(line, file=sys.stderr, flush=True)
os.write(2, line.encode() + b"\n")  # as a library in C would
with (FOLDER / "progress.jsonl").open("a", encoding="utf-8") as file:
    file.write(json.dumps({"at": "2026-11-22T08:00:00Z", "phase": "note", "note": line}) + "\n")
if JOB["spec"]["fake"] == "error":
    error = {"format_version": 1, "message": f"the judge said {line}", "hint": line}
    (FOLDER / "error.json").write_text(json.dumps(error), encoding="utf-8")
    sys.exit(3)
if JOB["spec"]["fake"] == "dies":
    raise RuntimeError(line)
row = line if JOB["spec"]["fake"] == "artifact" else "fine"
(FOLDER / "artifacts").mkdir(exist_ok=True)
(FOLDER / "artifacts" / "out.txt").write_text(row, encoding="utf-8")
hashed = hashlib.sha256(row.encode()).hexdigest()
result = {
    "format_version": 1, "closure": JOB["closure"], "type": JOB["type"], "status": "ok",
    "started_at": "2026-11-22T08:00:00Z", "finished_at": "2026-11-22T08:00:01Z",
    "reason": line, "measurements": [],
    "artifacts": [{"name": "out.txt", "digest": f"sha256:{hashed}",
                   "size_bytes": len(row.encode())}],
    "environment": {"tool": line}, "resources_used": {},
}  # fmt: skip
(FOLDER / "result.json").write_text(json.dumps(result), encoding="utf-8")
