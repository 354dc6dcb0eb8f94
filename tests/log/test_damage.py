"""A log branch that somebody rewound, rewrote, edited or deleted: told, and left as it is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from llmops.digest import of_bytes
from llmops.errors import GitError, LogError, NotAllowed
from llmops.log import layout
from llmops.log.base import BRANCH, CHECKPOINT
from llmops.log.branch import Log
from llmops.log.checkpoint import decode, encode, sign
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.keyring import person
from tests.log.conftest import PEN, adding, edit, envelope, log_of

REF = f"refs/heads/{BRANCH}"
EVE = person("eve")
ROWS = b"rows"


@dataclass(frozen=True)
class Site:
    """A clone and the bare repository that it shares its log with."""

    repo: GitRepo
    there: GitRepo

    @property
    def log(self) -> Log:
        return log_of(self.repo.path, Path("../there.git"))

    def append(self, *words: str) -> None:
        self.log.append(adding(*words), (), PEN, pause=lambda _: None)

    def force(self, commit: str) -> None:
        """Somebody moves the branch there, as a push by force does."""
        self.there.git("update-ref", REF, commit)

    def tip(self) -> str:
        return self.there.git("rev-parse", REF)

    def refuses(self, why: str) -> str:
        """An append says why it does not, and changes nothing; the hint."""
        before = self.there.git("for-each-ref")
        with pytest.raises(LogError, match=why) as caught:
            self.append("new")
        assert self.there.git("for-each-ref") == before
        assert caught.value.exit_code == 3
        return caught.value.hint


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of three entries, and a clone that never saw it, made once."""
    folder = tmp_path_factory.mktemp("made")
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder / "there.git")], check=True)
    for name in ("repo", "fresh"):
        (folder / name).mkdir()
        repo = GitRepo(folder / name)
        repo.git("init", "--quiet", "--initial-branch=main")
        repo.commit({"a.txt": name})
    first = site_of(folder, "repo")
    first.log.append(adding("one"), [ROWS], PEN)
    first.append("two")
    first.append("three")
    return folder


def site_of(folder: Path, name: str) -> Site:
    return Site(GitRepo(folder / name), GitRepo(folder / "there.git"))


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Site:
    """A log of three entries, made in three appends."""
    shutil.copytree(made, tmp_path / "site")
    return site_of(tmp_path / "site", "repo")


@pytest.fixture
def fresh(site: Site) -> Site:
    """The same log, seen by a clone that never saw it before."""
    return site_of(site.repo.path.parent, "fresh")


def test_a_rewound_branch_is_named_with_both_roots(site: Site) -> None:
    newer = decode(site.log.source().checkpoint() or b"")
    site.force(f"{site.tip()}~1")
    older = decode(site.log.source().checkpoint() or b"")
    hint = site.refuses(
        f"llmops-log was rewound: 3 entries with the root {newer.root.hex()[:12]} were seen here "
        f"before, now it has 2 entries with the root {older.root.hex()[:12]}"
    )
    ref = hint.split()[0]
    assert hint.endswith(f"forget it with git update-ref -d {ref}")
    site.repo.git("push", "--quiet", str(site.there.path), f"{ref}:{REF}")
    site.append("new")
    assert site.log.source().size == 4


def test_a_deleted_branch_is_gone_and_not_begun_anew(site: Site) -> None:
    site.there.git("update-ref", "-d", REF)
    site.refuses(r"llmops-log is gone: 3 entries with the root [0-9a-f]{12} were seen here before")


def test_another_history_that_the_log_s_own_key_signed_is_a_rewrite(
    site: Site, fresh: Site
) -> None:
    tip = site.tip()
    site.there.git("update-ref", "-d", REF)
    fresh.append("one", "other", "three", "four")
    assert site.tip() != tip
    site.refuses(r"llmops-log was rewritten: 3 entries .* now it has 4 entries with the root")


def test_a_history_squashed_by_force_with_the_same_entries_is_the_same_log(site: Site) -> None:
    """Git's commits are how it travels; what counts is the entries. So may bytes be purged."""
    tree = site.there.git("rev-parse", f"{REF}^{{tree}}")
    site.force(site.there.git("commit-tree", tree, "-m", "squashed"))
    site.append("new")
    assert site.log.source().size == 4
    assert site.there.git("rev-list", "--count", REF) == "2"


def test_entries_appended_here_alone_and_there_are_a_fork(site: Site, fresh: Site) -> None:
    alone = log_of(site.repo.path)
    alone.append(adding("here"), (), PEN)
    fresh.append("there")
    before = site.repo.git("rev-parse", REF)
    hint = site.refuses(r"llmops-log has forked: here it has 4 entries .* there 4 entries with")
    assert site.repo.git("rev-parse", REF) == before
    site.repo.git(*hint.partition("git ")[2].split())
    site.append("new")
    assert [*site.log.source().entries()][3:] == [envelope("there"), envelope("new")]


