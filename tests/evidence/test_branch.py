"""Evidence on a branch: several writers, damage, readers who may not write; nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.digest import canonical, of_bytes
from llmops.errors import GitError
from llmops.evidence import layout
from llmops.evidence.branch import BRANCH, Pulled, Pushed, pull, push
from llmops.evidence.ledger import Damaged, Ledger
from llmops.evidence.places import Place, places, record
from llmops.evidence.signed import vouched
from llmops.evidence.started import started
from llmops.evidence.store import Store
from llmops.jobs.attempts import Attempt, ClaimName, Decided
from llmops.signing import dsse
from llmops.source.commits import Who
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.evidence.conftest import Maker
from tests.keyring import person

ROOT = Path(__file__).parents[2]
WHO = Who("x", "x@example.invalid", 0)
CLAIM = ClaimName("Application/bot", "Evaluation/quality/accuracy")
PLACE = Place("acme/bot", 7, 8, "llmops-evidence-a", "2026-12-01T00:00:00Z", 10)


def attempt(closure: str, number: int = 1, level: str = "0.0125") -> Attempt:
    return Attempt(CLAIM, (of_bytes(closure.encode()),), number, 3, level, 300, "Policy/default",
                   "", "tree", None, "", "2026-11-23T08:00:00Z")  # fmt: skip


class Desk:
    """One machine: a clone with its own store."""

    def __init__(self, repo: GitRepo, there: Path) -> None:
        self.repo = repo
        self.store = Store(repo.path / "reports")
        self.remote = Remote(Repository.find(repo.path), str(there))
        self.make = Maker(self.store)

    def keep(self, name: str, finished_at: str = "2026-11-22T08:01:00Z") -> str:
        run = self.make.run(name, finished_at=finished_at)
        self.store.keep(run.job, run.result)
        return run.job.closure

    def pull(self) -> Pulled:
        return pull(self.store, self.remote)

    def push(self, closures: list[str] | None = None) -> Pushed:
        return push(self.store, self.remote, closures, pause=lambda _: None)


@pytest.fixture
def there(git_repo: Callable[..., GitRepo], tmp_path: Path) -> GitRepo:
    seed = git_repo({"a": "1"}, name="seed")
    bare = GitRepo(tmp_path / "there.git")
    seed.git("clone", "--quiet", "--bare", str(seed.path), str(bare.path))
    return bare


@pytest.fixture
def desk(git_repo: Callable[..., GitRepo], there: GitRepo) -> Callable[[str], Desk]:
    def made(name: str) -> Desk:
        return Desk(git_repo({"a": "1"}, name=name), there.path)

    return made


def tampered(there: GitRepo, path: str, data: bytes | None) -> None:
    """Somebody with the right to push writes a file to the branch."""
    repository = Repository.find(there.path.parent / "seed")
    remote = Remote(repository, str(there.path))
    tip = remote.bring(BRANCH, "refs/x")
    assert tip is not None
    assert remote.push(repository.commit_files(tip, {path: data}, "x", WHO), BRANCH)


def test_what_one_machine_found_another_has(desk: Callable[[str], Desk], there: GitRepo) -> None:
    a, b = desk("a"), desk("b")
    closure = a.keep("one")
    Ledger(a.store.root).append(lambda known: attempt("one") if not known else None)
    record(a.store, closure, [PLACE])
    pushed = a.push()
    assert (pushed.statements, pushed.entries, pushed.tries) == (1, 1, 1)
    pulled = b.pull()
    assert (pulled.statements, pulled.entries, pulled.notes) == (1, 1, ())
    assert b.store.evidence(closure) == a.store.evidence(closure)
    assert Ledger(b.store.root).entries() == (attempt("one"),)
    assert places(b.store, closure) == (PLACE,)
    assert there.git("log", "--format=%P", BRANCH) == "", "a branch without the code's history"


def test_a_branch_that_is_not_there_is_no_mistake(desk: Callable[[str], Desk]) -> None:
    a = desk("a")
    assert a.pull().tip is None
    assert a.push().commit is None, "nothing to tell makes no branch"
    assert a.pull().tip is None


def test_what_is_pushed_twice_is_one_commit(desk: Callable[[str], Desk], there: GitRepo) -> None:
    a = desk("a")
    a.keep("one")
    first = a.push()
    again = a.push()
    assert again.commit == first.commit
    assert again.statements == 0
    assert there.git("rev-list", "--count", BRANCH) == "1"


def test_only_the_closures_that_are_named_are_pushed(desk: Callable[[str], Desk]) -> None:
    a, b = desk("a"), desk("b")
    one, two = a.keep("one"), a.keep("two")
    a.push([one])
    b.pull()
    assert b.store.evidence(one)
    assert b.store.evidence(two) is None


def signed_run(one: Desk, name: str) -> str:
    """A closure whose run is signed, with its start."""
    run = one.make.run(name)
    said = canonical(started(run.job, {}, "ab" * 16, "2026-11-22T08:00:00Z"))
    begun = one.store.signed.keep(vouched(said, person("ann")))
    one.store.keep(run.job, run.result, started=begun, signer=person("ann"))
    return run.job.closure


def test_what_was_signed_travels_with_its_run_and_no_further(
    desk: Callable[[str], Desk], there: GitRepo
) -> None:
    a, b = desk("a"), desk("b")
    one, two = signed_run(a, "one"), signed_run(a, "two")
    a.push([one])
    assert b.pull().notes == ()
    first, second = a.store.evidence(one), a.store.evidence(two)
    assert first is not None
    assert second is not None
    assert len(b.store.signed.of(first).all()) == 2
    assert b.store.signed.of(first) == a.store.signed.of(first)
    assert b.store.signed.of(second).all() == ()
    assert a.push([one]).statements == 0
    assert there.git("rev-list", "--count", BRANCH) == "1"


def test_a_signature_that_came_later_is_pushed_too(desk: Callable[[str], Desk]) -> None:
    a, b = desk("a"), desk("b")
    closure = a.keep("one")
    a.push()
    b.pull()
    kept = a.store.evidence(closure)
    assert kept is not None
    said = a.store.statement(closure, kept.digest).read_bytes()
    a.store.signed.keep(vouched(said, person("ann")))
    a.push()
    b.pull()
    assert b.store.signed.of(kept).run is not None


@pytest.mark.parametrize(
    "data", [b"{}", dsse.encode(vouched(b"[]", person("ann")))], ids=["none", "another's"]
)
def test_what_is_no_envelope_on_the_branch_is_skipped_and_told(
    desk: Callable[[str], Desk], there: GitRepo, data: bytes
) -> None:
    a, b = desk("a"), desk("b")
    closure = signed_run(a, "one")
    a.push()
    kept = a.store.evidence(closure)
    assert kept is not None
    tampered(there, layout.signed_path(kept.digest[7:]), data)
    (note,) = b.pull().notes
    assert "on the branch is not what its name says" in note
    assert b.store.signed.of(kept).run is None


def test_a_second_pull_reads_only_what_is_new(
    desk: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = desk("a"), desk("b")
    for n in range(5):
        a.keep(f"{n}")
    a.push()
    assert b.pull().statements == 5
    a.keep("new")
    a.push()
    seen: list[int] = []
    real = Repository.changed

    def changed(self: Repository, before: str | None, after: str) -> tuple[str, ...]:
        found = real(self, before, after)
        seen.append(len(found))
        return found

    monkeypatch.setattr(Repository, "changed", changed)
    assert b.pull().statements == 1
    assert seen == [1]
    assert b.pull().statements == 0


def test_statements_that_were_removed_here_come_back(desk: Callable[[str], Desk]) -> None:
    a, b = desk("a"), desk("b")
    closure = a.keep("one")
    a.push()
    b.pull()
    shutil.rmtree(b.store.root / "evidence")
    assert b.pull().statements == 1
    assert b.store.evidence(closure)


def test_a_statement_that_was_altered_on_the_branch_is_skipped_and_told(
    desk: Callable[[str], Desk], there: GitRepo
) -> None:
    a, b = desk("a"), desk("b")
    good, bad = a.keep("good"), a.keep("bad")
    a.push()
    path = layout.statement_path(bad[7:], a.store.digests(bad)[0][7:])
    data = a.store.statement(bad, a.store.digests(bad)[0]).read_bytes()
    tampered(there, path, data.replace(b"0.75", b"0.99"))
    pulled = b.pull()
    assert pulled.statements == 1
    assert "holds other bytes than its name says; not used" in pulled.notes[0]
    assert b.store.evidence(good)
    assert b.store.evidence(bad) is None


@pytest.mark.parametrize(
    "path",
    ["evidence/00/x.json", "evidence/../../x", "evidence/ab/" + "c" * 64 + "/" + "d" * 64 + ".json",
     "runs/x", "places/00/" + "1" * 64 + ".json", ".gitattributes", "evidence/link",
     "signed/00/x.json", "signed/ab/" + "c" * 64 + ".json", "signed/cc/" + "c" * 64 + ".json"],
)  # fmt: skip
def test_a_stranger_on_the_branch_is_not_taken(
    desk: Callable[[str], Desk], there: GitRepo, path: str
) -> None:
    a, b = desk("a"), desk("b")
    closure = a.keep("one")
    a.push()
    if ".." not in path:
        tampered(there, path, b"* filter=x")
    b.pull()
    assert b.store.closures() == (closure,)
    names = {one.name for one in b.store.root.rglob("*") if one.is_file()}
    known = {".gitignore", ".branch", "ledger.lock", f"{b.store.digests(closure)[0][7:]}.json"}
    assert names <= known


def test_two_writers_at_once_lose_nothing(desk: Callable[[str], Desk], there: GitRepo) -> None:
    a, b, c = desk("a"), desk("b"), desk("c")
    one, two = a.keep("one"), b.keep("two")
    done: list[int] = []

    class Slow(Remote):
        __slots__ = ()

        def push(self, commit: str, branch: str) -> bool:
            if not done:
                done.append(1)
                b.push()
            return Remote.push(self, commit, branch)

    a.remote = Slow(a.remote.repository, a.remote.url)
    pushed = a.push()
    assert pushed.tries == 2
    c.pull()
    assert c.store.closures() == tuple(sorted((one, two)))
    assert there.git("rev-list", "--count", BRANCH) == "2"


def test_an_attempt_made_at_once_with_another_comes_after_it(desk: Callable[[str], Desk]) -> None:
    a, b = desk("a"), desk("b")
    for one, name in ((a, "one"), (b, "two")):
        Ledger(one.store.root).append(lambda known, name=name: attempt(name))
    a.push()
    b.push()
    expected = (attempt("one"), attempt("two", 2, "0.00625"))
    assert Ledger(b.store.root).entries() == expected
    a.pull()
    assert Ledger(a.store.root).entries() == expected


def test_what_both_recorded_is_one_entry(desk: Callable[[str], Desk]) -> None:
    a, b = desk("a"), desk("b")
    decided = Decided(CLAIM, of_bytes(b"one"), "passed", "tree", "2026-11-23T08:00:00Z")
    for one in (a, b):
        ledger = Ledger(one.store.root)
        ledger.append(lambda known: attempt("one"))
        ledger.append(lambda known, one=one: replace(decided, head=one.repo.path.name))
    Ledger(b.store.root).append(lambda known: attempt("late", 2, "0.00625"))
    a.push()
    b.push()
    assert Ledger(b.store.root).entries() == (
        attempt("one"), replace(decided, head="a"), attempt("late", 2, "0.00625"),
    )  # fmt: skip


@pytest.mark.parametrize("how", ["gone", "edited", "swapped"])
def test_a_ledger_that_was_altered_on_the_branch_counts_nothing(
    desk: Callable[[str], Desk], there: GitRepo, how: str
) -> None:
    a, b = desk("a"), desk("b")
    closure = a.keep("one")
    for n in range(3):
        Ledger(a.store.root).append(lambda known, n=n: attempt(f"{n}", n + 1))
    a.push()
    path = layout.entry_path(2)
    data = (a.store.root / "ledger" / "00000002.json").read_bytes()
    other = (a.store.root / "ledger" / "00000001.json").read_bytes()
    tampered(there, path, {"gone": None, "edited": data[:-1], "swapped": other}[how])
    with pytest.raises(Damaged, match=BRANCH):
        b.pull()
    assert b.store.evidence(closure), "statements stand for themselves"
    assert Ledger(b.store.root).entries() == ()


def test_a_ledger_that_was_damaged_here_is_mended_from_the_branch(
    desk: Callable[[str], Desk],
) -> None:
    a = desk("a")
    for n in range(3):
        Ledger(a.store.root).append(lambda known, n=n: attempt(f"{n}", n + 1))
    a.push()
    Ledger(a.store.root).append(lambda known: attempt("own", 4))
    (a.store.root / "ledger" / "00000002.json").unlink()
    with pytest.raises(Damaged):
        Ledger(a.store.root).entries()
    a.pull()
    names = [one.closures[0] for one in Ledger(a.store.root).entries()]  # type: ignore[union-attr]
    assert names == [of_bytes(name.encode()) for name in ("0", "1", "2", "own")]


def test_who_may_only_read_is_told_and_keeps_what_it_has(
    desk: Callable[[str], Desk], there: GitRepo
) -> None:
    a, b = desk("a"), desk("b")
    a.keep("one")
    a.push()
    hook = there.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert b.pull().statements == 1
    closure = b.keep("two")
    with pytest.raises(GitError, match="its rules refuse the push"):
        b.push()
    assert b.store.evidence(closure)


def test_a_branch_that_was_rolled_back_gets_its_entries_again(
    desk: Callable[[str], Desk], there: GitRepo
) -> None:
    a = desk("a")
    Ledger(a.store.root).append(lambda known: attempt("one"))
    first = a.push().commit
    Ledger(a.store.root).append(lambda known: attempt("two", 2))
    a.push()
    there.git("update-ref", f"refs/heads/{BRANCH}", str(first))
    a.push()
    assert there.git("show", f"{BRANCH}:{layout.entry_path(2)}")


WRITER = """
import sys
from pathlib import Path
from llmops.evidence.branch import push
from llmops.evidence.ledger import Ledger
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from tests.evidence.test_branch import Desk, attempt
from tests.conftest import GitRepo

