"""A Slurm of one machine for tests: munge, a controller and a node, started here and ended again.

Debian's packages `slurm-wlm` and `munge`, as root; settings of 22.05, without cgroup.conf.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sinfo")
_SECONDS = 30.0
_CONF = """\
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_min_interval=0,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000
PartitionName=local Nodes={host} Default=YES State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A cluster that takes jobs."""

    folder: Path

    @property
    def srun(self) -> tuple[str, ...]:
        """The command that runs something on it."""
        return ("/usr/bin/env", f"SLURM_CONF={self.folder / 'slurm.conf'}", _program("srun"))

    @property
    def log(self) -> str:
        """What the controller wrote."""
        return (self.folder / "slurmctld.log").read_text("utf-8")


def missing() -> str:
    """Why there can be no Slurm here, "" if there can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if absent:
        return f"no {', '.join(absent)} (Debian: slurm-wlm, munge)"
    return "" if os.geteuid() == 0 else "not root"


@contextmanager
def cluster(folder: Path) -> Iterator[Slurm]:
    """Start one, and end all of it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    ports = [_free_port(), _free_port()]
    text = _CONF.format(host=socket.gethostname(), folder=folder, ports=ports)
    (folder / "slurm.conf").write_text(text, encoding="utf-8")
    conf = str(folder / "slurm.conf")
    munge = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munge += [f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid"]
    munge += [f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"]
    with ExitStack() as running:
        for words in (munge, ["slurmctld", "-D", "-f", conf], ["slurmd", "-D", "-f", conf]):
            running.enter_context(_started(words, folder))
        made = Slurm(folder)
        _until_idle(made)
        yield made


@contextmanager
def _started(words: list[str], folder: Path) -> Iterator[None]:
    with (folder / f"{words[0]}.out").open("wb") as out:
        process = subprocess.Popen([_program(words[0]), *words[1:]], stdout=out, stderr=out)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until_idle(made: Slurm) -> None:
    ends = time.monotonic() + _SECONDS
    said = ""
    while time.monotonic() < ends:
        words = [*made.srun[:2], _program("sinfo"), "--noheader", "--format=%t"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        said = (done.stdout + done.stderr).strip()
        if said == "idle":
            return
        time.sleep(0.1)
    raise AssertionError(f"no node is idle: {said}")


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None, name
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/sbin"
