from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from llmops.errors import UsageError
from llmops.forge.auth import (
    ACTIONS_APP,
    ACTIONS_LOGIN,
    AppKey,
    Fixed,
    Installation,
    from_environment,
    repository,
)
from llmops.forge.base import Refused, Repo
from llmops.forge.client import connect
from tests.forge.scripted import SECRET, Answer, Script, Ticking
from tests.github import RESET, FakeGitHub, Fault, VirtualClock


def test_the_first_variable_that_is_set_is_taken() -> None:
    both = {"GH_TOKEN": "third", "GITHUB_TOKEN": "second", "LLMOPS_GITHUB_TOKEN": "first"}
    assert from_environment(both).value() == "first"
    assert from_environment({**both, "LLMOPS_GITHUB_TOKEN": "  "}).value() == "second"
    assert from_environment({"GH_TOKEN": "third\n"}).value() == "third"


def test_a_workflows_own_token_knows_who_it_is() -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": SECRET}
    token = from_environment(environ)
    assert (token.login, token.app_id) == (ACTIONS_LOGIN, ACTIONS_APP)
    elsewhere = from_environment({**environ, "GITHUB_API_URL": "https://ghe.example/api/v3"})
    assert (elsewhere.login, elsewhere.app_id) == (ACTIONS_LOGIN, None)
    by_hand = from_environment({"GITHUB_TOKEN": SECRET})
    assert (by_hand.login, by_hand.app_id) == ("", None)
    persons = from_environment({**environ, "GITHUB_TOKEN": "ghp_x"})
    assert (persons.login, persons.app_id) == ("", None)


def test_no_token_is_told_with_what_to_set() -> None:
    with pytest.raises(UsageError, match="there is no GitHub token") as caught:
        from_environment({})
    assert "LLMOPS_GITHUB_TOKEN" in caught.value.hint
    assert "checks: write" in caught.value.hint


@pytest.mark.parametrize("bad", ["", "a\nInjected: yes", "ключ"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(bad: str) -> None:
    with pytest.raises(UsageError) as caught:
        Fixed(bad)
    assert bad == "" or bad not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/acme/bot.git",
        "https://github.com/acme/bot",
        "https://x-access-token:ghs_secret@github.com/acme/bot.git",
        "git@github.com:acme/bot.git",
        "ssh://git@github.com:22/acme/bot/",
    ],
)
def test_the_repository_is_in_the_origins_url(origin: str) -> None:
    assert repository({}, origin) == Repo("acme", "bot")
    assert repository({"GITHUB_REPOSITORY": "other/one"}, origin) == Repo("other", "one")


@pytest.mark.parametrize("origin", ["", "bot", "https://github.com/", "/srv/git/"])
def test_a_repository_that_nobody_names_is_told(origin: str) -> None:
    with pytest.raises(UsageError) as caught:
        repository({}, origin)
    assert "owner/name" in caught.value.hint


@pytest.fixture
def fake(tmp_path: Path) -> FakeGitHub:
    made = FakeGitHub(tmp_path, VirtualClock())
    made.repository("acme/bot")
    return made


def key_of(fake: FakeGitHub) -> AppKey:
    app = next(iter(fake.apps.values()), None) or fake.app("llmops-gate")
    fake.installation(app, "acme")
    return AppKey(app.id, app.key, clock=fake.clock, adapter=fake.adapter())


def test_an_apps_key_makes_tokens_of_its_installation(fake: FakeGitHub) -> None:
    key = key_of(fake)
    token = Installation(key, key.installation(Repo("acme", "bot")))
    forge = connect(Repo("acme", "bot"), token, clock=fake.clock, adapter=fake.adapter())
    assert forge.tip("main") == fake.repositories["acme/bot"].tip()
    assert forge.login() == "llmops-gate[bot]"
    assert forge.app_id == key.app_id


def test_a_signature_stands_clocks_that_are_a_little_apart(fake: FakeGitHub) -> None:
    claims = jwt.decode(key_of(fake).value(), options={"verify_signature": False})
    now = fake.clock.now().timestamp()
    assert now - claims["iat"] >= 30
    assert now + 60 <= claims["exp"] <= now + 570


