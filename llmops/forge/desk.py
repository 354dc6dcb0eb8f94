"""What the parts of a publication share: the budget of writes, and what is left and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llmops.forge.base import Forge, ForgeError, GaveUp, Payload, Publication, Refused, Unsure
from llmops.forge.clock import after

MOST_WRITES = 10


@dataclass
class Desk:
    """One publication under way."""

    forge: Forge
    publication: Publication
    writes: int = 0
    left: list[str] = field(default_factory=list)
    check_url: str = ""
    comment_url: str = ""
    check_written: bool = False
    check_refused: bool = False
    as_status: bool = False
    resume_at: str = ""

    def try_to(self, name: str, part: Callable[[Desk], None]) -> None:
        """Do one part, or tell why it is left."""
        if self.resume_at:
            self.left += [f"{name}: not tried"] if self._is_asked(name) else []
            return
        try:
            part(self)
        except (GaveUp, Unsure) as error:
            self.resume_at = getattr(error, "resume_at", "") or after(self.forge.clock, 0.0)
            self.left.append(f"{name}: {error.message}")
        except ForgeError as error:
            hint = f" ({error.hint})" if error.hint else ""
            self.left.append(f"{name}: {error.message}{hint}")

    def write(self, call: Callable[[], Any]) -> Any:
        """Do one write of at most ten."""
        if self.writes >= MOST_WRITES:
            raise ForgeError(f"{MOST_WRITES} writes are made; publish again for the rest")
        self.writes += 1
        return call()

    def _is_asked(self, name: str) -> bool:
        """Whether the publication has that part; a status stands for a check that is refused."""
        if name == "status":
            return self.publication.check is None and self.publication.status is not None
        return getattr(self.publication, name) not in (None, ())

    def delete(self, path: str) -> None:
        """Delete what may be gone already."""
        try:
            self.forge.send("DELETE", path, {})
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def path(self, rest: str) -> str:
        """A path below the repository."""
        return f"repos/{self.forge.repo}/{rest}"


def bears(found: Payload | None, body: Payload, keys: tuple[str, ...]) -> bool:
    """Whether what is there has the values of a body."""
    return found is not None and all(same(found.get(k), body[k]) for k in keys if k in body)


def same(there: Any, wanted: Any) -> bool:
    """Equal but for line ends and blanks around, which GitHub may change."""
    texts = [str("" if value is None else value) for value in (there, wanted)]
    return texts[0].replace("\r\n", "\n").strip() == texts[1].replace("\r\n", "\n").strip()
