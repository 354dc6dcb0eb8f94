"""T14, the drill (F23): 30 planted secrets in six spellings, looked for in every sink there is.

What GitHub is sent is in `test_t14_secrets.py`. Here: what a command prints (text, data, errors,
tracebacks), what a run leaves (log, progress, errors, results, evidence, artifacts), what the App's
journal says, and what is appended to the log for ever.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from llmops import hush
from llmops.app.journal import Journal
from llmops.cli import main as cli
from llmops.cli import validate
from llmops.digest import canonical
from llmops.errors import LogError, StoreError
from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.forge.clock import SystemClock
from llmops.log.branch import Log
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.executors.conftest import Bench, job
from tests.keyring import pem, person
from tests.workers.test_scrub import KEYS, spellings

HERE = Path(__file__).parent
SECRETS: Mapping[str, str] = {f"PLANTED_{i:02d}_KEY": key for i, key in enumerate(KEYS)}
FORMS = tuple((name, form) for value in KEYS for name, form in spellings(value).items())


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test tells this process to hide, the next one does not know."""
    monkeypatch.setattr(hush, "_TOLD", {})


def leaks(text: str) -> list[str]:
    """The spellings that a text holds: six of each of the thirty, letters in any case."""
    lower = text.lower()
    return [form for _, form in FORMS if form.lower() in lower or json_of(form) in lower]


def json_of(form: str) -> str:
    return json.dumps(form)[1:-1].lower()


