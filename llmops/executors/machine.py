"""Is this machine fit to run jobs: each question -> `Finding`, ok, a warning, or missing.

In: the environment, a folder for reports, one for the cache. Out: findings with a hint. Nothing is
assumed: two ranks are really started, folders are really written to. `llmops doctor` prints them.
"""

from __future__ import annotations

import importlib.metadata
import locale
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llmops.diagnostics import did_you_mean
from llmops.executors.local import PASSED, SET
from llmops.jobs.tools import PINS

GIT_LEAST = (2, 38)  # merge-tree --write-tree
PYTHON_LEAST, PYTHON_BELOW = (3, 11), (3, 14)
DISK_LEAST_MB, DISK_WISHED_MB = 200, 2048
MEMORY_WISHED_MB = 4096
RANKS_SECONDS = 180.0
COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing. `missing` is a must-have that is not there."""

    name: str
    state: Literal["ok", "warning", "missing"]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is looked at: variables, where runs are kept, where downloads are, known variables."""

    variables: Mapping[str, str]
    reports: Path
    cache: Path
    known: frozenset[str] = frozenset()  # LLMOPS_* names that mean something


def examine(machine: Machine, *, ranks: bool = True) -> Iterator[Finding]:
    """Every finding, the cheap ones first; `ranks` starts two processes (some seconds)."""
    for look in LOOKS:
        yield from look(machine)
    if not _installed():
        return
    yield from _compiler(machine)
    yield from _ninja(machine)
    if ranks:
        yield from _ranks(machine)


def _git(machine: Machine) -> Iterator[Finding]:
    said = _output(["git", "--version"])
    found = re.search(r"(\d+)\.(\d+)", said or "")
    least = ".".join(map(str, GIT_LEAST))
    if found is None:
        yield Finding("git", "missing", "git is not on PATH", f"install git {least} or newer")
    elif (int(found[1]), int(found[2])) < GIT_LEAST:
        what = f"git {found[0]} cannot merge without a work tree"
        yield Finding("git", "missing", what, f"install git {least} or newer")
    else:
        yield Finding("git", "ok", f"git {found[0]}")


def _python(machine: Machine) -> Iterator[Finding]:
    version = sys.version.split()[0]
    if PYTHON_LEAST <= sys.version_info[:2] < PYTHON_BELOW:
        yield Finding("python", "ok", f"Python {version}")
    else:
        yield Finding("python", "missing", f"Python {version} is not 3.11 to 3.13", "use 3.11")


def _text(machine: Machine) -> Iterator[Finding]:
    name = locale.getpreferredencoding(False)
    if name.lower().replace("-", "") in ("utf8", "utf8mb4"):
        yield Finding("locale", "ok", name)
    else:
        hint = "set LC_ALL=C.UTF-8, so that names and rows in any language are shown"
        yield Finding("locale", "warning", f"texts are printed as {name}", hint)


def _folders(machine: Machine) -> Iterator[Finding]:
    yield _folder("reports", machine.reports)
    yield _folder("cache", machine.cache)