root, there, name, count = sys.argv[1:]
desk = Desk(GitRepo(Path(root)), Path(there))
for n in range(int(count)):
    desk.keep(f"{name}-{n}")
    Ledger(desk.store.root).append(lambda known: attempt(f"{name}-{n}", 1 + len(known)))
    push(desk.store, desk.remote)
"""


def written_by_many(desk: Callable[[str], Desk], there: GitRepo, writers: int, count: int) -> None:
    started = []
    for n in range(writers):
        one = desk(f"w{n}")
        command = [sys.executable, "-c", WRITER, str(one.repo.path), str(there.path), f"{n}"]
        process = subprocess.Popen([*command, str(count)], cwd=ROOT, stderr=subprocess.PIPE)
        started.append(process)
    for process in started:
        _, said = process.communicate(timeout=800)
        assert process.returncode == 0, said.decode()
    reader = desk("reader")
    pulled = reader.pull()
    names = [f"{n}-{k}" for n in range(writers) for k in range(count)]
    assert pulled.statements == len(names)
    entries = Ledger(reader.store.root).entries()
    assert sorted(one.closures[0] for one in entries) == sorted(  # type: ignore[union-attr]
        of_bytes(name.encode()) for name in names
    )
    numbers = [one.attempt for one in entries]  # type: ignore[union-attr]
    assert len(set(numbers)) == len(numbers), "no two writers made the same attempt"


def test_three_writers_at_once_leave_no_gap_and_no_double(
    desk: Callable[[str], Desk], there: GitRepo
) -> None:
    written_by_many(desk, there, 3, 2)


@pytest.mark.slow
def test_twenty_writers_at_once_leave_no_gap_and_no_double(
    desk: Callable[[str], Desk], there: GitRepo
) -> None:
    written_by_many(desk, there, 20, 5)
