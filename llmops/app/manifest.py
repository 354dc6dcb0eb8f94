"""The manifest of a GitHub App that may do what the gate does, and no more.

In: where the service will be reached. Out: JSON as GitHub's "Register a GitHub App from a manifest"
takes it, or a page with one button that sends it there. Each permission stands beside its reason.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llmops.app.events import READERS
from llmops.errors import UsageError

PERMISSIONS: Mapping[str, tuple[str, str]] = {
    "actions": ("read", "workflow runs, what they uploaded, who released one"),
    "checks": ("write", "the check llmops/gate"),
    "contents": ("write", "the branch llmops-evidence; specs and policies by commit"),
    "deployments": ("write", "a release as GitHub shows it"),
    "issues": ("write", "an incident where something landed unjudged; chat commands"),
    "members": ("read", "whether a reviewer is in a team that a policy names"),
    "merge_queues": ("read", "merge groups"),
    "metadata": ("read", "every App has it"),
    "pull_requests": ("write", "the one comment, labels; reviews"),
    "security_events": ("write", "findings for code scanning"),
    "statuses": ("write", "a status where no check can be written"),
}
# GitHub sends these to every App; one cannot ask for them.
ALWAYS = ("installation", "installation_repositories", "ping")
EVENTS = tuple(sorted(READERS))
_NAME = re.compile(r"[\w][\w .-]{0,33}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def manifest(url: str, name: str = "llmops gate") -> dict[str, Any]:
    """The manifest of a service at `url`. Raises UsageError for an address GitHub cannot reach."""
    base = _base(url)
    if not _NAME.fullmatch(name):
        raise UsageError(
            "this cannot be an App's name", hint="at most 34 letters, digits and blanks"
        )
    return {
        "name": name,
        "url": base,
        "description": "Plans, judges and reports changes to LLM systems: one check, one comment.",
        "hook_attributes": {"url": f"{base}/webhook", "active": True},
        "redirect_url": f"{base}/",
        "public": False,
        "default_permissions": {name: level for name, (level, _) in PERMISSIONS.items()},
        "default_events": list(EVENTS),
    }


def dumped(made: Mapping[str, Any]) -> str:
    """As JSON."""
    return json.dumps(made, indent=2, ensure_ascii=False)


def page(made: Mapping[str, Any], organisation: str, server: str = "https://github.com") -> str:
    """A page whose button registers the App, with an organisation or with whoever presses it."""
    if organisation and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", organisation):
        raise UsageError("this cannot be an organisation on GitHub")
    where = f"organizations/{organisation}/settings" if organisation else "settings"
    value = html.escape(json.dumps(made, ensure_ascii=False), quote=True)
    rows = "".join(
        f"<tr><td>{name}</td><td>{level}</td><td>{html.escape(why)}</td></tr>"
        for name, (level, why) in PERMISSIONS.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>llmops App</title>'
        f'<form action="{html.escape(server)}/{where}/apps/new" method="post">'
        f'<input type="hidden" name="manifest" value="{value}">'
        f"<button>Register the App on GitHub</button></form><table>{rows}</table></html>"
    )


def _base(url: str) -> str:
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not plain or not parts.hostname or not (parts.scheme == "https" or local):
        what = "GitHub delivers to an https address"
        raise UsageError(what, hint="--url https://HOST, where a proxy leads to the service")
    return url.rstrip("/")
