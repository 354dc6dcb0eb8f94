"""A disk that is full while the log is appended to: told with the room there is, nothing broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# On a disk of one MiB: the room that is left before an append, then what became of it.
WORK = """
import os, subprocess, sys
from pathlib import Path
from llmops.errors import GitError
from tests.log.conftest import PEN, adding, log_of
disk = Path(sys.argv[1])
subprocess.run(["git", "init", "--quiet", str(disk)], check=True)
log_of(disk).append(adding("one"), (), PEN)
for keep in map(int, sys.argv[2:]):
    at = os.statvfs(disk)
    (disk / "fill").write_bytes(bytes(at.f_bavail * at.f_frsize - keep))
    try:
        log_of(disk).append(adding(f"with {keep}"), [os.urandom(150_000)], PEN)
    except GitError as error:
        assert error.exit_code == 3
        assert error.message.startswith("git "), error.message
        assert "bytes are left; then try again" in error.hint, (error.message, error.hint)
    else:
        raise AssertionError(f"{keep} bytes were enough")
    (disk / "fill").unlink()
    assert log_of(disk).source().size == 1
assert not list(disk.rglob("*.lock"))
subprocess.run(["git", "fsck", "--no-dangling"], cwd=disk, check=True, capture_output=True)
print(log_of(disk).append(adding("two"), [b"rows"], PEN).size)
"""


def test_a_full_disk_breaks_nothing_and_says_how_much_room_there_is(tmp_path: Path) -> None:
    (disk := tmp_path / "disk").mkdir()
    mounted = f'mount -t tmpfs -o size=1m tmpfs {disk} && exec "$@"'
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, "sh"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this system gives nobody a disk of their own")
    done = subprocess.run(
        [*alone, sys.executable, "-c", WORK, str(disk), "200000", "60000", "8000", "0"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
