"""A `Publication` made visible: check run, comment, commit status, labels, SARIF, deployments.

`publish` looks at what is there and writes only what is missing, so calling it again after a
give-up goes on where it stopped, and calling it twice writes nothing. At most ten writes. Parts are
independent: one that is refused is told in `left` and the others are written. Where GitHub cannot
be reached the rest is left for `resume_at`.

The check is the newest of its name at the commit by our own App; two publishers that raced both
end on that one. The comment is ours by marker and author: a stranger's text with our marker is
never touched.
"""

from __future__ import annotations

from collections.abc import Callable

from llmops.forge import other_parts
from llmops.forge.base import Forge, Publication, Published
from llmops.forge.check_part import check
from llmops.forge.clock import seconds_until
from llmops.forge.comment_part import comment
from llmops.forge.desk import Desk

_PARTS: tuple[tuple[str, Callable[[Desk], None]], ...] = (
    ("check", check),
    ("status", other_parts.status),
    ("comment", comment),
    ("labels", other_parts.labels),
    ("sarif", other_parts.sarif),
    ("deployments", other_parts.deployments),
)


def publish(forge: Forge, publication: Publication, writes: int = 0) -> Published:
    """Make it visible. Raises nothing of the world: what could not be written is in `left`.

    `writes`: how many of the ten an earlier call made for the same publication.
    """
    desk = Desk(forge, publication, writes)
    for name, part in _PARTS:
        desk.try_to(name, part)
    return Published(
        check_url=desk.check_url,
        comment_url=desk.comment_url,
        writes=desk.writes,
        left=tuple(desk.left),
        as_status=desk.as_status,
        resume_at=desk.resume_at,
    )


def persist(forge: Forge, publication: Publication, within_seconds: float = 1200.0) -> Published:
    """Publish, and again whenever GitHub may be asked again, until it is done or time is over."""
    ends = forge.clock.monotonic() + within_seconds
    done = publish(forge, publication)
    while done.resume_at:
        pause = seconds_until(forge.clock, done.resume_at)
        if forge.clock.monotonic() + pause > ends:
            break
        forge.clock.sleep(pause)
        done = publish(forge, publication, done.writes)
    return done
