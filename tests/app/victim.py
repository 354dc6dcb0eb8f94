"""A whole service whose work is a line in a file, to be killed: `victim.py DATA LOG`.

Prints the port it listens at. Work takes a while, so that a kill meets it; each look is written
down when it begins and when it ends.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import uvicorn

from llmops.app.run import Service
from llmops.app.service import config
from llmops.app.settings import Settings
from llmops.app.subjects import Subject
from llmops.forge.clock import SystemClock
from tests.app.conftest import REPO, SECRET


def main(data: Path, log: Path) -> None:
    def work(subject: Subject) -> str:
        with log.open("a") as file:
            file.write(f"begin {subject.key} {time.monotonic_ns()}\n")
            file.flush()
            time.sleep(0.005)
            file.write(f"end {subject.key} {time.monotonic_ns()}\n")
        return "seen"

    settings = Settings(1, "", (SECRET,), data, (REPO,), "127.0.0.1", 0)
    made = Service(settings, SystemClock(), lambda line: None, every=3600, work=work)
    server = uvicorn.Server(config(made.app(), "127.0.0.1", 0))
    threading.Thread(target=_tell, args=(server,), daemon=True).start()
    server.run()


def _tell(server: uvicorn.Server) -> None:
    while not server.started:
        time.sleep(0.005)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
