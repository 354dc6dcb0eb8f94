from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa

from llmops.app.manifest import EVENTS, PERMISSIONS
from llmops.app.office import owned
from tests.github import FakeGitHub, VirtualClock
from tests.github.state import App

HOOK = "canary-webhook-secret"


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A GitHub on the loopback, with one repository and our App."""
    fake = FakeGitHub(tmp_path / "github", VirtualClock(datetime.now(UTC)))
    fake.repository("acme/llm", {"a.txt": "1"})
    made = fake.app(**{name: level for name, (level, _) in PERMISSIONS.items()})
    made.events = list(EVENTS)
    fake.installation(made, "acme")
    with fake.serve() as url:
        monkeypatch.setenv("GITHUB_API_URL", url)
        yield fake


def our(fake: FakeGitHub) -> App:
    return next(app for app in fake.apps.values() if app.slug == "llmops-gate")


@pytest.fixture
def words(github: FakeGitHub, tmp_path: Path) -> list[str | Path]:
    """The options of a service that is set up."""
    for name, text in (("key.pem", our(github).key), ("hook", HOOK)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return ["app", "--app-id", str(our(github).id), "--key-file", tmp_path / "key.pem",
            "--secret-file", tmp_path / "hook", "--data", tmp_path / "data",
            "--repos", "acme/llm"]  # fmt: skip


def test_nothing_given_tells_everything_that_is_missing(llmops) -> None:
    said = llmops("app")
    assert said.code == 2
    for word in ("--app-id", "--key-file", "--secret-file", "--data", "--repos"):
        assert word in said.err


def test_settings_come_from_variables_too(llmops, words, monkeypatch) -> None:
    monkeypatch.setenv("LLMOPS_APP_ID", words[2])
    monkeypatch.setenv("LLMOPS_KEY_FILE", str(words[4]))
    monkeypatch.setenv("LLMOPS_WEBHOOK_SECRETS", HOOK)
    monkeypatch.setenv("LLMOPS_DATA", str(words[8]))
    monkeypatch.setenv("LLMOPS_REPOS", "acme/llm")
    said = llmops("app", "--check")
    assert said.code == 0, said.out + said.err


def test_check_says_that_all_is_set_up(llmops, words, github) -> None:
    said = llmops(*words, "--check")
    assert said.code == 0, said.out + said.err
    assert said.out.splitlines()[-1] == "the App can serve"
    assert "with every permission and event" in said.out
    assert HOOK not in said.out + said.err


def told(said) -> dict[str, str]:
    rows = json.loads(said.out)["findings"]
    return {one["message"]: one["hint"] for one in rows if one["state"] != "ok"}


def test_check_names_each_permission_and_event_that_is_missing(llmops, words, github) -> None:
    made = our(github)
    made.permissions["checks"] = "read"
    del made.permissions["members"]
    made.permissions["administration"] = "write"
    made.events.remove("merge_group")
    said = llmops(*words, "--check", "--format", "json")
    assert said.code == 1
    found = "\n".join(told(said))
    assert "checks: write (the check llmops/gate)" in found
    assert "members: read" in found
    assert "contents" not in found
    assert "events are not subscribed to: merge_group" in found
    assert "may do more than the gate needs: administration" in found


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ({"secret": ""}, "is not signed"),
        ({"content_type": "form"}, "does not come as application/json"),
        ({"insecure_ssl": "1"}, "does not verify the webhook's certificate"),
        ({"url": ""}, "has no webhook"),
    ],
)
def test_check_looks_at_the_webhook(llmops, words, github, hook, message) -> None:
    our(github).hook = hook
    said = llmops(*words, "--check", "--format", "json")
    assert said.code == 1
    assert message in "\n".join(told(said))


def test_check_says_where_the_app_is_not_installed(llmops, words, github) -> None:
    our(github).installations.clear()
    said = llmops(*words, "--check")
    assert said.code == 1
    assert "is not installed on acme/llm" in said.out


def test_check_with_another_apps_key_says_so(llmops, words) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()
    )
    Path(words[4]).write_bytes(pem)
    said = llmops(*words, "--check")
    assert said.code == 1
    assert "does not take the signature of App" in said.out
    assert "PRIVATE KEY" not in said.out + said.err


def test_a_key_that_is_none_is_one_line(llmops, words) -> None:
    Path(words[4]).write_text("-----BEGIN RSA PRIVATE KEY-----\ncanarykey\n")
    said = llmops(*words)
    assert said.code == 2
    assert "no RSA key in PEM form" in said.err
    assert "canarykey" not in said.err


def test_a_second_service_on_the_same_folder_is_refused(llmops, words, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    with owned(tmp_path / "data"):
        said = llmops(*words)
    assert said.code == 2
    assert "another llmops app works in" in said.err


def test_an_address_that_is_taken_is_told(llmops, words) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = llmops(*words, "--bind", f"127.0.0.1:{taken.getsockname()[1]}")
    assert said.code == 2
    assert "cannot listen at 127.0.0.1:" in said.err


def test_the_manifest_is_json_or_a_page(llmops) -> None:
    made = json.loads(llmops("app", "--manifest", "--url", "https://gate.example.org").out)
    assert made["hook_attributes"]["url"] == "https://gate.example.org/webhook"
    page = llmops("app", "--manifest", "--url", "https://gate.example.org", "--format", "html",
                  "--org", "acme").out  # fmt: skip
    assert 'action="https://github.com/organizations/acme/settings/apps/new"' in page
    assert llmops("app", "--manifest").code == 2


def test_what_is_not_installed_is_named_with_its_extra(llmops, words, monkeypatch) -> None:
    monkeypatch.setattr("llmops.cli.app.importlib.util.find_spec", lambda name: None)
    said = llmops(*words)
    assert said.code == 2
    assert "llmops app needs starlette, uvicorn" in said.err
    assert "llmops[app]" in said.err


def test_offline_nothing_is_asked(llmops, words) -> None:
    for more in ((), ("--check",)):
        said = llmops(*words, "--offline", *more)
        assert said.code == 2
        assert "LLMOPS_OFFLINE=1" in said.err


def test_too_many_workers_are_refused(llmops, words) -> None:
    assert llmops(*words, "--workers", "0").code == 2
    assert llmops(*words, "--workers", "65").code == 2
