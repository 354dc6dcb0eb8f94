"""`llmops log`: shown, proved, added to, a blob taken away; and a log that is not what it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops import merkle
from llmops.cli.log import SUBCOMMANDS
from llmops.cli.main import main
from llmops.digest import canonical, of_bytes
from llmops.log import proofs
from llmops.log.base import APPROVAL, BRANCH, LEDGER, RUN
from llmops.log.checkpoint import decode
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Signer
from tests.conftest import GitRepo
from tests.keyring import pem, person, root_of, signed
from tests.log.conftest import edit

ROOT_FOLDER = Path(__file__).parents[2]
ANN, EVE = person("ann"), person("eve")
NOW = ("--now", "2026-11-22T08:00:00Z")
ROOT = signed(root_of(ANN), ANN)
ROWS = b"a person's own words\n"


def saying(kind: str = APPROVAL, pen: Signer = ANN, **predicate: Any) -> bytes:
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "closure", "digest": {"sha256": "ab" * 32}}],
        "predicateType": kind,
        "predicate": predicate,
    }
    return dsse.encode(dsse.sign(IN_TOTO, canonical(value), [pen]))


@pytest.fixture
def desk(git_repo: Callable[..., GitRepo], tmp_path: Path, monkeypatch) -> GitRepo:
    """A repository with a trust root on main, and ann's key where commands look for it."""
    repo = git_repo({"policies/trust/1.root.json": ROOT, "a.txt": "a"}, name="desk")
    (place := tmp_path / "config" / "llmops").mkdir(parents=True)
    (place / "key.pem").write_bytes(pem(ANN))
    (place / "key.pem").chmod(0o600)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place.parent))
    for name in ("LLMOPS_KEY", "LLMOPS_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    return repo


@pytest.fixture
def log(llmops, desk: GitRepo) -> Callable[..., Any]:
    def run(action: str, *words: str | Path):
        return llmops("log", action, *words, "-C", desk.path)

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a log of three: the root, an approval, a run that names a blob."""
    (place := tmp_path_factory.mktemp("made") / "desk").mkdir()
    repo = GitRepo(place)
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.commit({"policies/trust/1.root.json": ROOT, "a.txt": "a"})
    yes = saying(team="legal", by="ann", seen_at="2026-11-22T08:00:00Z")
    repo.write({"yes.json": yes, "run.json": saying(RUN, rows=of_bytes(ROWS)), "rows.jsonl": ROWS})
    (key := repo.path / ".git" / "key.pem").write_bytes(pem(ANN))
    key.chmod(0o600)
    files = ("policies/trust/1.root.json", "yes.json", "run.json", "--blob", "rows.jsonl")
    assert main(["log", "append", *files, "-C", str(repo.path), "--key", str(key), *NOW]) == 0
    return repo.path


@pytest.fixture
def filled(made: Path, desk: GitRepo) -> GitRepo:
    shutil.rmtree(desk.path)
    shutil.copytree(made, desk.path)
    return desk


def test_append_says_what_it_did(log, desk: GitRepo) -> None:
    desk.write({"yes.json": saying(team="legal"), "run.json": saying(RUN, rows=of_bytes(ROWS))})
    desk.write({"rows.jsonl": ROWS})
    files = ("policies/trust/1.root.json", "yes.json", "run.json")
    said = log("append", *files, "--blob", "rows.jsonl", *NOW)
    assert (said.code, said.err) == (0, "")
    assert said.out == "Appended 3 entries from number 0 on; the log has 3 now.\n"
    assert decode((desk.git("show", f"{BRANCH}:checkpoint") + "\n").encode()).origin == (
        "llmops.dev/desk"
    )


def test_every_action_has_two_examples(llmops) -> None:
    for name in SUBCOMMANDS:
        said = llmops("log", name, "--help")
        assert said.code == 0
        lines = said.out.split("examples:\n")[1].split("\n\n")[0].splitlines()
        assert [line.startswith(f"  llmops log {name}") for line in lines] == [True, True]


def test_show_lists_every_entry_with_who_signed_it(log, filled) -> None:
    said = log("show")
    assert (said.code, said.err) == (0, "")
    first, second, third, last = said.out.splitlines()
    assert first.split() == ["0", "root", "version", "1", "ann", f"({ANN.key[:12]})"]
    assert second.split()[:5] == ["1", "approval", "legal", "ann", "2026-11-22T08:00:00Z"]
    assert third.split()[:2] == ["2", "run"]
    assert last.startswith("llmops.dev/desk: 3 entries, 1 blob, root ")


def test_show_gives_one_entry_whole(log, filled) -> None:
    said = log("show", "1")
    assert said.out.startswith("entry 1: approval legal ann\nsigned by ann (")
    assert '"team": "legal"' in said.out
    data = json.loads(log("show", "1", "--format", "json").out)
    assert data["payload"]["predicate"]["by"] == "ann"
    assert data["leaf"] == merkle.leaf((filled.path / "yes.json").read_bytes()).hex()
    assert log("show", "3").err.startswith("llmops: error: the log has no entry 3: the last is 2")
    assert log("show", "3").code == 2


def test_show_as_data(log, filled) -> None:
    data = json.loads(log("show", "--format", "json").out)
    assert (data["origin"], data["size"], data["problem"]) == ("llmops.dev/desk", 3, "")
    assert [row["kind"] for row in data["entries"]] == ["root", "approval", "run"]


@pytest.mark.parametrize(
    "words", [("show",), ("prove", "0"), ("redact", of_bytes(b""), "--reason", "x")]
)
def test_without_a_log_there_is_nothing(log, words) -> None:
    said = log(*words)
    assert said.code == 3
    assert said.err.startswith("llmops: error: there is no log: no branch llmops-log\n  hint: ")


def test_a_log_edited_by_hand_is_shown_and_said_to_be_none(log, filled: GitRepo) -> None:
    edit(filled.path, {"entries/00000/00000001.json": saying(team="legal", by="eve")})
    said = log("show")
    assert said.code == 1
    assert "legal eve" in said.out
    assert "the entries of llmops-log have the root" in said.err
    assert log("prove", "0").code == 3
    assert log("append", "run.json").code == 3


def test_a_checkpoint_of_a_stranger_is_named(log, filled: GitRepo) -> None:
    filled.commit({"policies/trust/1.root.json": signed(root_of(EVE), EVE)})
    said = log("show")
    assert said.code == 1
    assert "no key that may sign for the log signed it" in said.err
    assert f"unknown key {ANN.key[:12]}" in said.out


def test_prove_gives_a_text_that_others_read(log, filled: GitRepo) -> None:
    for number, name in enumerate(("policies/trust/1.root.json", "yes.json", "run.json")):
        proof = proofs.decoded(log("prove", str(number)).out.encode())
        assert proof.holds(merkle.leaf((filled.path / name).read_bytes()))
        assert not proof.holds(merkle.leaf(b"other"))
    data = json.loads(log("prove", "1", "--format", "json").out)
    note = decode(data["checkpoint"].encode())
    path = [bytes.fromhex(step) for step in data["path"]]
    assert merkle.included(bytes.fromhex(data["leaf"]), 1, 3, path, note.root)


def test_prove_since_an_older_checkpoint(log, filled: GitRepo) -> None:
    old = filled.git("show", f"{BRANCH}:checkpoint") + "\n"
    filled.write({"old": old, "more.json": saying(LEDGER, number=1)})
    assert log("prove", "--since", "old").out.startswith("The log begins with that checkpoint; 0 ")
    log("append", "more.json", *NOW)
    said = log("prove", "--since", "old")
    assert (said.code, said.out) == (
        0, "The log begins with that checkpoint; 1 entry came after it.\n",
    )  # fmt: skip
    data = json.loads(log("prove", "--since", "old", "--format", "json").out)
    first, second = (data[side] for side in ("before", "after"))
    path = [bytes.fromhex(step) for step in data["path"]]
    roots = (bytes.fromhex(first["root"]), bytes.fromhex(second["root"]))
    assert data["holds"]
    assert merkle.consistent(3, roots[0], 4, roots[1], path)


def test_prove_since_a_checkpoint_of_another_history_names_both_roots(log, filled) -> None:
    old = filled.git("show", f"{BRANCH}:checkpoint") + "\n"
    filled.git("branch", "-D", BRANCH)
    filled.git("update-ref", "-d", "refs/llmops/log/here")
    filled.write({"old": old, "other.json": saying(team="legal", by="bob")})
    log("append", "other.json", "yes.json", "run.json", *NOW)
    said = log("prove", "--since", "old")
    assert said.code == 1
    assert "the log has forked: its first 3 entries have the root" in said.err
    assert decode(old.encode()).root.hex() in said.err
    assert json.loads(log("prove", "--since", "old", "--format", "json").out)["holds"] is False


@pytest.mark.parametrize("words", [(), ("1", "--since", "x"), ("--since", "gone"), ("9",),
                                   ("--since", "a.txt")])  # fmt: skip
def test_what_cannot_be_proved_is_wrong_usage(log, filled, words) -> None:
    assert log("prove", *words).code == 2


def test_redact_takes_the_blob_and_leaves_digest_and_reason(log, filled: GitRepo) -> None:
    digest = of_bytes(ROWS)
    path = f"blobs/sha256/{digest[7:9]}/{digest[7:]}"
    assert filled.git("show", f"{BRANCH}:{path}") == ROWS.decode().strip()
    before = filled.git("show", f"{BRANCH}:checkpoint") + "\n"
    said = log("redact", digest, "--reason", "erasure request 17", *NOW)
    assert said.code == 0
    assert said.out.startswith(f"Redacted {digest}: entry 3 says why.\n")
    assert path not in filled.git("ls-tree", "-r", "--name-only", BRANCH)
    entry = json.loads(log("show", "3", "--format", "json").out)
    assert entry["payload"]["predicate"] == {
        "reason": "erasure request 17", "redactedAt": "2026-11-22T08:00:00Z",
    }  # fmt: skip
    filled.write({"old": before})
    assert log("prove", "--since", "old").code == 0
    assert "was redacted already" in log("redact", digest, "--reason", "again").err


def test_what_was_redacted_does_not_come_back(log, filled: GitRepo) -> None:
    log("redact", of_bytes(ROWS), "--reason", "erasure request 17", *NOW)
    filled.write({"again.json": saying(RUN, rows=of_bytes(ROWS), again=True)})
    assert log("append", "again.json", "--blob", "rows.jsonl", *NOW).code == 0
    assert "blobs/" not in filled.git("ls-tree", "-r", "--name-only", BRANCH)


@pytest.mark.parametrize(
    ("digest", "reason", "why"),
    [("sha256:ab", "x", "is no digest"), (of_bytes(b"?"), "x", "the log has no blob"),
     (of_bytes(ROWS), " ", "does not say why"), (of_bytes(ROWS), "x" * 501, "does not say why")],
)  # fmt: skip
def test_what_cannot_be_redacted(log, filled, digest: str, reason: str, why: str) -> None:
    said = log("redact", digest, "--reason", reason)
    assert said.code == 2
    assert why in said.err


def test_appending_what_is_there_changes_nothing(log, filled: GitRepo) -> None:
    before = filled.git("rev-parse", BRANCH)
    said = log("append", "yes.json", "run.json", *NOW)
    assert said.out == "Nothing to append: the log has all of it.\n"
    assert filled.git("rev-parse", BRANCH) == before


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"{}", "is no envelope"),
     (saying(pen=EVE), f"key {EVE.key} is not in trust root 1"),
     (saying("https://example.org/other/v1"), "https://example.org/other/v1 is no kind of entry"),
     (dsse.encode(dsse.sign("text/plain", b"x", [ANN])), "text/plain is no kind of entry"),
     (signed(root_of(EVE), EVE), "base does not have this trust root: merge it first"),
     (saying(team="legal", seen_at="2025-01-01T00:00:00Z"), "is valid from"),
     (saying(team="legal", seen_at="yesterday"), "is no time")],
)  # fmt: skip
def test_what_has_no_place_in_the_log_is_refused(log, filled, data: bytes, why: str) -> None:
    before = filled.git("rev-parse", BRANCH)
    filled.write({"bad.json": data})
    said = log("append", "yes.json", "bad.json", *NOW)
    assert said.code == 2
    assert why in said.err
    assert filled.git("rev-parse", BRANCH) == before


def test_a_blob_that_no_envelope_names_is_refused(log, filled: GitRepo) -> None:
    said = log("append", "yes.json", "--blob", "a.txt", *NOW)
    assert said.code == 2
    assert "is named by none of the envelopes" in said.err


def test_nobody_writes_without_a_key_of_the_role(log, desk: GitRepo, tmp_path: Path) -> None:
    desk.write({"yes.json": saying()})
    (eves := tmp_path / "eve.pem").write_bytes(pem(EVE))
    eves.chmod(0o600)
    said = log("append", "yes.json", "--key", eves)
    assert (said.code, f"key {EVE.key[:12]} has no role log" in said.err) == (2, True)
    (tmp_path / "config/llmops/key.pem").unlink()
    assert "there is no key to sign with" in log("append", "yes.json").err
    desk.commit({"policies/trust/1.root.json": None})
    said = log("append", "yes.json")
    assert (said.code, "base has no trust root" in said.err) == (2, True)
    assert desk.git("branch", "--list", BRANCH) == ""


def test_the_page_s_own_lines_find_the_root_without_llmops(log, filled, tmp_path: Path) -> None:
    page = (ROOT_FOLDER / "llmops/docs/en/how-to/log.md").read_text("utf-8")
    lines = page.split("```python\n")[1].split("```")[0]
    filled.git("worktree", "add", "--quiet", str(tmp_path / "tree"), BRANCH)
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path / "tree", capture_output=True, check=True
    )
    assert done.stdout.decode() == filled.git("show", f"{BRANCH}:checkpoint").split("\n")[2] + "\n"


def test_gc_leaves_the_log(llmops, log, filled: GitRepo) -> None:
    before = log("show").out
    assert llmops("gc", "--keep-days", "0", "-C", filled.path).code == 0
    filled.git("gc", "--quiet", "--prune=now")
    assert log("show").out == before
