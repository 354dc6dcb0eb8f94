"""Audits of reuse on their way between machines: taken as far as they hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.evidence.admit import Admitted, Expecting, admit
from llmops.evidence.audits import lines_of, statement
from llmops.evidence.branch import pull, push
from llmops.evidence.manifest import Listed, Manifest, Origin, encode
from llmops.evidence.pack import pack
from llmops.evidence.statement import hex_of
from llmops.evidence.store import Store
from llmops.jobs.audits import Audit
from llmops.jobs.base import Job
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.evidence.conftest import Maker

ORIGIN = Origin("acme/bot", 7, 1, "a" * 40)


@pytest.fixture
def there(tmp_path: Path) -> Store:
    return Store(tmp_path / "there" / "reports")


def audited(store: Store, *, bits: bool = True) -> tuple[Job, Audit]:
    """A kept run of one store, and an audit of it with another's."""
    job, result = Maker(store).run()
    kept = store.keep(job, result)
    changed = tuple(replace(one, value=0.5) for one in result.measurements)
    again = kept if bits else replace(kept, result=replace(result, measurements=changed))
    lines = lines_of(store.run_folder(job.closure) / "artifacts", kept)
    return job, store.audits.keep(
        statement(job, "sha256:" + "d" * 64, (kept, again), (lines, lines))
    )


def known(store: Store, other: Store) -> None:
    """What one store keeps, another has too."""
    for name in ("evidence", "runs"):
        shutil.copytree(store.root / name, other.root / name)


def taken(store: Store, other: Store, job: Job, folder: Path) -> Admitted:
    made = pack(store, (), folder, ORIGIN, audits=store.audits.all())
    assert list(made.files)
    return admit(other, folder, {job.closure: job}, Expecting())


@pytest.mark.parametrize("bits", [True, False])
def test_an_audit_goes_from_pack_to_store_whatever_it_found(
    store: Store, there: Store, tmp_path: Path, bits: bool
) -> None:
    job, audit = audited(store, bits=bits)
    known(store, there)
    assert taken(store, there, job, tmp_path / "pack").refused == ()
    assert there.audits.all() == (audit,)
    assert audit.same is bits


def test_an_audit_of_what_is_not_kept_here_or_not_planned_is_refused(
    store: Store, there: Store, tmp_path: Path
) -> None:
    job, _ = audited(store)
    (why,) = taken(store, there, job, tmp_path / "a").refused
    assert "a statement that is not known here" in why
    known(store, there)
    other = replace(job, closure=of_bytes(b"other"))
    (why,) = taken(store, there, other, tmp_path / "b").refused
    assert "of a job that was not planned" in why
    assert there.audits.all() == ()


def lied(store: Store, folder: Path, change: Callable[[Any], None]) -> None:
    """A pack with an audit that says something else, digests and manifest made anew."""
    (audit,) = store.audits.all()
    said = json.loads(store.audits.bytes(audit))
    change(said["predicate"])
    data = canonical(said)
    name = f"audits/{hex_of(audit.closure)}/{of_bytes(data)[7:]}.json"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(
        encode(Manifest(ORIGIN, {name: Listed(of_bytes(data), len(data))}))
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda said: said.update(repeats="bit"), "agree to the bit, which do not"),
        (lambda said: said.update(promised="statistical"), "another class than its machines"),
        (lambda said: said.update(more=1), "has not exactly its keys"),
        (lambda said: said.update(repeats="often"), "in which class"),
        (lambda said: said.update(kept="sha256:" + "0" * 64), "subjects are not what was compared"),
        (lambda said: said["job"].update(id="x"), "was not planned"),
    ],
)
def test_an_audit_that_says_what_its_results_do_not_is_refused(
    store: Store, there: Store, tmp_path: Path, change: Callable[[Any], None], why: str
) -> None:
    job, _ = audited(store, bits=False)
    known(store, there)
    lied(store, tmp_path / "pack", change)
    (refused,) = admit(there, tmp_path / "pack", {job.closure: job}, Expecting()).refused
    assert why in refused
    assert there.audits.all() == ()


def test_audits_go_over_the_branch_of_evidence_once(
    git_repo: Callable[..., GitRepo], tmp_path: Path
) -> None:
    one, two = git_repo({"a": "1"}, name="one"), git_repo({"a": "1"}, name="two")
    bare = tmp_path / "there.git"
    one.git("clone", "--quiet", "--bare", str(one.path), str(bare))
    stores = [Store(repo.path / "reports") for repo in (one, two)]
    remotes = [Remote(Repository.find(repo.path), str(bare)) for repo in (one, two)]
    _, audit = audited(stores[0])
    first = push(stores[0], remotes[0], pause=lambda _: None)
    pull(stores[1], remotes[1])
    assert stores[1].audits.all() == (audit,)
    assert push(stores[1], remotes[1], pause=lambda _: None).commit == first.commit