def _folder(name: str, path: Path) -> Finding:
    """Whether a file can be written there, and how much room is left."""
    near = next(p for p in (path, *path.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=near) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        why = error.strerror or str(error)
        hint = "make the folder writable" + ("" if name == "reports" else ", or set LLMOPS_CACHE")
        return Finding(name, "missing", f"{path} cannot be written: {why}", hint)
    free = shutil.disk_usage(near).free // 2**20
    if free < DISK_LEAST_MB:
        return Finding(name, "missing", f"{free:,} MiB free at {path}", "free space: llmops gc")
    if free < DISK_WISHED_MB:
        return Finding(name, "warning", f"{free:,} MiB free at {path}", "llmops gc frees space")
    return Finding(name, "ok", f"{path} is writable, {free / 1024:,.1f} GiB free")


def _memory(machine: Machine) -> Iterator[Finding]:
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        yield Finding("memory", "warning", "how much there is cannot be told")
        return
    total, cores = pages // 2**20, os.cpu_count() or 1
    words = f"{total / 1024:,.1f} GiB, {cores} cores"
    if total < MEMORY_WISHED_MB:
        yield Finding("memory", "warning", words, "training may be stopped for want of memory")
    else:
        yield Finding("memory", "ok", words)


def _variables(machine: Machine) -> Iterator[Finding]:
    """LLMOPS_* that mean nothing are typing errors; mirrors must be there."""
    given = sorted(n for n in machine.variables if n.startswith("LLMOPS_"))
    for name in given:
        if name not in machine.known:
            otherwise = "it does nothing; llmops COMMAND --help names the options"
            hint = did_you_mean(name, machine.known, otherwise=otherwise)
            yield Finding("variables", "warning", f"{name} is no variable of llmops", hint)
    mirrors = machine.variables.get("LLMOPS_MIRROR", "")
    for folder in filter(None, mirrors.split(os.pathsep)):
        if not Path(folder).is_dir():
            hint = "name folders that hold sha256/<digest>"
            yield Finding("variables", "warning", f"LLMOPS_MIRROR: no folder {folder}", hint)
    if set(given) <= machine.known:
        yield Finding("variables", "ok", ", ".join(given) or "no LLMOPS_* is set")


def _gpus(machine: Machine) -> Iterator[Finding]:
    said = _output(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    names = [line.strip() for line in (said or "").splitlines() if line.strip()]
    yield Finding("gpus", "ok", "; ".join(names) or "none: jobs run on the CPU")


def _packages(machine: Machine) -> Iterator[Finding]:
    """Workers refuse other versions than those in a job's closure, so each must be the pinned."""
    found = {name: _version(name) for name in PINS if name not in _NOT_HERE}
    absent = [name for name, version in found.items() if version is None]
    if len(absent) == len(found):
        hint = "to run jobs here, in a clone of llmops: make install"
        what = "the tools of workers are not installed: plan and gate work, run does not"
        yield Finding("packages", "warning", what, hint)
        return
    other = [
        f"{name} {version}, pinned {PINS[name]}"
        for name, version in found.items()
        if version is not None and version.partition("+")[0] != PINS[name]
    ]
    wrong = [*(f"{name} is not installed" for name in absent), *other]
    for what in wrong:
        hint = "in a clone of llmops: make install"
        yield Finding("packages", "missing", what, hint)
    if not wrong:
        yield Finding("packages", "ok", f"{len(found)} tools as pinned")


# giskard 2 stops before Python 3.12: there a scan by it says so, and all else works.
_NOT_HERE = ("giskard",) if sys.version_info >= (3, 12) else ()


def _installed() -> bool:
    return _version("torch") is not None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _compiler(machine: Machine) -> Iterator[Finding]:
    named = machine.variables.get("CXX", "")
    found = next((p for n in (named, *COMPILERS) if n and (p := shutil.which(n))), None)
    if found is None:
        hint = "install one (Debian: apt-get install g++); several ranks need it"
        yield Finding("compiler", "missing", "no C++ compiler is on PATH", hint)
    else:
        yield Finding("compiler", "ok", found)


def _ninja(machine: Machine) -> Iterator[Finding]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("ninja", path=path)
    if found is None:
        yield Finding("ninja", "missing", "ninja is not on PATH", "pip install ninja")
    else:
        yield Finding("ninja", "ok", found)


def _ranks(machine: Machine) -> Iterator[Finding]:
    """Two ranks, started as a training's are."""
    made = {name: machine.variables[name] for name in PASSED if name in machine.variables}
    path = os.pathsep.join([str(Path(sys.executable).parent), machine.variables.get("PATH", "")])
    made |= {**SET, "PATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
    try:
        done = subprocess.run(
            [*start, "2", "-m", "llmops.workers.ranks"],
            env=made, capture_output=True, text=True, errors="replace", timeout=RANKS_SECONDS,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("ranks", "missing", f"two ranks did not end: {type(error).__name__}", _LOCAL)
        return
    if done.returncode == 0 and "ranks 2 " in done.stdout:
        yield Finding("ranks", "ok", "two ranks started and talked over gloo")
        return
    lines = [line.strip() for line in done.stderr.splitlines() if "Error" in line]
    said = lines[-1] if lines else f"exit code {done.returncode}"
    yield Finding("ranks", "missing", f"two ranks could not talk: {said}", _LOCAL)


_LOCAL = "ranks talk over the loopback interface: is it up, and is the host's name known?"


def _output(command: list[str]) -> str | None:
    """What a command prints, or None where it is not there, fails or hangs."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


LOOKS: tuple[Callable[[Machine], Iterator[Finding]], ...] = (
    _git, _python, _text, _folders, _memory, _variables, _gpus, _packages,
)  # fmt: skip