def test_what_was_appended_here_alone_is_shared_when_nobody_was_faster(site: Site) -> None:
    log_of(site.repo.path).append(adding("here"), (), PEN)
    site.append("new")
    assert [*site.log.source().entries()][3:] == [envelope("here"), envelope("new")]


SECOND, THIRD = "entries/00000/00000001.json", "entries/00000/00000002.json"
EDITS: tuple[tuple[Mapping[str, bytes | None], str], ...] = (
    ({SECOND: envelope("forged")}, "the entries of llmops-log have the root"),
    ({SECOND: envelope("two") + b"\n"}, "the entries of llmops-log have the root"),
    ({SECOND: None}, f"{SECOND} of llmops-log is gone"),
    ({THIRD: None}, "has 2 entries, and its checkpoint says 3"),
    ({"entries/00000/00000003.json": envelope("more")}, "4 entries, and its checkpoint says 3"),
    ({"README.md": b"hello"}, "README.md on llmops-log is no part of a log"),
    ({"entries/00001/00000003.json": b"x"}, "entries/00001/00000003.json on llmops-log is no part"),
    ({"entries/00000/3.json": b"x"}, "entries/00000/3.json on llmops-log is no part of a log"),
    ({"blobs/sha256/ab/cd": b"x"}, "blobs/sha256/ab/cd on llmops-log is no part of a log"),
    ({CHECKPOINT: None}, "llmops-log has no checkpoint"),
    ({CHECKPOINT: b"3"}, "the checkpoint of llmops-log is none: it is not three lines"),
    ({CHECKPOINT: sign("llmops.dev/there", 3, b"\0" * 32, EVE)}, "no key that may sign for the"),
    (
        {CHECKPOINT: sign("llmops.dev/there", 3, b"\0" * 32, PEN)},
        "its checkpoint says 000000000000",
    ),
)


def test_a_branch_that_was_edited_by_hand_is_told_and_left(site: Site, fresh: Site) -> None:
    tip = site.tip()
    for files, why in EDITS:
        edit(site.there.path, files)
        fresh.refuses(why)
        if files == EDITS[0][0]:
            site.refuses(why)
        site.force(tip)
    fresh.append("new")
    assert site.log.source().size == 4


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_a_link_or_a_submodule_on_the_branch_is_no_part_of_a_log(fresh: Site, mode: str) -> None:
    at = fresh.there
    tip = at.git("rev-parse", f"{REF}^{{tree}}")
    blob = at.git("rev-parse", f"{REF}:{CHECKPOINT}") if mode == "120000" else "1" * 40
    kind = "blob" if mode == "120000" else "commit"
    lines = [*at.git("ls-tree", tip).splitlines(), f"{mode} {kind} {blob}\tlink"]
    made = subprocess.run(
        ["git", "mktree", "--missing"], cwd=at.path, input="\n".join(lines), text=True,
        capture_output=True, check=True,
    ).stdout.strip()  # fmt: skip
    fresh.force(at.git("commit-tree", made, "-p", REF, "-m", "x"))
    fresh.refuses("link on llmops-log is no part of a log")


def test_an_entry_beyond_all_measure_is_not_read(site: Site, monkeypatch) -> None:
    monkeypatch.setattr("llmops.log.files.MOST_BYTES", 10)
    site.refuses(r"entries/00000/00000000.json of llmops-log has [\d,]+ bytes, an entry at most 10")


def test_a_blob_edited_by_hand_shows_in_its_bytes(site: Site) -> None:
    """No entry changes by it, so an append goes on; whoever reads the blob sees it."""
    edit(site.there.path, {layout.blob_path(of_bytes(ROWS)): b"others"})
    assert of_bytes(site.log.source().blob(of_bytes(ROWS)) or b"") != of_bytes(ROWS)
    site.append("new")


def test_a_key_that_was_replaced_counts_and_a_stranger_s_does_not(site: Site) -> None:
    new = person("new log key")
    with pytest.raises(LogError, match="no key that may sign for the log signed it"):
        site.log.append(adding("four"), (), new)
    log = replace(site.log, publics=(PEN.public,))
    log.append(adding("four"), (), new)
    assert log.source().size == 4


def test_a_revoked_key_counts_only_where_that_state_was_seen(site: Site, fresh: Site) -> None:
    new = person("new log key")
    unseen = replace(fresh.log, revoked=(PEN.public,))
    with pytest.raises(LogError, match="is signed by a key that was revoked") as caught:
        unseen.append(adding("four"), (), new)
    assert "where this very state was seen before, llmops log append" in caught.value.hint
    replace(site.log, revoked=(PEN.public,)).append(adding("four"), (), new)
    unseen.append(adding("five"), (), new)
    assert unseen.source().size == 5


