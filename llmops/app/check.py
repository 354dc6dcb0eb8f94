"""Whether the App on GitHub is what the service needs: each question -> findings. Reads only.

In: settings that are complete here, and the App's key. Out: a finding for the key, the webhook, and
for each repository whether the App is installed there, with which permissions and events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llmops.app.manifest import EVENTS, PERMISSIONS
from llmops.app.settings import Settings
from llmops.diagnostics import printable
from llmops.errors import LlmopsError
from llmops.executors.machine import Finding
from llmops.forge.base import Repo

if TYPE_CHECKING:
    from llmops.forge.auth import AppKey

LEVELS = ("none", "read", "write", "admin")
_PAGE = "the App's page on GitHub, Permissions & events; then accept the change at the installation"


def check(settings: Settings, key: AppKey) -> Iterator[Finding]:
    """Every finding. What GitHub does not answer is one too."""
    try:
        about = key.about()
    except LlmopsError as error:
        yield _failed("app", error)
        return
    yield Finding("app", "ok", f"{printable(str(about.get('slug', '')), 60)}, id {key.app_id}")
    yield from _hook(key)
    for repo in settings.repos:
        try:
            yield from _repository(key, repo)
        except LlmopsError as error:
            yield _failed(repo, error)


def _failed(name: str, error: LlmopsError) -> Finding:
    return Finding(name, "missing", error.message, error.hint)


def _hook(key: AppKey) -> Iterator[Finding]:
    """Whether the webhook is signed, and comes as JSON over TLS."""
    try:
        told: Mapping[str, Any] = key.about("app/hook/config")
    except LlmopsError as error:
        yield _failed("webhook", error)
        return
    url = printable(str(told.get("url") or ""), 200)
    wrong = list(_wrong(told))
    for message, hint in wrong:
        yield Finding("webhook", "missing", message, hint)
    if not wrong:
        yield Finding("webhook", "ok", f"signed, delivered to {url}")


def _wrong(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    page = "the App's page on GitHub, General, Webhook"
    if not told.get("url"):
        yield "the App has no webhook, so nothing tells of events", f"{page}: URL"
    if not told.get("secret"):
        yield "the webhook is not signed, so anybody could send events", f"{page}: Secret"
    if told.get("content_type") != "json":
        yield "the webhook does not come as application/json", f"{page}: Content type"
    if str(told.get("insecure_ssl", "0")) != "0":
        yield "GitHub does not verify the webhook's certificate", f"{page}: SSL verification"


def _repository(key: AppKey, repo: str) -> Iterator[Finding]:
    installed = key.installation(Repo.parse(repo))
    told = key.about(f"repos/{repo}/installation")
    if told.get("suspended_at"):
        hint = "whoever owns the repository can end that: Settings, GitHub Apps"
        yield Finding(repo, "missing", "the installation is suspended", hint)
        return
    has, events = told.get("permissions") or {}, set(told.get("events") or ())
    short = [_asked(name) for name in PERMISSIONS if not _holds(has, name)]
    if short:
        yield Finding(repo, "missing", f"permissions are missing: {', '.join(short)}", _PAGE)
    unheard = sorted(set(EVENTS) - events)
    if unheard:
        what = f"events are not subscribed to: {', '.join(unheard)}"
        yield Finding(repo, "missing", what, _PAGE)
    more = sorted(
        name for name, level in has.items() if name not in PERMISSIONS and level != "read"
    )
    if more:
        what = f"the App may do more than the gate needs: {', '.join(more)}"
        yield Finding(repo, "warning", what, _PAGE)
    if not short and not unheard:
        key.token(installed)
        yield Finding(repo, "ok", f"installed ({installed}), with every permission and event")


def _asked(name: str) -> str:
    level, why = PERMISSIONS[name]
    return f"{name}: {level} ({why})"


def _holds(has: Mapping[str, Any], name: str) -> bool:
    level = str(has.get(name, "none"))
    return level in LEVELS and LEVELS.index(level) >= LEVELS.index(PERMISSIONS[name][0])
