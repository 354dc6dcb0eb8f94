"""The nouns of the gate's zone: the desk it sits at, what it is asked about, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from llmops.errors import UsageError
from llmops.forge.base import Forge, Published, is_sha
from llmops.gating.hiding import Clean
from llmops.project import Project
from llmops.rules.base import Outcome, Verdict

if TYPE_CHECKING:
    from llmops.signing.base import Signer
    from llmops.source.remote import Remote

WORKFLOW = ".github/workflows/llmops.yml"
SERVER = "https://github.com"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request, whatever state it is in."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 1:
            raise UsageError(f"{self.number} is no number of a pull request")


@dataclass(frozen=True, slots=True)
class Group:
    """A merge group of the queue: exactly this commit is what would land on the branch."""

    head_sha: str
    base_ref: str

    def __post_init__(self) -> None:
        _expect_sha(self.head_sha)


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that is on its branch already."""

    sha: str
    branch: str

    def __post_init__(self) -> None:
        _expect_sha(self.sha)


Subject = PullRequest | Group | Landed


def _expect_sha(text: str) -> None:
    if not is_sha(text):
        raise UsageError(f'"{text[:80]}" is no commit', hint="give all 40 hex digits")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a gate works. `own_run`: the workflow run it is a job of, 0 where it is in none.

    `workflow`: whose runs bring evidence. `most_bytes`: of one artifact, more is not downloaded.
    `checker`: the App that writes our checks, None for whoever has the token.
    """

    workflow: str = WORKFLOW
    own_run: int = 0
    comment: Literal["replace", "append", "off"] = "replace"
    environment: str | None = None
    most_bytes: int = 2 * 2**30
    server: str = SERVER
    details_url: str = ""
    report_url: str = ""
    checker: int | None = None


@dataclass(frozen=True)
class Desk:
    """What a gate works with: a clone of its own, the other side, the forge, how it works.

    `project.reports` is a folder that only the gate writes: what lies there is believed.
    `remote` is the repository at the forge, by git.
    """

    project: Project
    remote: Remote
    forge: Forge
    settings: Settings = field(default_factory=Settings)
    say: Callable[[str], None] = lambda _line: None  # what goes on, in short lines
    clean: Clean = field(default_factory=Clean)  # leaves secrets out of what is published
    key: Callable[[], Signer | None] = lambda: None  # finds the key that signs, if there is one


@dataclass(frozen=True, slots=True)
class Settled:
    """What a look at the world came to.

    `state` is the word for it: a verdict's outcome, or open, running, waiting, closed, invalid,
    not judged. `exit_code`: 0 passed or warned, or nothing is to be judged; 1 failed or
    inconclusive; 2 specs that do not parse or no tree can be formed; 3 not judged, or not yet.
    """

    verdict: Verdict | None
    published: Published
    exit_code: int
    notes: tuple[str, ...] = ()
    state: str = ""
    summary: str = ""  # Markdown: what the check says

    @property
    def again(self) -> bool:
        """Whether it is to be looked at again before there is a verdict."""
        return self.exit_code == 3


def exit_code(verdict: Verdict) -> int:
    """0 passed or warned, 1 failed or inconclusive."""
    return 0 if verdict.outcome <= Outcome.WARNED else 1
