"""`llmops keys`: a key outside the repository, roots that owners sign, and nothing secret said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli.keys import SUBCOMMANDS
from llmops.signing import keys
from llmops.signing.base import ROLES
from llmops.signing.root import Chain
from llmops.signing.trust import of_tree
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.keyring import pem, person

ROOT = Path(__file__).parents[2]
NOW = ("--now", "2026-11-22T08:00:00Z")
ANN, BOB, EVE = "ann", "bob", "eve"


@pytest.fixture
def repo(git_repo) -> GitRepo:
    return git_repo({"README.md": "x\n"})


@pytest.fixture
def key(tmp_path: Path):
    """`key("bob")`: a file with a private key, and `.pub` beside it with its public half."""

    def make(name: str) -> Path:
        path = tmp_path / f"{name}.pem"
        path.write_bytes(pem(person(name)))
        path.chmod(0o600)
        return path

    return make


@pytest.fixture
def public(key, llmops, tmp_path: Path):
    """`public("bob")`: the file that `keys show --public` makes."""

    def make(name: str) -> Path:
        said = llmops("keys", "show", "--public", "--key", key(name))
        assert said.code == 0
        (path := tmp_path / f"{name}.pub").write_text(said.out)
        return path

    return make


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "config/llmops/key.pem"


def chain_of(repo: GitRepo) -> Chain:
    found = of_tree(Repository.find(repo.path).work_tree())
    assert found is not None
    return found


def at(repo: GitRepo, *words: object) -> tuple[object, ...]:
    return (
        *words[:2],
        "-C",
        repo.path,
        *words[2:],
        *(NOW if words[1] not in ("show", "sign") else ()),
    )


def started(llmops, repo: GitRepo, key, public, threshold: int = 2) -> None:
    """Ann, Bob and Eve own the root, so many of them together."""
    others = [f"{name}={public(name)}" for name in (BOB, EVE)]
    words = [word for one in others for word in ("--add", one)]
    said = llmops(*at(repo, "keys", "init", "--key", key(ANN), "--owner", ANN, *words,
                      "--threshold", threshold))  # fmt: skip
    assert said.code == 0, said.err


def test_every_action_has_two_examples(llmops) -> None:
    for name in SUBCOMMANDS:
        said = llmops("keys", name, "--help")
        assert said.code == 0
        lines = said.out.split("examples:\n")[1].split("\n\n")[0].splitlines()
        assert len(lines) >= 2


# --- init


def test_init_makes_a_key_outside_and_a_root_inside(llmops, repo, own: Path) -> None:
    said = llmops(*at(repo, "keys", "init", "--owner", "Ann 安"))
    assert (said.code, said.err) == (0, "")
    assert own.stat().st_mode & 0o777 == 0o600
    root = chain_of(repo).newest
    mine = keys.read(own)
    assert root.owners() == (mine.key,)
    assert set(root.roles) == set(ROLES)
    assert root.keys[mine.key].owner == "Ann 安"
    assert root.keys[mine.key].since == "2026-11-22T08:00:00Z"
    assert f"digest {root.digest}" in said.out
    assert f"gh secret set LLMOPS_SIGNING_KEY --env llmops-gate < {own}" in said.out
    assert repo.git("status", "--porcelain", "-uall") == "?? policies/trust/1.root.json"


def test_no_private_key_is_ever_said(llmops, repo, own: Path, key, public) -> None:
    said = [llmops(*at(repo, "keys", "init", "--owner", "ann"))]
    body = own.read_text().splitlines()[1]
    said += [llmops(*at(repo, "keys", word)) for word in ("show", "init", "rotate")]
    said += [llmops(*at(repo, "keys", "show", "--format", "json"))]
    said += [llmops(*at(repo, "keys", "revoke", "ann", "--reason", "x"))]
    second = (own.parent / "key-2.pem").read_text().splitlines()[1]
    new = ("--key", own.parent / "key-2.pem")
    said += [llmops(*at(repo, "keys", "rotate", "--add", f"bob={own}", *new))]
    for one in said:
        assert body not in one.out + one.err
        assert second not in one.out + one.err
        assert "PRIVATE" not in one.out + one.err
    assert "is a private key: keep it" in said[-1].err


def test_gits_name_is_the_owners_unless_it_has_none(llmops, repo, monkeypatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "")
    said = llmops(*at(repo, "keys", "init"))
    assert (said.code, said.err.splitlines()[0]) == (
        2,
        "llmops: error: git does not know your name",
    )
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Ann  Lee")
    assert llmops(*at(repo, "keys", "init")).code == 0
    assert {one.owner for one in chain_of(repo).newest.keys.values()} == {"Ann Lee"}


def test_a_key_that_is_there_is_used_and_a_bad_one_is_no_reason_for_another(
    llmops, repo, own: Path, key
) -> None:
    own.parent.mkdir(parents=True)
    own.write_bytes(pem(person(ANN)))
    own.chmod(0o644)
    said = llmops(*at(repo, "keys", "init", "--owner", "ann"))
    assert said.code == 2
    assert "has mode 0644" in said.err
    assert not (repo.path / "policies").exists()
    own.chmod(0o600)
    said = llmops(*at(repo, "keys", "init", "--owner", "ann"))
    assert f"using your key {person(ANN).key[:16]}" in said.out


def test_a_key_may_come_from_the_variable_of_ci(llmops, repo, own: Path, monkeypatch) -> None:
    monkeypatch.setenv("LLMOPS_SIGNING_KEY", pem(person(ANN)).decode())
    said = llmops(*at(repo, "keys", "init", "--owner", "ann"))
    assert said.code == 0
    assert chain_of(repo).newest.owners() == (person(ANN).key,)
    assert not own.exists()
    assert "gh secret" not in said.out


def test_a_key_is_never_made_inside_the_repository(llmops, repo) -> None:
    said = llmops(*at(repo, "keys", "init", "--owner", "ann", "--key", repo.path / "key.pem"))
    assert said.code == 2
    assert "is inside the repository" in said.err
    assert repo.git("status", "--porcelain") == ""


def test_a_second_init_only_says_how_one_is_let_in(llmops, repo, own: Path, tmp_path: Path) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    before = repo.git("status", "--porcelain", "-uall")
    assert "has it: root gate runner log release" in llmops(*at(repo, "keys", "init")).out
    other = tmp_path / "bob.pem"
    said = llmops(*at(repo, "keys", "init", "--owner", "bob", "--key", other))
    assert said.code == 0
    line = next(line for line in said.out.splitlines() if "keys rotate --add" in line)
    words = line.replace("'", "").split()[1:]
    assert repo.git("status", "--porcelain", "-uall") == before
    assert llmops(*at(repo, *words)).code == 0
    assert keys.read(other).key in chain_of(repo).newest.owners()


# --- several owners


def test_two_of_three_sign_one_after_another(llmops, repo, key, public) -> None:
    started(llmops, repo, key, public)
    said = llmops(*at(repo, "keys", "show"))
    assert said.code == 1
    assert "signed by 1 of the 2 owners that trust root 1 asks for; can sign: bob, eve" in said.out
    with pytest.raises(Exception, match="signed by 1 of the 2 owners"):
        chain_of(repo)
    assert (
        "waits for its owners' signatures"
        in llmops(*at(repo, "keys", "rotate", "--threshold", 1)).err
    )
    again = llmops(*at(repo, "keys", "sign", "--key", key(ANN)))
    assert (again.code, "you have signed trust root 1 already" in again.err) == (2, True)
    stranger = llmops(*at(repo, "keys", "sign", "--key", key("mallory")))
    assert (stranger.code, "is no owner's (role root)" in stranger.err) == (2, True)
    done = llmops(*at(repo, "keys", "sign", "--key", key(EVE)))
    assert done.code == 0
    assert "+ bob" in done.out, "whoever signs sees what they sign"
    assert len(chain_of(repo).newest.envelope.signatures) == 2
    late = llmops(*at(repo, "keys", "sign", "--key", key(BOB)))
    assert (late.code, "no trust root waits" in late.err) == (2, True)


def test_owners_and_machines_come_and_go(llmops, repo, key, public, tmp_path: Path) -> None:
    started(llmops, repo, key, public, threshold=1)
    ann = ("--key", key(ANN))
    (ci := tmp_path / "ci.pub").write_text(public("ci").read_text())
    said = llmops(*at(repo, "keys", "rotate", *ann, "--add", f"ci={ci}", "--role", "gate",
                      "--role", "log", "--until", "2027-11-22"))  # fmt: skip
    assert said.code == 0, said.err
    newest = chain_of(repo).newest
    assert newest.keys[person("ci").key].until == "2027-11-23T00:00:00Z"
    assert newest.roles["log"].keys == tuple(sorted([person(ANN).key, person("ci").key]))
    said = llmops(*at(repo, "keys", "rotate", *ann, "--remove", "bob", "--threshold", 2))
    assert "! all 2 owners must sign the next one" in said.out
    assert "it waits: signed by 1 of the 2 owners" in said.out
    assert llmops(*at(repo, "keys", "sign", "--key", key(EVE))).code == 0
    newest = chain_of(repo).newest
    assert (newest.version, newest.roles["root"].threshold) == (3, 2)
    assert person(BOB).key not in newest.keys


def test_one_command_may_lower_the_threshold_and_take_somebody_out(
    llmops, repo, key, public
) -> None:
    started(llmops, repo, key, public, threshold=2)
    llmops(*at(repo, "keys", "sign", "--key", key(BOB)))
    words = ("--remove", "bob", "--remove", "eve", "--threshold", 1, "--key", key(ANN))
    assert llmops(*at(repo, "keys", "rotate", *words)).code == 0
    assert llmops(*at(repo, "keys", "sign", "--key", key(EVE))).code == 0
    assert chain_of(repo).newest.owners() == (person(ANN).key,)


# --- rotate


def test_a_rotated_key_counts_a_week_longer(llmops, repo, own: Path) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    old = keys.read(own)
    said = llmops(*at(repo, "keys", "rotate"))
    assert said.code == 0, said.err
    new = keys.read(own.parent / "key-2.pem")
    newest = chain_of(repo).newest
    assert newest.owners() == (new.key,)
    assert newest.keys[old.key].until == "2026-11-29T08:00:00Z"
    assert f"mv {own.parent / 'key-2.pem'} {own}" in said.out
    assert {one.key for one in newest.envelope.signatures} == {old.key, new.key}


def test_a_rotation_that_fails_leaves_no_key_behind(llmops, repo, own: Path) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    (repo.path / "policies/trust/2.root.json").mkdir()
    said = llmops(*at(repo, "keys", "rotate"))
    assert said.code == 2
    assert [one.name for one in own.parent.iterdir()] == ["key.pem"]


def test_a_key_of_no_owner_rotates_and_revokes_nothing(llmops, repo, key) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    for words in (("rotate",), ("revoke", "ann", "--reason", "x"), ("rotate", "--threshold", 1)):
        said = llmops(*at(repo, "keys", *words, "--key", key(BOB)))
        assert (said.code, "is no owner's (role root)" in said.err) == (2, True)
    assert chain_of(repo).newest.version == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--threshold", "1"), "that is what the trust root says already"),
        (("--threshold", "2"), "2 of 1 owners cannot sign"),
        (("--add", "bob"), '"bob" is not NAME=KEY'),
        (("--add", "bob=/nowhere"), "/nowhere cannot be read"),
        (("--add", "bob=README.md"), "README.md "),
        (("--add", "bob=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "is no Ed25519 key"),
        (("--remove", "bob"), 'no key in the trust root begins with "bob"'),
        (("--remove", "ann"), "that leaves 0 of the 1 owners it takes"),
        (("--grace", "-1"), "is no number of days"),
    ],
)
def test_what_cannot_be_is_said(llmops, repo, words, why: str) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    said = llmops(*at(repo, "keys", "rotate", *words))
    assert said.code == 2
    assert why in said.err
    assert chain_of(repo).newest.version == 1


# --- revoke


def test_a_revoked_key_counts_no_more_from_a_time_on(llmops, repo, key, public) -> None:
    started(llmops, repo, key, public, threshold=1)
    words = ("--reason", "laptop stolen", "--key", key(ANN), "--since", "2026-11-20T00:00:00Z")
    said = llmops(*at(repo, "keys", "revoke", "bob", *words))
    assert said.code == 0, said.err
    newest = chain_of(repo).newest
    assert newest.revoked[person(BOB).key].at == "2026-11-20T00:00:00Z"
    assert person(BOB).key not in newest.owners()
    shown = llmops(*at(repo, "keys", "show"))
    assert "revoked since 2026-11-20T00:00:00Z: laptop stolen" in shown.out


def test_the_only_owner_is_rotated_before_it_is_revoked(llmops, repo, own: Path) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    old = keys.read(own).key
    said = llmops(*at(repo, "keys", "revoke", "ann", "--reason", "lost"))
    assert said.code == 2
    assert "llmops keys rotate puts a new key in its place" in said.err
    llmops(*at(repo, "keys", "rotate"))
    new = ("--key", own.parent / "key-2.pem")
    assert llmops(*at(repo, "keys", "revoke", old[:12], "--reason", "lost", *new)).code == 0
    assert chain_of(repo).newest.revoked[old].reason == "lost"


# --- what a change may do to it


def test_a_change_that_breaks_or_takes_back_a_root_is_invalid(llmops, bank, own: Path) -> None:
    llmops(*at(bank, "keys", "init", "--owner", "ann"))
    llmops(*at(bank, "keys", "rotate"))
    bank.commit({}, "trust")
    assert llmops("plan", "-C", bank.path).code == 0
    second = bank.path / "policies/trust/2.root.json"
    data = second.read_bytes()
    second.unlink()
    said = llmops("plan", "-C", bank.path)
    assert said.code == 2
    assert "policies/trust/2.root.json:1:1: error[trust-root]: base has this trust root" in said.err
    second.write_bytes(data.replace(b'"sig":"', b'"sig":"A'))
    for command in ("validate", "plan"):
        said = llmops(command, "-C", bank.path)
        assert said.code == 2
        assert "policies/trust/2.root.json:1:1: error[trust-root]" in said.out + said.err


# --- show


def test_show_says_all_of_it_as_data_too(llmops, repo, key, public) -> None:
    started(llmops, repo, key, public)
    data = json.loads(llmops(*at(repo, "keys", "show", "--format", "json")).out)
    assert data["digest"] is None
    assert data["waits"]["signed_by"] == [person(ANN).key]
    assert "can sign: bob, eve" in data["waits"]["lacks"]
    llmops(*at(repo, "keys", "sign", "--key", key(BOB)))
    data = json.loads(llmops(*at(repo, "keys", "show", "--format", "json")).out)
    assert data["waits"] is None
    assert data["digest"] == chain_of(repo).newest.digest
    assert [one["owner"] for one in data["keys"]] == [ANN, BOB, EVE]
    assert data["threshold"] == 2


def test_show_names_a_key_that_cannot_be_used(llmops, repo, own: Path) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    own.chmod(0o640)
    said = llmops(*at(repo, "keys", "show"))
    assert said.code == 0
    assert "has mode 0640, so others may use it" in said.out


def test_a_damaged_root_is_a_mistake_that_names_it(llmops, repo) -> None:
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    path = repo.path / "policies/trust/1.root.json"
    path.write_bytes(path.read_bytes().replace(b"=", b"A", 1))
    said = llmops(*at(repo, "keys", "show"))
    assert said.code == 2
    assert "trust root 1: " in said.err


def test_openssl_reads_what_show_prints(llmops, key, tmp_path: Path, public) -> None:
    path = public(BOB)
    (tmp_path / "sig").write_bytes(person(BOB).sign(b"words"))
    (tmp_path / "words").write_bytes(b"words")
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", path,
         "-in", tmp_path / "words", "-sigfile", tmp_path / "sig"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "Signature Verified Successfully"


def test_what_the_page_says_checks_a_root_with_openssl_alone(llmops, repo) -> None:
    page = (ROOT / "llmops/docs/en/how-to/keys.md").read_text("utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    line = next(one for one in page.splitlines() if one.startswith("openssl pkeyutl"))
    llmops(*at(repo, "keys", "init", "--owner", "ann"))
    (repo.path / "ann.pub").write_text(llmops("keys", "show", "--public").out)
    subprocess.run([sys.executable, "-c", code], cwd=repo.path, check=True)
    done = subprocess.run(line, shell=True, cwd=repo.path, capture_output=True, text=True)
    assert done.stdout.strip() == "Signature Verified Successfully"
    (repo.path / "signed").write_bytes((repo.path / "signed").read_bytes() + b" ")
    again = subprocess.run(line, shell=True, cwd=repo.path, capture_output=True, text=True)
    assert again.returncode != 0
    counted = "openssl pkey -pubin -in ann.pub -outform DER | sha256sum"
    assert f"`{counted}`" in page
    said = subprocess.run(counted, shell=True, cwd=repo.path, capture_output=True, text=True)
    assert said.stdout.split()[0] in chain_of(repo).newest.keys


# --- doctor


def test_doctor_says_what_this_machine_may_sign(llmops, repo, own: Path) -> None:
    def line() -> str:
        out = llmops("doctor", "--quick", "-C", repo.path).out
        return next(
            one for one in out.splitlines() if one.split()[:1] in (["keys"], ["!"]) and "key" in one
        )

    assert "no trust root, so nothing is signed" in line()
    llmops("keys", "init", "-C", repo.path, "--owner", "ann")
    assert "the key here is of role root gate runner log release" in line()
    own.chmod(0o644)
    assert "has mode 0644" in line()
    own.unlink()
    assert "no key here, so this machine signs nothing" in line()
