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

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from llmops.forge.base import (
    COMMENT,
    CheckRun,
    Comment,
    Forge,
    ForgeError,
    GaveUp,
    Payload,
    Publication,
    Published,
    Refused,
)

MOST_WRITES = 10
PER_REQUEST = 50  # annotations that GitHub takes at once
MOST_ANNOTATIONS = 200
_ANNOTATION = (
    "path", "start_line", "end_line", "start_column", "end_column", "annotation_level", "message",
    "title", "raw_details",
)  # fmt: skip
_STATE = ("state", "description", "log_url", "environment_url")
_REFUSES_CHECKS = frozenset({401, 403, 404})


def publish(forge: Forge, publication: Publication) -> Published:
    """Make it visible. Raises nothing of the world: what could not be written is in `left`."""
    desk = _Desk(forge, publication)
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


@dataclass
class _Desk:
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

    def try_to(self, name: str, part: Callable[[_Desk], None]) -> None:
        """Do one part, or tell why it is left."""
        if self.resume_at:
            self.left += [f"{name}: not tried"] if self._is_asked(name) else []
            return
        try:
            part(self)
        except GaveUp as error:
            self.resume_at = error.resume_at
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

    def path(self, rest: str) -> str:
        """A path below the repository."""
        return f"repos/{self.forge.repo}/{rest}"


# -- the check run -----------------------------------------------------------------------------


def _check(desk: _Desk) -> None:
    body = desk.publication.check
    if body is None:
        return
    try:
        _must_be_app(desk.forge)
        _put_check(desk, body, _own_check(desk.forge, body))
    except Refused as refusal:
        desk.check_refused = refusal.status in _REFUSES_CHECKS
        if not (desk.check_refused and desk.publication.status):
            raise


def _must_be_app(forge: Forge) -> None:
    """GitHub lets Apps alone write checks (a workflow has one): a person need not ask."""
    if forge.app_id is None and forge.login() and not forge.login().endswith("[bot]"):
        raise Refused("only an App's or a workflow's token may write checks", status=403)


def _put_check(desk: _Desk, body: Payload, current: CheckRun | None) -> None:
    """Change the check that is there, or make one; then add the annotations that it lacks."""
    wanted = [_place(one) for one in desk.publication.annotations[:MOST_ANNOTATIONS]]
    there = _there(desk.forge, current)
    if _minus(there, wanted):
        current, there = None, []  # what a check says of lines cannot be taken back
    lacking = _minus(wanted, there)
    if current is None:
        desk.check_written = True
        made: CheckRun = desk.write(lambda: desk.forge.create_check(_noted(body, lacking)))
        newest = _own_check(desk.forge, body) or made
        if newest.id != made.id:  # somebody was as fast: both end on the newer one
            _put_check(desk, body, newest)
            return
        current = made
    elif lacking or not _shows(current, body):
        desk.check_written, known = True, current.id
        current = desk.write(lambda: desk.forge.update_check(known, _noted(body, lacking)))
    desk.check_url = current.url
    _note(desk, body, current.id, lacking[PER_REQUEST:])


def _note(desk: _Desk, body: Payload, check_id: int, lacking: list[Payload]) -> None:
    """The annotations beyond the first request's, fifty at a time."""
    if lacking:
        more = _noted({"output": body.get("output") or {}}, lacking)
        desk.write(lambda: desk.forge.update_check(check_id, more))
        _note(desk, body, check_id, lacking[PER_REQUEST:])


def _own_check(forge: Forge, body: Payload) -> CheckRun | None:
    """The newest check of that name at that commit by whom we write as."""
    found = forge.checks(str(body["head_sha"]), str(body["name"]))
    if not found:
        return None
    own = [one for one in found if _is_own(forge, one)]
    return max(own, key=lambda one: one.id, default=None)


def _is_own(forge: Forge, check: CheckRun) -> bool:
    if forge.app_id is not None:
        return check.app_id == forge.app_id
    return bool(check.app_slug) and f"{check.app_slug}[bot]" == forge.login()


def _shows(check: CheckRun, body: Payload) -> bool:
    """Whether a check says already what is to be said; `external_id` is a digest of all of it."""
    if (check.status, check.conclusion) != (body.get("status"), body.get("conclusion")):
        return False
    if body.get("external_id"):
        return check.external_id == str(body["external_id"])
    output = body.get("output") or {}
    return all(_same(check.output.get(key), text) for key, text in output.items())


def _there(forge: Forge, check: CheckRun | None) -> list[Payload]:
    if check is None or not check.annotations:
        return []
    return [_place(one) for one in forge.annotations(check.id)]


def _place(annotation: Payload) -> Payload:
    """An annotation without what GitHub adds to it."""
    return {key: annotation[key] for key in _ANNOTATION if annotation.get(key) is not None}


def _minus(some: list[Payload], others: list[Payload]) -> list[Payload]:
    """What is in one list oftener than in the other, in the first one's order."""
    left = Counter(map(_text, others))
    kept = []
    for one in some:
        if left[_text(one)] > 0:
            left[_text(one)] -= 1
        else:
            kept.append(one)
    return kept


def _noted(body: Payload, lacking: list[Payload]) -> Payload:
    """A body with the next annotations."""
    if not lacking:
        return body
    output = {**(body.get("output") or {}), "annotations": lacking[:PER_REQUEST]}
    return {**body, "output": output}


def _text(value: Payload) -> str:
    return json.dumps(value, sort_keys=True)


# -- where checks cannot be written ------------------------------------------------------------


