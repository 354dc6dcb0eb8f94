"""The sticky comment of a publication: found by marker and author, changed in place.

A comment of somebody else that begins with our marker is never taken and never edited, so nobody
can plant one that the gate then signs. Modes: `replace`, `append` (one a state), `off`.
"""

from __future__ import annotations

from llmops.forge.base import COMMENT, Comment, Forge, ForgeError
from llmops.forge.desk import Desk


def comment(desk: Desk) -> None:
    """Put the comment of the pull request."""
    wanted, number = desk.publication.comment, desk.publication.number
    if wanted is None or number is None or desk.publication.comment_mode == "off":
        return
    own = _own_comments(desk.forge, number)
    same = [one for one in own if _says(one, wanted)]
    if desk.publication.comment_mode == "append":
        desk.comment_url = (same[-1] if same else _commented(desk, number, wanted)).url
    elif not own:
        _settle(desk, number, _commented(desk, number, wanted), wanted)
    else:
        _rewrite(desk, own[0], wanted)


def _commented(desk: Desk, number: int, body: str) -> Comment:
    made: Comment = desk.write(lambda: desk.forge.create_comment(number, body))
    return made


def _rewrite(desk: Desk, there: Comment, wanted: str) -> None:
    known = there.id
    if not _says(there, wanted):
        there = desk.write(lambda: desk.forge.update_comment(known, wanted))
    desk.comment_url = there.url


def _settle(desk: Desk, number: int, made: Comment, wanted: str) -> None:
    """Where two publishers commented at once, the first comment stays and ours goes."""
    own = _own_comments(desk.forge, number)
    if not own or own[0].id >= made.id:
        desk.comment_url = made.url
        return
    _rewrite(desk, own[0], wanted)
    at = desk.path(f"issues/comments/{made.id}")
    desk.write(lambda: desk.delete(at))


def _own_comments(forge: Forge, number: int) -> list[Comment]:
    """The comments with our marker that we wrote, oldest first. Raises ForgeError: who are we."""
    marked = [one for one in forge.comments(number) if one.body.startswith(COMMENT)]
    if not marked:
        return []
    me = forge.login().lower()
    if not me:
        raise ForgeError("github does not tell who this token writes as")
    return sorted((one for one in marked if one.by.lower() == me), key=lambda one: one.id)


def _says(there: Comment, wanted: str) -> bool:
    """Whether a comment says already what is to be said; its foot tells when, which may differ."""
    return _timeless(there.body) == _timeless(wanted)


def _timeless(body: str) -> list[str]:
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").strip().split("\n")]
    return [line for line in lines if not line.startswith("<sub>")]