def below(root: Path) -> str:
    """Everything in a folder, names and bytes."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return "\n".join(f"{p}\n{p.read_bytes().decode('utf-8', 'replace')}" for p in files)


def test_there_are_thirty_in_six_spellings() -> None:
    assert (len(SECRETS), len(FORMS)) == (30, 180)


# --- commands


def repeat(*_: object) -> int:
    said = " ".join(form for _, form in FORMS)
    raise StoreError(f"403: {said}", hint=f"the server said {said}")


def broken(*_: object) -> int:
    raise RuntimeError(" ".join(form for _, form in FORMS))


@pytest.mark.parametrize("fails", [repeat, broken])
def test_no_error_of_a_command_repeats_one(
    fails: object, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(validate, "main", fails)
    monkeypatch.delenv("LLMOPS_DEBUG", raising=False)
    assert cli.main(["validate"]) == 3
    assert leaks(capfd.readouterr().err), "nothing is planted unless it would be said"
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["validate"]) == 3
    said = capfd.readouterr()
    assert "***" in said.err
    assert leaks(said.out + said.err) == []


def test_no_output_of_a_command_repeats_one(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from llmops.cli.output import command, complain, say

    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    text = "\n".join(form for _, form in FORMS)
    data = json.dumps({"found": [form for _, form in FORMS]}, indent=1)
    for one in (text, data, f"::error::{text}"):
        for tell in (say, complain, command):
            tell(one)
    said = capfd.readouterr()
    assert leaks(said.out + said.err) == []
    assert json.loads(data)["found"]


def test_no_traceback_repeats_one(tmp_path: Path) -> None:
    """`LLMOPS_DEBUG=1` shows all of it, in a process of its own."""
    code = (
        "import json, sys\n"
        "from llmops.cli import main, validate\n"
        "def broken(_):\n"
        "    words = json.loads(sys.stdin.read())\n"
        "    try:\n        raise KeyError(words)\n"
        "    except KeyError as error:\n        raise RuntimeError(' '.join(words)) from error\n"
        "validate.main = broken\nsys.argv = ['llmops', 'validate']\nmain.run()\n"
    )
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LLMOPS_DEBUG": "1"}
    words = json.dumps([form for _, form in FORMS])
    done = subprocess.run(
        [sys.executable, "-c", code], input=words, env={**env, **SECRETS},
        capture_output=True, text=True, cwd=HERE.parents[1],
    )  # fmt: skip
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert leaks(done.stdout + done.stderr) == []


def test_the_key_that_signs_is_said_by_nobody(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from llmops.cli.output import say

    text = pem(person("ann")).decode()
    monkeypatch.setenv("LLMOPS_SIGNING_KEY", text)
    body = text.splitlines()[1]
    for form in spellings(body).values():
        say(f"it is {form}")
    say(text)
    assert body[:20] not in capfd.readouterr().out


def test_paths_and_honest_words_are_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from llmops.cli.output import say

    (file := tmp_path / "key.pem").write_text("x")
    monkeypatch.setenv("LLMOPS_KEY", str(file))
    monkeypatch.setenv("SSH_PRIVATE_KEY", str(file))
    monkeypatch.setenv("SHORT_TOKEN", "abc")
    monkeypatch.setenv("MONKEY", "accuracy-of-apes")
    say(f"{file} abc accuracy-of-apes")
    assert capfd.readouterr().out == f"{file} abc accuracy-of-apes\n"


# --- runs


@pytest.fixture
def leaky(tmp_path: Path) -> Bench:
    worker = (sys.executable, "-I", "-S", str(HERE / "leaky_worker.py"))
    parent = {"PATH": "/usr/bin:/bin", **SECRETS}
    return Bench(Store(tmp_path / "reports"), LocalExecutor(worker, parent=parent))


@pytest.mark.parametrize("how", ["log", "error", "dies", "artifact"])
def test_nothing_that_a_run_leaves_holds_one(
    leaky: Bench, tmp_path: Path, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    wants = job("a", how)
    wants = replace(wants, spec={**wants.spec, "secrets": sorted(SECRETS)})
    report = leaky.run(wants)
    log = (leaky.folder(wants) / "log.txt").read_text("utf-8")
    assert "30 secrets: ***" in log, "it had them and said them"
    assert leaks(below(tmp_path)) == []
    errors = [f"{one.error.message} {one.error.hint}" for one in report.world_failed]
    assert leaks(" ".join(errors)) == []
    assert bool(errors) == (how != "log")
    if how == "artifact":
        assert "wrote the secret PLANTED_" in errors[0]
        assert "nothing of it is kept" in errors[0]
        assert leaky.store.evidence(wants.closure) is None
    elif how == "log":
        kept = leaky.store.evidence(wants.closure)
        assert kept is not None
        assert kept.result.reason.startswith("30 secrets: ***")


def test_progress_that_is_told_while_a_job_runs_is_said_without_them(
    leaky: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is read before the folder is looked through; whatever prints it knows the secrets."""
    from llmops.cli.output import say

    wants = job("a", "log")
    leaky.run(replace(wants, spec={**wants.spec, "secrets": sorted(SECRETS)}))
    for event in leaky.events:
        say(repr(event.progress))
    assert leaks(capfd.readouterr().out) == []


# --- what stays for ever


def test_no_entry_and_no_blob_of_the_log_holds_one(
    git_repo: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo: GitRepo = git_repo({"a": "b\n"})  # type: ignore[operator]
    log = Log(Repository.find(repo.path))
    hush.also(SECRETS)
    signer = person("gate")

    def entry(text: str) -> bytes:
        return dsse.encode(dsse.sign(IN_TOTO, canonical({"said": text}), [signer]))

    for name, form in FORMS[:: len(spellings("x")) + 1]:
        with pytest.raises(LogError, match="nothing is appended"):
            log.append(lambda _known, form=form: [entry(form)], [], signer)
        with pytest.raises(LogError, match="would hold the secret PLANTED_"):
            log.append(lambda _known: [entry("fine")], [form.encode()], signer)
        assert name
    assert Log(Repository.find(repo.path)).source().size == 0
    assert log.append(lambda _known: [entry("fine")], [], signer).size == 1


# --- the App


def test_the_journal_says_none() -> None:
    said: list[str] = []
    journal = Journal(said.append, SystemClock(), SECRETS.values())
    for _, form in FORMS:
        journal.say("403", f"the server repeated {form}")
    assert len(said) == len(FORMS)
    assert leaks("\n".join(said)) == []
