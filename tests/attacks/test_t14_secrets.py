"""T14: a secret of the gate is to reach a check, a comment, an annotation, a summary.

The way in (A5, A8) is a text that repeats it: the error of a server that echoes the header that it
was sent, a git address with a token in it, the reason of a failed job, a key that somebody wrote
into a spec. Thirty canaries are planted in every text of every state, each in all the spellings in
which a secret gets about, and no payload may hold any of them.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from llmops.errors import StoreError
from llmops.forge.base import Publication
from llmops.gating import judging
from llmops.gating.base import PullRequest
from llmops.gating.hiding import cleaner, hidden
from llmops.gating.reconcile import reconcile
from llmops.reports import github_states as states
from llmops.rules.base import Outcome
from tests.attacks.test_t15_markup import texts
from tests.gating.world import World, files
from tests.reports import pulls
from tests.reports.conftest import FAILED, a_verdict

NAMES = ("GITHUB_TOKEN", "LLMOPS_APP_PRIVATE_KEY", "JUDGE_API_KEY", "DB_PASSWORD", "HF_TOKEN")
ENVIRON = {
    f"{name}{'' if i == 0 else f'_{i}_KEY'}": f"canary-{i}-{name.lower()}+/{'z' * i}9"
    for i in range(6)
    for name in NAMES
}
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEcanaryLine1AAAA\nMIIEcanaryLine2BBBB\n-----END x-----"


def spelt(value: str) -> tuple[str, ...]:
    raw = value.encode()
    return (
        value, value[::-1], raw.hex(), raw.hex().upper(), quote(value, safe=""),
        base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(b"x:" + raw).decode(), json.dumps(value)[1:-1],
    )  # fmt: skip


ALL = tuple(form for value in ENVIRON.values() for form in spelt(value))


def leaks(found: Publication, forms: Sequence[str]) -> list[str]:
    """Those of the canaries that some payload holds."""
    parts = [found.check, found.annotations, found.comment, found.status, found.deployments]
    said = "\n".join(texts(parts))
    if found.sarif:
        said += gzip.decompress(base64.b64decode(found.sarif["sarif"])).decode()
    # what is split by an escape of Markdown would still be read by eyes
    eyes = said.replace("\u200b", "").replace("&#8203;", "").replace("\\", "")
    return [one for one in forms if one in said or one.replace("\\", "") in eyes]


def planted(form: str) -> tuple[Publication, ...]:
    """A spelling of a canary in every text that there is."""
    finding = replace(
        FAILED, message=form, hint=form, gate=f"Evaluation/x/{form}", controls=(form,)
    )
    verdict = a_verdict(
        Outcome.FAILED, finding, notes=(form,), tool_version=form,
        worst_cases=(), slices=({form: form},),
    )  # fmt: skip
    return (
        states.judged(pulls.SUBJECT, verdict),
        states.not_judged(pulls.SUBJECT, form, form),
        states.waiting_for_person(pulls.SUBJECT, form, form, form),
        states.invalid(pulls.SUBJECT, [replace(pulls.MISTAKES[0], message=form, hint=form)]),
    )


def test_thirty_canaries_in_all_spellings_reach_no_payload() -> None:
    assert len(ENVIRON) == 30
    clean = cleaner(ENVIRON)
    for i in range(0, len(ALL), 3):
        forms = ALL[i : i + 3]
        for found in planted(" ".join(forms)):
            assert leaks(hidden(found, clean), forms) == []


def test_without_the_last_look_they_would() -> None:
    for form in spelt(ENVIRON["GITHUB_TOKEN"]):
        assert all(leaks(found, [form]) for found in planted(form))


def test_a_key_of_several_lines_is_a_secret_in_each_line() -> None:
    clean = cleaner({}, (KEY,))
    assert clean("it said MIIEcanaryLine2BBBB") == "it said ***"
    assert "canary" not in clean(f"all of it: {KEY}")


@pytest.mark.parametrize(
    "token",
    ["ghs_" + "a1B2" * 9, "github_pat_" + "a1B2_" * 9,
     "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl"],
)  # fmt: skip
def test_what_looks_like_a_token_is_hidden_though_nobody_named_it(token: str) -> None:
    assert cleaner({})(f"Authorization: {token}!") == "Authorization: ***!"


def test_honest_words_stay() -> None:
    clean = cleaner({"GITHUB_TOKEN": "abc", "HOME": "specs/recipes", "API_KEY": ""})
    for name, found in pulls.every().items():
        assert hidden(found, clean) == replace(found, annotations=tuple(found.annotations)), name


def test_a_server_that_repeats_the_token_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: reconcile fails with the gate's own token in the message."""
    world = World(tmp_path)
    pull, desk = world.pull(), world.desk()

    def repeat(*_: object) -> None:
        spelled = " ".join(spelt(world.token))
        raise StoreError(f"403 for https://x:{world.token}@git.example", hint=spelled)

    monkeypatch.setattr(judging, "read", repeat)
    settled = reconcile(replace(desk, clean=cleaner({}, (world.token,))), PullRequest(pull.number))
    assert settled.state == "not judged"
    check = world.check(pull.head_sha)
    said = json.dumps([check, [one.body for one in world.fake.writes()]], default=str)
    assert "403 for" in said
    for form in spelt(world.token):
        assert form not in said


def test_a_title_that_is_cut_inside_a_secret_shows_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is cut is cleaned before: half a token is still half a token."""
    world = World(tmp_path)
    pull, desk = world.pull(), world.desk()

    def repeat(*_: object) -> None:
        raise StoreError(f"{'x' * 56} {world.token}")

    monkeypatch.setattr(judging, "read", repeat)
    reconcile(replace(desk, clean=cleaner({}, (world.token,))), PullRequest(pull.number))
    assert world.title(pull.head_sha).startswith(f"not judged: {'x' * 56}")
    assert world.token[:8] not in json.dumps(world.check(pull.head_sha), default=str)


@pytest.mark.parametrize("secret", ["", "correct_horse_battery_staple"], ids=["token", "password"])
def test_a_secret_that_somebody_wrote_into_a_spec_is_not_repeated(
    tmp_path: Path, secret: str
) -> None:
    """A diagnostic names the field that it does not know, and here that is the secret."""
    world = World(tmp_path)
    secret = secret or world.token
    text = files()["specs/recipes/adapter.yaml"]
    pull = world.pull(
        {"specs/recipes/adapter.yaml": text.replace("seed:", f"{secret}: 1\n  seed:")}
    )
    desk = replace(world.desk(), clean=cleaner({}, (secret,)))
    assert reconcile(desk, PullRequest(pull.number)).state == "invalid"
    sent = [one.body.decode() for one in world.fake.writes()]
    said = json.dumps([world.check(pull.head_sha), sent], default=str)
    assert "literal-secret" in said or "no field" in said
    assert secret not in said.replace("\\", "")