def _status(desk: _Desk) -> None:
    """A commit status instead of the check."""
    body = desk.publication.status
    if body is None or not (desk.check_refused or desk.publication.check is None):
        return
    sha = desk.publication.head_sha
    listed = desk.forge.statuses(sha)
    shown = next((one for one in listed if one.get("context") == body.get("context")), None)
    if not _bears(shown, body, tuple(body)):
        desk.write(lambda: desk.forge.set_status(sha, body))
    desk.as_status = True


# -- the comment -------------------------------------------------------------------------------


def _comment(desk: _Desk) -> None:
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


def _commented(desk: _Desk, number: int, body: str) -> Comment:
    made: Comment = desk.write(lambda: desk.forge.create_comment(number, body))
    return made


def _rewrite(desk: _Desk, comment: Comment, wanted: str) -> None:
    if not _says(comment, wanted):
        comment = desk.write(lambda: desk.forge.update_comment(comment.id, wanted))
    desk.comment_url = comment.url


def _settle(desk: _Desk, number: int, made: Comment, wanted: str) -> None:
    """Where two publishers commented at once, the first comment stays and ours goes."""
    own = _own_comments(desk.forge, number)
    if not own or own[0].id >= made.id:
        desk.comment_url = made.url
        return
    _rewrite(desk, own[0], wanted)
    at = desk.path(f"issues/comments/{made.id}")
    desk.write(lambda: desk.forge.send("DELETE", at, {}))


def _own_comments(forge: Forge, number: int) -> list[Comment]:
    """The comments with our marker that we wrote, oldest first. Raises ForgeError: who are we."""
    marked = [one for one in forge.comments(number) if one.body.startswith(COMMENT)]
    if not marked:
        return []
    me = forge.login().lower()
    if not me:
        raise ForgeError("github does not tell who this token writes as")
    return sorted((one for one in marked if one.by.lower() == me), key=lambda one: one.id)


def _says(comment: Comment, wanted: str) -> bool:
    """Whether a comment says already what is to be said; its foot tells when, which may differ."""
    return _timeless(comment.body) == _timeless(wanted)


def _timeless(body: str) -> list[str]:
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").strip().split("\n")]
    return [line for line in lines if not line.startswith("<sub>")]


def _bears(found: Payload | None, body: Payload, keys: tuple[str, ...]) -> bool:
    """Whether what is there has the values of a body."""
    return found is not None and all(_same(found.get(k), body[k]) for k in keys if k in body)


def _same(there: Any, wanted: Any) -> bool:
    """Equal but for line ends and blanks around, which GitHub may change."""
    texts = [str("" if value is None else value) for value in (there, wanted)]
    return texts[0].replace("\r\n", "\n").strip() == texts[1].replace("\r\n", "\n").strip()


# -- labels, SARIF, deployments ----------------------------------------------------------------


def _labels(desk: _Desk) -> None:
    wanted, number = desk.publication.labels, desk.publication.number
    if wanted is None or number is None:
        return
    at = desk.path(f"issues/{number}/labels")
    there = {str(one["name"]) for one in desk.forge.every(at)}
    lacking = [name for name in wanted if name not in there]
    extra = sorted((there & set(desk.publication.own_labels)) - set(wanted))
    if len(extra) > 1:
        whole = sorted((there - set(extra)) | set(wanted))
        desk.write(lambda: desk.forge.send("PUT", at, {"labels": whole}))
        return
    if lacking:
        desk.write(lambda: desk.forge.repeat(at, {"labels": lacking}))
    if extra:
        one = f"{at}/{quote(extra[0], safe='')}"
        desk.write(lambda: desk.forge.send("DELETE", one, {}))


def _sarif(desk: _Desk) -> None:
    body = desk.publication.sarif
    if body is None or (not desk.check_written and _analysed(desk, body)):
        return
    desk.write(lambda: desk.forge.repeat(desk.path("code-scanning/sarifs"), body))


def _analysed(desk: _Desk, body: Payload) -> bool:
    """Whether an upload of as many results is there for that commit and ref."""
    at = desk.path("code-scanning/analyses")
    runs = _sarif_runs(body)
    counts = {len(run.get("results") or ()) for run in runs}
    listed = desk.forge.get(at, ref=body["ref"], per_page=30) or []
    return any(
        one.get("commit_sha") == body["commit_sha"] and one.get("results_count") in counts
        for one in listed
    )


def _sarif_runs(body: Payload) -> list[Any]:
    log = json.loads(gzip.decompress(base64.b64decode(body["sarif"])))
    return list(log.get("runs") or ())


def _deployments(desk: _Desk) -> None:
    for one in desk.publication.deployments:
        _deploy(desk, one["deployment"], one.get("status") or {})


def _deploy(desk: _Desk, body: Payload, state: Payload) -> None:
    at = desk.path("deployments")
    asked = {key: body[key] for key in ("ref", "environment", "task") if key in body}
    there = (one for one in desk.forge.every(at, **asked) if _same_deployment(one, body))
    found = next(there, None) or desk.write(lambda: desk.forge.send("POST", at, body))
    if not state:
        return
    where = f"{at}/{found['id']}/statuses"
    last = next(iter(desk.forge.every(where)), None)
    if not _bears(last, state, _STATE):
        desk.write(lambda: desk.forge.repeat(where, dict(state)))


def _same_deployment(found: Payload, body: Payload) -> bool:
    return _same(found.get("description"), body.get("description"))


_PARTS: tuple[tuple[str, Callable[[_Desk], None]], ...] = (
    ("check", _check),
    ("status", _status),
    ("comment", _comment),
    ("labels", _labels),
    ("sarif", _sarif),
    ("deployments", _deployments),
)
