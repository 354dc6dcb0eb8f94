"""The check run of a publication: one per name and commit, ours, with its annotations.

It is the newest of its name at the commit by our own App: GitHub shows no other. It is changed in
place; only where it bears annotations that do not hold any longer, which GitHub never takes back, a
new one takes its place. Annotations go fifty a request, and only those that are not there.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from llmops.forge.base import CHECK, CheckRun, Forge, Payload, Refused
from llmops.forge.desk import Desk, same

PER_REQUEST = 50  # annotations that GitHub takes at once
MOST_ANNOTATIONS = 200
_ANNOTATION = (
    "path", "start_line", "end_line", "start_column", "end_column", "annotation_level", "message",
    "title", "raw_details",
)  # fmt: skip
_REFUSES_CHECKS = frozenset({401, 403, 404})
_INVALID = 422


def check(desk: Desk) -> None:
    """Put the check; where checks are refused and a status is at hand, that is told instead."""
    body = desk.publication.check
    if body is None:
        return
    try:
        _must_be_app(desk.forge)
        _put_check(desk, body, _own_check(desk.forge, body))
    except Refused as refusal:
        desk.check_refused = refusal.status in _REFUSES_CHECKS
        if refusal.status == _INVALID and desk.publication.annotations:
            _without_annotations(desk, body, refusal)
        elif not (desk.check_refused and desk.publication.status):
            raise


def _without_annotations(desk: Desk, body: Payload, refusal: Refused) -> None:
    """One line that GitHub does not take must not cost the whole check."""
    desk.publication = replace(desk.publication, annotations=())
    _put_check(desk, body, _own_check(desk.forge, body))
    desk.left.append(f"annotations: {refusal.message}")


def _must_be_app(forge: Forge) -> None:
    """GitHub lets Apps alone write checks (a workflow has one): a person need not ask."""
    if forge.app_id is None and forge.login() and not forge.login().endswith("[bot]"):
        raise Refused("only an App's or a workflow's token may write checks", status=403)


def _put_check(desk: Desk, body: Payload, current: CheckRun | None) -> None:
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


def _note(desk: Desk, body: Payload, check_id: int, lacking: list[Payload]) -> None:
    """The annotations beyond the first request's, fifty at a time."""
    if lacking:
        more = _noted({"output": body.get("output") or {}}, lacking)
        desk.write(lambda: desk.forge.update_check(check_id, more))
        _note(desk, body, check_id, lacking[PER_REQUEST:])


def own_check(forge: Forge, sha: str, name: str = CHECK) -> CheckRun | None:
    """The newest check of a name at a commit by whom we write as; what others made is no word."""
    found = forge.checks(sha, name)
    if not found:
        return None
    own = [one for one in found if _is_own(forge, one)]
    return max(own, key=lambda one: one.id, default=None)


def _own_check(forge: Forge, body: Payload) -> CheckRun | None:
    return own_check(forge, str(body["head_sha"]), str(body["name"]))


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
    return all(same(check.output.get(key), text) for key, text in output.items())


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
