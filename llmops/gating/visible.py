"""What is seen of a commit: whether our check stands there, the first second, and all later ones.

A check counts as ours when the App that we write as made it; one of the same name that somebody
else put there, whatever it says, is no word of the gate's.
"""

from __future__ import annotations

from dataclasses import replace

from llmops.forge.base import CHECK, Publication, Published
from llmops.forge.check_part import own_check
from llmops.forge.publish import publish
from llmops.gating.base import Desk
from llmops.gating.hiding import hidden
from llmops.reports import github_states as states
from llmops.reports.github_states import Subject as About


def opened(desk: Desk, about: About) -> Published:
    """A commit without a word of ours has a check in progress from now on."""
    if is_opened(desk, about.head_sha):
        return Published()
    return publish(desk.forge, _as_asked(desk, states.opened(about)))


def is_opened(desk: Desk, sha: str) -> bool:
    """Whether our check stands there, or the commit status where no check can be written."""
    if own_check(desk.forge, sha) is not None:
        return True
    return any(one.get("context") == CHECK for one in desk.forge.statuses(sha))


def is_concluded(desk: Desk, sha: str) -> bool:
    """Whether our check there says how it ended."""
    own = own_check(desk.forge, sha)
    if own is not None:
        return own.status == "completed"
    listed = (one for one in desk.forge.statuses(sha) if one.get("context") == CHECK)
    newest = next(listed, None)
    return newest is not None and newest.get("state") != "pending"


def shown(desk: Desk, publication: Publication) -> Published:
    """Publish; what could not be written is in the answer."""
    return publish(desk.forge, _as_asked(desk, publication))


def _as_asked(desk: Desk, publication: Publication) -> Publication:
    return replace(hidden(publication, desk.clean), comment_mode=desk.settings.comment)
