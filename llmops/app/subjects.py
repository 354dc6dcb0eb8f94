"""What is to be looked at, by its ids: the one noun that events, queue and work share. Dry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from llmops.digest import of_value
from llmops.errors import UsageError
from llmops.forge.base import Repo, is_sha

# pull: a pull request · group: a merge group · landed: a commit on the target branch
# commit: whatever has it as its head · comment: a chat command · sweep: all that is open
Kind = Literal["pull", "group", "landed", "commit", "comment", "sweep"]
MOST = 2**53  # ids beyond this are no ids: JSON readers would round them
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "pull": ("number",),
    "group": ("sha", "branch"),
    "landed": ("sha", "branch"),
    "commit": ("sha",),
    "comment": ("number", "comment"),
    "sweep": (),
}
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]{1,255}")


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing to look at. `repo` is owner/name; fields that its kind has no use for are empty."""

    repo: str
    kind: Kind
    number: int = 0
    sha: str = ""
    branch: str = ""
    comment: int = 0

    @property
    def key(self) -> str:
        """The same for equal subjects; a plain file name."""
        return f"{self.kind}-{of_value(asdict(self)).removeprefix('sha256:')[:32]}"

    def __str__(self) -> str:
        number = f"#{self.number}" if self.number else ""
        comment = f"{self.comment} on" if self.comment else ""
        told = (self.repo, self.kind, self.branch, self.sha[:12], comment, number)
        return " ".join(part for part in told if part)

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, data: object) -> Subject:
        """From JSON, whoever wrote it. Raises ValueError for what can be no subject."""
        if not isinstance(data, Mapping) or set(data) != set(cls.__dataclass_fields__):
            raise ValueError("these are not the fields of a subject")
        made = cls(**{name: data[name] for name in cls.__dataclass_fields__})
        if why := wrong(made):
            raise ValueError(why)
        return made


def wrong(subject: Subject) -> str:
    """Why a subject can be none, "" for one that can."""
    if not is_repo(subject.repo):
        return "it has no repository"
    if subject.kind not in get_args(Kind):
        return "there is no such kind"
    needed = _NEEDS[subject.kind]
    checks = {
        "number": is_id(subject.number),
        "comment": is_id(subject.comment),
        "sha": isinstance(subject.sha, str) and is_sha(subject.sha),
        "branch": is_branch(subject.branch),
    }
    empty = {"number": 0, "comment": 0, "sha": "", "branch": ""}
    bad = [
        name
        for name, good in checks.items()
        if not (good if name in needed else _same(getattr(subject, name), empty[name]))
    ]
    return f"{bad[0]} is none" if bad else ""


def _same(found: object, wanted: object) -> bool:
    return type(found) is type(wanted) and found == wanted


def is_repo(value: object) -> bool:
    """Whether a value can be a repository's full name."""
    try:
        return isinstance(value, str) and bool(Repo.parse(value))
    except UsageError:
        return False


def is_id(value: object) -> bool:
    """Whether a value can be a number that GitHub gives."""
    return type(value) is int and 0 < value < MOST


def is_branch(value: object) -> bool:
    """Whether a value can be a branch's name, and none that a command takes for an option."""
    if not isinstance(value, str) or not _BRANCH.fullmatch(value):
        return False
    parts = value.split("/")
    return not (
        ".." in value
        or "@{" in value
        or value.endswith((".", ".lock"))
        or any(not part or part.startswith((".", "-")) or part.endswith(".lock") for part in parts)
    )
