"""Workflow runs of the fake, their jobs, and artifacts as zips on another host."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.github.repository import FakeRepository


@dataclass
class FakeArtifact:
    """An uploaded zip; `said_size` where the list lies about its size."""

    id: int
    name: str
    content: bytes
    run_id: int
    created_at: str
    expired: bool = False
    said_size: int | None = None

    @property
    def size(self) -> int:
        return len(self.content) if self.said_size is None else self.said_size

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.content).hexdigest()


@dataclass(eq=False, repr=False)
class FakeRun:
    """One run of a workflow at a commit."""

    repo: FakeRepository
    id: int
    head_sha: str
    event: str = "pull_request"
    path: str = ".github/workflows/llmops.yml"
    head_branch: str = "change"
    source: str = ""  # full name of the repository with the head
    by: str = "dev"
    attempt: int = 1
    status: str = "in_progress"
    conclusion: str | None = None
    created_at: str = ""
    artifacts: list[FakeArtifact] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    approvals: list[dict[str, Any]] = field(default_factory=list)

    def upload(
        self, name: str, files: Mapping[str, str | bytes] | Path | bytes, **about: Any
    ) -> FakeArtifact:
        """An artifact of files, of a folder, or of raw bytes that claim to be a zip."""
        content = files if isinstance(files, bytes) else zipped(files)
        fake = self.repo.fake
        made = FakeArtifact(fake.next_id(), name, content, self.id, fake.stamp(), **about)
        self.artifacts.append(made)
        return made

    def approve(self, by: str, environment: str, state: str = "approved") -> None:
        """A reviewer of an environment let its jobs run, or not."""
        self.approvals.append({"by": by, "environment": environment, "state": state})

    def finish(self, conclusion: str = "success") -> None:
        self.status, self.conclusion = "completed", conclusion
        self.repo.fake.emit_run(self, "completed")

    def rerun(self, by: str = "") -> None:
        """The same run, next attempt; artifacts of the last one are kept, as on GitHub."""
        self.attempt += 1
        self.status, self.conclusion = "queued", None
        self.repo.fake.emit_run(self, "requested")


def start(repo: FakeRepository, head_sha: str, **about: Any) -> FakeRun:
    """A run that begins now, with its event."""
    run = FakeRun(repo, repo.fake.next_id(), head_sha, created_at=repo.fake.stamp(), **about)
    run.source = run.source or repo.full_name
    repo.runs[run.id] = run
    repo.fake.emit_run(run, "requested")
    return run


def zipped(files: Mapping[str, str | bytes] | Path) -> bytes:
    """A zip of files by name, or of all below a folder."""
    if isinstance(files, Path):
        found = sorted(p for p in files.rglob("*") if p.is_file())
        files = {p.relative_to(files).as_posix(): p.read_bytes() for p in found}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 26, 8, 0, 0)), content)
    return out.getvalue()
