from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

import pytest
from jsonschema import Draft202012Validator

from llmops.app.events import READERS, WHOLE
from llmops.app.manifest import EVENTS, PERMISSIONS, dumped, manifest, page
from llmops.errors import UsageError

URL = "https://gate.example.org"
# What GitHub's page "Registering a GitHub App from a manifest" says of each member.
SHAPE = {
    "type": "object",
    "required": ["url", "hook_attributes", "default_permissions", "default_events"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 34},
        "url": {"type": "string", "pattern": "^https://"},
        "description": {"type": "string"},
        "hook_attributes": {
            "type": "object",
            "required": ["url"],
            "additionalProperties": False,
            "properties": {
                "url": {"type": "string", "pattern": "^https://"},
                "active": {"type": "boolean"},
            },
        },
        "redirect_url": {"type": "string", "pattern": "^https://"},
        "public": {"const": False},
        "default_permissions": {
            "type": "object",
            "additionalProperties": {"enum": ["read", "write", "admin"]},
        },
        "default_events": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
    },
}
# Which permission GitHub asks for before it sends an event.
NEEDS = {
    "check_run": "checks",
    "check_suite": "checks",
    "issue_comment": "issues",
    "merge_group": "merge_queues",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "push": "contents",
    "workflow_run": "actions",
}


def test_a_manifest_has_the_shape_that_github_takes() -> None:
    Draft202012Validator(SHAPE).validate(json.loads(dumped(manifest(URL + "/"))))


def test_every_event_that_is_read_is_asked_for_and_may_be_had() -> None:
    asked = manifest(URL)["default_events"]
    assert set(asked) == set(READERS) == set(NEEDS)
    assert not set(asked) & set(WHOLE)
    assert all(PERMISSIONS[NEEDS[event]][0] in ("read", "write") for event in EVENTS)


def test_the_app_may_write_what_the_gate_publishes_and_nothing_else() -> None:
    writes = {name for name, (level, _) in PERMISSIONS.items() if level != "read"}
    assert writes == {
        "checks",
        "contents",
        "deployments",
        "issues",
        "pull_requests",
        "security_events",
        "statuses",
    }
    assert {"administration", "secrets", "workflows", "environments"}.isdisjoint(PERMISSIONS)
    assert all(len(why) > 10 for _, why in PERMISSIONS.values())


class Form(HTMLParser):
    """The form of a page: where it goes, what it sends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.value = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.action = told.get("action") or self.action
        self.value = told.get("value") or self.value


def test_the_page_sends_the_manifest_to_the_organisation() -> None:
    form = Form(page(manifest(URL), "octo-org"))
    assert form.action == "https://github.com/organizations/octo-org/settings/apps/new"
    assert json.loads(form.value) == manifest(URL)
    assert Form(page(manifest(URL), "")).action == "https://github.com/settings/apps/new"
    assert not re.search("<script", html.unescape(page(manifest(URL), "")))


@pytest.mark.parametrize(
    "url", ["", "gate", "http://gate.example.org", "ftp://x", "https://u:p@x", "https://x/?a=b",
            "javascript:alert(1)", "https://"],
)  # fmt: skip
def test_an_address_that_github_cannot_reach_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        manifest(url)


@pytest.mark.parametrize("organisation", ["a/b", "a b", '"><script>', "-x"])
def test_what_is_no_organisation_is_refused(organisation: str) -> None:
    with pytest.raises(UsageError):
        page(manifest(URL), organisation)
