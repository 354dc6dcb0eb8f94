"""A worker in the standard library: does what `job.json` says under spec.fake, good or bad."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

folder = Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
spec = job["spec"]
fake = spec["fake"]


def result(status="ok", reason="", closure=None, files=None):
    made = []
    for name, text in (files or {}).items():
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        made.append({"name": name, "digest": digest, "size_bytes": len(text.encode())})
    value = {
        "format_version": 1,
        "closure": closure or job["closure"],
        "type": job["type"],
        "status": status,
        "reason": reason,
        "started_at": "2026-11-22T08:00:00Z",
        "finished_at": "2026-11-22T08:00:01Z",
        "measurements": [],
        "artifacts": made,
        "environment": {},
        "resources_used": {},
    }
    (folder / "result.json").write_text(json.dumps(value))


def sleepers():
    """One child that ignores SIGTERM, one in a session of its own, one of that one's children."""
    deaf = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    deep = f"import subprocess,sys,time; subprocess.Popen([sys.executable,'-ISc',{deaf!r}]); "
    one = subprocess.Popen([sys.executable, "-ISc", deaf])
    two = subprocess.Popen(
        [sys.executable, "-ISc", deep + "time.sleep(600)"], start_new_session=True
    )
    return [os.getpid(), one.pid, two.pid]


if "count" in spec:  # one line for each time a worker really works
    with open(spec["count"], "a") as file:
        file.write(job["id"] + "\n")
for name in spec.get("wait_for", []):
    until = time.monotonic() + 20
    while not Path(name).exists():
        if time.monotonic() > until:
            sys.exit(f"{name} never came")
        time.sleep(0.005)
print("hello from", job["id"], flush=True)

if fake == "ok":
    said = {n: Path(g["path"]).read_text() for n, g in job["inputs"].items()}
    result(files={"out.txt": json.dumps([job["id"], said], sort_keys=True)})
elif fake == "files":
    result(files=spec["files"])
elif fake == "environment":
    lines = [json.dumps([k, v]) for k, v in sorted(os.environ.items())]
    result(files={"environment": "\n".join([*lines, json.dumps(["cwd", os.getcwd()])])})
elif fake == "quality_failed":
    result(status="quality_failed", reason="loss is not finite at step 7")
elif fake == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif fake == "silent":
    pass
elif fake == "other":
    result(closure="sha256:" + "0" * 64)
elif fake == "garbage":
    (folder / "result.json").write_text(spec["text"])
elif fake == "wrong_digest":
    result(files={"out.txt": "one"})
    (folder / "artifacts" / "out.txt").write_text("two")
elif fake == "error":
    told = {"format_version": 1, "message": "ninja is not on PATH", "hint": "install ninja"}
    (folder / "error.json").write_text(spec.get("text") or json.dumps(told))
    print(spec.get("log", ""), flush=True)
    sys.exit(spec.get("code", 3))
elif fake == "exit":
    sys.stderr.write("Traceback\n\nboom: 宽 \x1b[31m\n")
    sys.exit(spec["code"])
elif fake == "result_then_die":
    result(files={"out.txt": "x"})
    sys.exit(1)
elif fake == "result_then_sleep":
    result(files={"out.txt": "x"})
    (folder / "written").touch()
    time.sleep(600)
elif fake == "sleep":
    (folder / "pids").write_text(json.dumps(sleepers()))
    (folder / "pids").rename(folder / "pids.json")
    time.sleep(600)
elif fake == "leave":
    (folder / "pids").write_text(json.dumps(sleepers()[1:]))
    (folder / "pids").rename(folder / "pids.json")
    result()
elif fake == "progress":
    with (folder / "progress.jsonl").open("w") as file:
        for line in spec["lines"]:
            file.write(line)
            file.flush()
            time.sleep(spec.get("pause", 0.0))
    result()
else:
    raise SystemExit(f"no fake named {fake}")
