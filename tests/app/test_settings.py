from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmops.app.settings import VARIABLE, Given, Settings, examine

SECRET, OLD = "canary-webhook-secret-1", "canary-webhook-secret-0"
PEM = "-----BEGIN RSA PRIVATE KEY-----\ncanarykey\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def given(tmp_path: Path) -> Given:
    for name, text in (("key.pem", PEM), ("secrets", f"{SECRET}\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return Given("12345", str(tmp_path / "key.pem"), str(tmp_path / "secrets"),
                 str(tmp_path / "data"), ["octo/bank"], "127.0.0.1:8080", {})  # fmt: skip


def told(given: Given) -> dict[str, str]:
    """What is missing, by its name."""
    made, found = examine(given)
    assert SECRET not in str(found)
    assert "canarykey" not in str(found) + repr(made) + repr(given)
    assert (made is None) == any(one.state == "missing" for one in found)
    return {one.name: one.message for one in found if one.state == "missing"}


def test_good_settings_are_read(given: Given) -> None:
    made, found = examine(given)
    assert isinstance(made, Settings)
    assert (made.app_id, made.secrets, made.repos) == (12345, (SECRET,), ("octo/bank",))
    assert (made.host, made.port, made.key) == ("127.0.0.1", 8080, PEM)
    assert made.data.stat().st_mode & 0o777 == 0o700
    assert {one.state for one in found} == {"ok"}
    assert SECRET not in repr(made)


def test_everything_that_is_missing_is_told_at_once() -> None:
    nothing = Given("", "", "", "", [], "", {})
    assert list(told(nothing)) == ["app-id", "key-file", "webhook secret", "data", "repos", "bind"]


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666, 0o601])
def test_a_key_that_others_can_read_or_change_is_refused(given: Given, mode: int) -> None:
    Path(given.key_file).chmod(mode)
    assert "others can read or change" in told(given)["key-file"]


def test_a_secret_that_others_can_read_is_refused(given: Given) -> None:
    Path(given.secret_file).chmod(0o644)
    assert "others can read or change" in told(given)["webhook secret"]


def test_a_key_that_the_group_of_a_mounted_secret_can_read_is_taken(given: Given) -> None:
    Path(given.key_file).chmod(0o440)
    assert told(given) == {}


def test_a_key_that_is_none_is_told_without_its_text(given: Given, tmp_path: Path) -> None:
    Path(given.key_file).write_text("canarykey")
    assert "no private key in PEM form" in told(given)["key-file"]
    Path(given.key_file).write_bytes(b"\xff\xfe")
    assert "no text" in told(given)["key-file"]
    assert "cannot be read" in told(replace(given, key_file=str(tmp_path / "none")))["key-file"]
    assert "Is a directory" in told(replace(given, key_file=str(tmp_path)))["key-file"]


def test_two_secrets_while_one_takes_the_others_place(given: Given) -> None:
    Path(given.secret_file).write_text(f"{SECRET}\n{OLD}\n\n{SECRET}\n")
    made, _ = examine(given)
    assert made is not None
    assert made.secrets == (SECRET, OLD)
    Path(given.secret_file).write_text(f"{SECRET}\n{OLD}\nthird-secret-of-the-hook\n")
    assert "3 webhook secrets" in told(given)["webhook secret"]


def test_a_secret_may_come_from_a_variable(given: Given) -> None:
    made, _ = examine(replace(given, secret_file="", variables={VARIABLE: f"{SECRET} {OLD}"}))
    assert made is not None
    assert made.secrets == (SECRET, OLD)


@pytest.mark.parametrize("secret", ["", " \n", "short", "密" * 20])
def test_a_guessable_or_absent_secret_is_refused(given: Given, secret: str) -> None:
    Path(given.secret_file).write_text(secret)
    assert "webhook secret" in told(given)


def test_a_folder_that_anybody_may_write_to_is_refused(given: Given) -> None:
    examine(given)
    Path(given.data).chmod(0o777)
    assert "anybody may write" in told(given)["data"]


def test_a_file_in_the_folders_place_is_told(given: Given) -> None:
    Path(given.data).write_text("")
    assert "cannot be written to" in told(given)["data"]


@pytest.mark.parametrize("bind", ["", "8080", ":8080", "host:", "host:99999", "a b:1", "h:1:2"])
def test_what_is_no_address_is_told(given: Given, bind: str) -> None:
    assert "is no address" in told(replace(given, bind=bind))["bind"]


def test_an_address_of_version_six_is_one(given: Given) -> None:
    made, _ = examine(replace(given, bind="[::1]:80"))
    assert made is not None
    assert (made.host, made.port) == ("::1", 80)


@pytest.mark.parametrize("app_id", ["x", "0", "-1", "1.5", "9" * 20])
def test_what_is_no_apps_id_is_told(given: Given, app_id: str) -> None:
    assert told(replace(given, app_id=app_id)) == {"app-id": "this is no App's id"}


def test_a_repository_is_served_once_and_must_be_one(given: Given) -> None:
    made, _ = examine(replace(given, repos=["octo/bank", "Octo/Bank"]))
    assert made is not None
    assert len(made.repos) == 1
    assert "is no repository" in told(replace(given, repos=["../etc"]))["repos"]