def test_a_clone_that_follows_origin_does_not_begin_a_second_log(
    site: Site, tmp_path: Path
) -> None:
    subprocess.run(
        ["git", "clone", "--quiet", "--no-checkout", str(site.there.path), str(tmp_path / "clone")],
        check=True, capture_output=True,
    )  # fmt: skip
    clone = Repository.find(tmp_path / "clone")
    assert Log(clone).source().size == 3
    with pytest.raises(LogError, match="the log of this clone is at origin") as caught:
        Log(clone).append(adding("four"), (), PEN)
    assert "git branch llmops-log origin/llmops-log" in caught.value.hint
    Log(clone, Remote(clone)).append(adding("four"), (), PEN)
    assert Log(clone).source().size == 4
    assert site.log.source().size == 4


def test_a_shallow_clone_appends_and_a_clone_without_the_branch_does(
    site: Site, tmp_path: Path
) -> None:
    site.repo.commit({"a.txt": "b"})
    site.repo.git("push", "--quiet", str(site.there.path), "main")
    site.there.git("symbolic-ref", "HEAD", "refs/heads/main")
    for name, options in (("shallow", ("--depth=1",)), ("single", ("--single-branch",))):
        path = tmp_path / name
        subprocess.run(
            ["git", "clone", "--quiet", *options, f"file://{site.there.path}", str(path)],
            check=True, capture_output=True,
        )  # fmt: skip
        clone = Repository.find(path)
        assert clone.is_shallow() == (name == "shallow")
        assert clone.commit(f"refs/remotes/origin/{BRANCH}") is None
        size = site.log.source().size
        Log(clone, Remote(clone)).append(adding(name), (), PEN)
        assert site.log.source().size == size + 1
    assert site.there.git("rev-list", "--count", REF) == "5"


def test_a_remote_that_does_not_let_us_push_says_so(site: Site) -> None:
    hook = site.there.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho GH013: protected; exit 1\n")
    hook.chmod(0o755)
    before = site.repo.git("for-each-ref")
    with pytest.raises(NotAllowed, match="its rules refuse the push"):
        site.append("four")
    assert site.repo.git("for-each-ref") == before


def test_a_remote_that_is_not_there_says_so(site: Site) -> None:
    with pytest.raises(GitError, match="no repository is there"):
        log_of(site.repo.path, site.there.path / "gone").append(adding("x"), (), PEN)
    assert "refs/llmops/log-" not in site.repo.git("for-each-ref")


def test_git_s_own_gc_leaves_the_log_whole(site: Site) -> None:
    for repo in (site.repo, site.there):
        repo.git("reflog", "expire", "--expire=now", "--all")
        repo.git("gc", "--quiet", "--prune=now")
    site.append("new")
    assert site.log.source().size == 4
    assert log_of(site.repo.path).source().size == 4


def test_the_origin_of_a_log_stays_what_it_was_first(site: Site) -> None:
    first = decode(site.log.source().checkpoint() or b"").origin
    moved = replace(site.log, origin="llmops.dev/elsewhere")
    moved.append(adding("four"), (), PEN)
    assert decode(moved.source().checkpoint() or b"").origin == first


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://github.com/acme/bot.git", "llmops.dev/github.com/acme/bot"),
        ("git@github.com:acme/bot.git", "llmops.dev/github.com/acme/bot"),
        ("ssh://git@example.org:2222/acme/客服 bot", "llmops.dev/example.org/2222/acme/-bot"),
        ("", "llmops.dev/repo"),
    ],
)
def test_a_new_log_is_called_after_where_it_is_shared(
    git_repo: Callable[..., GitRepo], address: str, origin: str
) -> None:
    repository = Repository.find(git_repo({"a.txt": "a"}, name="repo").path)
    remote = Remote(repository, address) if address else None
    assert Log(repository, remote)._origin() == origin


def test_what_is_no_envelope_is_never_appended(site: Site) -> None:
    before = site.tip()
    for data in (b"", b"{}", envelope("x") + b"\n"):
        with pytest.raises(ValueError, match="it"):
            site.log.append(lambda known, data=data: [data], (), PEN)  # type: ignore[misc]
    assert site.tip() == before


def test_a_checkpoint_with_a_witness_s_line_more_is_read(site: Site) -> None:
    """Somebody who saw the log signed it too: that is no edit by hand of what it says."""
    found = decode(site.log.source().checkpoint() or b"")
    name = "witness.example.org"
    line = replace(found.signed[0], name=name, hint=b"abcd", value=b"x" * 72)
    edit(site.there.path, {CHECKPOINT: encode(replace(found, signed=(*found.signed, line)))})
    site.append("new")
    assert site.log.source().size == 4
