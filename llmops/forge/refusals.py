"""A refusal of GitHub in words for people: what was asked, what is missing, what to do. Dry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from llmops.diagnostics import printable
from llmops.forge.base import Refused

_NEEDS = "x-accepted-github-permissions"
_NO_APP = "must authenticate via a github app"
_HINTS = {
    401: "set LLMOPS_GITHUB_TOKEN (or GITHUB_TOKEN, GH_TOKEN) to a token that is still valid",
    404: "check owner/name, and that the token may see the repository",
    410: "the repository has this feature switched off",
}


def refused(asked: str, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """The error for a status of 4xx. `asked` is `METHOD path`; no header of ours is in it."""
    said = message_of(body)
    needs = permissions(headers.get(_NEEDS, ""))
    if status == 401:
        return Refused(f"github does not know this token ({asked})", hint=_HINTS[401], status=401)
    if status == 403 and _NO_APP in said.lower():
        hint = "a workflow's GITHUB_TOKEN or an App may; a personal token gets a commit status"
        return Refused(f"only an App may do this ({asked})", hint=hint, status=403)
    if status == 403 and needs:
        hint = f"`permissions:` of the job: {needs.replace('_', '-')}; or the App's settings"
        return Refused(f"the token lacks {needs} ({asked}: {said})", hint=hint, status=403)
    words = said or _phrase(status)
    hint = _hint(status) + (f" ({needs})" if status == 404 and needs else "")
    return Refused(f"github refuses {asked}: {words} ({status})", hint=hint, status=status)


def permissions(header: str) -> str:
    """`checks: write` from `checks=write`; alternatives are joined by "or". Empty for none."""
    ways = [way for way in header.split(";") if way.strip()]
    words = [", ".join(_permission(one) for one in way.split(",") if one.strip()) for way in ways]
    return printable(" or ".join(words), 200)


def message_of(body: bytes) -> str:
    """What GitHub says in an error's body: its message and the first of its errors, printable."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    said = [str(value.get("message") or ""), *map(_one, _list(value.get("errors"))[:3])]
    return printable("; ".join(part for part in said if part), 300)


def _permission(text: str) -> str:
    name, _, level = text.strip().partition("=")
    return f"{name}: {level}" if level else name


def _one(error: object) -> str:
    if isinstance(error, dict):
        named = error.get("message") or error.get("code") or ""
        where = error.get("field") or error.get("resource") or ""
        return f"{where} {named}".strip()
    return str(error)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "no reason given"


def _hint(status: int) -> str:
    if status == 403:
        return "the token may not do this; a fork's pull request has a token that only reads"
    return _HINTS.get(status, "")