def test_a_token_is_renewed_before_it_ends_and_not_oftener(fake: FakeGitHub) -> None:
    key = key_of(fake)
    token = Installation(key, key.installation(Repo("acme", "bot")))
    forge = connect(Repo("acme", "bot"), token, clock=fake.clock, adapter=fake.adapter())
    for _ in range(30):
        forge.tip("main")
        fake.clock.advance(600)
    made = [r for r, _ in fake.requests if r.path.endswith("access_tokens")]
    assert 5 <= len(made) <= 7
    assert all(answer.status < 400 for _, answer in fake.requests)


def test_a_token_that_was_revoked_is_made_anew(fake: FakeGitHub) -> None:
    key = key_of(fake)
    token = Installation(key, key.installation(Repo("acme", "bot")))
    forge = connect(Repo("acme", "bot"), token, clock=fake.clock, adapter=fake.adapter())
    forge.tip("main")
    fake.tokens.clear()
    fake.clock.advance(120)
    assert forge.tip("main")


@pytest.mark.parametrize("fault", [Fault(status=502, lost=True), replace(RESET, lost=True)])
def test_a_token_that_was_made_unheard_is_made_again(fake: FakeGitHub, fault: Fault) -> None:
    key = key_of(fake)
    fake.faults.add(fault, method="POST", path="access_tokens")
    assert Installation(key, key.installation(Repo("acme", "bot"))).value()


@pytest.mark.parametrize("skew", [86_400.0, -86_400.0, 300.0, -3_600.0])
def test_a_clock_that_is_off_is_put_right_by_githubs_own(fake: FakeGitHub, skew: float) -> None:
    fake.clock.skew = skew
    key = key_of(fake)
    token = Installation(key, key.installation(Repo("acme", "bot")))
    forge = connect(Repo("acme", "bot"), token, clock=fake.clock, adapter=fake.adapter())
    assert forge.tip("main")
    made = [r for r, _ in fake.requests if r.path.endswith("access_tokens")]
    for _ in range(3):
        fake.clock.advance(600)
        forge.tip("main")
    assert len([r for r, _ in fake.requests if r.path.endswith("access_tokens")]) == len(made)


@pytest.mark.parametrize(
    ("skew", "said"), [(-86_400, "1.0 days behind its"), (7_200, "2.0 hours ahead of its")]
)
def test_a_clock_that_is_off_is_told_where_githubs_own_does_not_help(
    fake: FakeGitHub, skew: float, said: str
) -> None:
    clock = Ticking(skew)
    refusal = Answer(401, {"message": "'Issued at' claim ('iat') must be in the past"})
    app = fake.app("llmops-gate")
    key = AppKey(app.id, app.key, clock=clock, adapter=Script(clock, refusal, refusal))
    with pytest.raises(Refused, match=said) as caught:
        key.login()
    assert "NTP" in caught.value.hint


def test_a_key_of_another_app_and_an_app_that_is_not_installed(fake: FakeGitHub) -> None:
    key = key_of(fake)
    with pytest.raises(Refused, match="is not installed on other/one") as caught:
        key.installation(Repo("other", "one"))
    assert "Install App" in caught.value.hint
    stranger = AppKey(
        99_999, next(iter(fake.apps.values())).key, clock=fake.clock, adapter=fake.adapter()
    )
    with pytest.raises(Refused, match="does not take the signature of App 99999"):
        stranger.login()


@pytest.mark.parametrize("bad", ["", "-----BEGIN RSA PRIVATE KEY-----\nSECRETSECRET\n", "SECRET"])
def test_a_key_that_is_none_is_told_and_not_shown(bad: str) -> None:
    with pytest.raises(UsageError, match="no RSA key in PEM form") as caught:
        AppKey(1, bad)
    assert "SECRET" not in f"{caught.value}{caught.value.hint}{caught.value.__cause__}"


def test_no_repr_shows_a_secret(fake: FakeGitHub) -> None:
    key = key_of(fake)
    token = Installation(key, key.installation(Repo("acme", "bot")))
    shown = f"{Fixed(SECRET)!r} {key!r} {token!r} {token.value()[:0]}"
    assert SECRET not in shown
    assert "PRIVATE" not in shown
    assert token.value() not in f"{token!r}"


def test_the_end_of_a_token_is_read_by_githubs_clock(fake: FakeGitHub) -> None:
    key = key_of(fake)
    _, ends = key.token(key.installation(Repo("acme", "bot")))
    assert ends == datetime(2026, 11, 26, 9, 0, 0, tzinfo=UTC) or ends > fake.clock.true_now()
