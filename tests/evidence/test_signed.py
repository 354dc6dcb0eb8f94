"""Envelopes of runs: kept for ever under what they are on, found from a run's statement."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.digest import canonical, of_bytes
from llmops.errors import StoreError
from llmops.evidence.signed import Envelopes, Papers, vouched
from llmops.evidence.started import started
from llmops.evidence.store import Store
from llmops.jobs.base import Job
from llmops.signing import dsse
from llmops.signing.base import ROOT
from tests.evidence.conftest import Maker, Run
from tests.keyring import person

ANN, BOB = person("ann"), person("bob")
AT = "2026-11-22T08:00:00.000Z"


def training(make: Maker) -> Run:
    run = make.run("t", files={"adapter/x.json": b"{}", "trainer_log.jsonl": b'{"loss":1}\n'})
    job = replace(run.job, type="train")
    return Run(job, replace(run.result, type="train"))


def begun(store: Store, job: Job, nonce: str = "ab" * 16) -> str:
    return store.signed.keep(vouched(canonical(started(job, {}, nonce, AT)), ANN))


def test_a_run_that_is_signed_is_found_with_its_start_and_where_its_weights_are_from(
    store: Store, make: Maker
) -> None:
    job, result = training(make)
    start = begun(store, job)
    kept = store.keep(job, result, started=start, signer=ANN)
    assert kept.links.started == start
    assert set(kept.links.disclosed) == {"trainer_log.jsonl"}
    papers = Envelopes(store.root).of(kept)
    assert papers.all() == (papers.started, papers.provenance, papers.run)
    assert [one.signatures[0].key for one in papers.all()] == [ANN.key] * 3
    assert papers.run is not None
    assert papers.run.payload == store.statement(job.closure, kept.digest).read_bytes()
    assert papers.provenance is not None
    assert of_bytes(papers.provenance.payload) == kept.links.provenance


def test_without_a_key_nothing_is_signed_and_the_statement_names_what_it_always_names(
    store: Store, make: Maker
) -> None:
    job, result = training(make)
    kept = store.keep(job, result)
    assert store.signed.of(kept) == Papers()
    assert not (store.root / "signed").exists()
    assert kept.links.started == ""
    assert kept.links.provenance
    assert kept.links.disclosed


def test_the_first_envelope_of_a_payload_stays(store: Store) -> None:
    first, second = vouched(b"{}", ANN), vouched(b"{}", BOB)
    assert store.signed.keep(first) == store.signed.keep(second) == of_bytes(b"{}")
    assert store.signed.get(of_bytes(b"{}")) == first


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", dsse.encode(vouched(b"[]", ANN)), dsse.encode(vouched(b"{}", ANN)) + b"\n",
        dsse.encode(dsse.sign(ROOT, b"{}", [ANN])),
    ],
    ids=["empty", "none", "another's", "a newline more", "another type"],
)  # fmt: skip
def test_what_lies_there_and_is_no_envelope_of_it_is_none_and_is_replaced(
    store: Store, data: bytes
) -> None:
    path = store.signed.path(of_bytes(b"{}"))
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert store.signed.get(of_bytes(b"{}")) is None
    store.signed.keep(vouched(b"{}", ANN))
    assert store.signed.get(of_bytes(b"{}")) == vouched(b"{}", ANN)


def test_who_used_a_nonce_is_known_from_disk_and_from_what_was_just_kept(
    store: Store, make: Maker
) -> None:
    one, two = make.run("one").job, make.run("two").job
    first = begun(store, one)
    store.signed.keep(vouched(b"{}", ANN))
    fresh = Envelopes(store.root)
    assert fresh.started_by("ab" * 16) == first
    assert fresh.started_by("cd" * 16) == ""
    second = fresh.keep(vouched(canonical(started(two, {}, "cd" * 16, AT)), ANN))
    assert fresh.started_by("cd" * 16) == second


def test_nothing_is_written_through_a_link(store: Store, tmp_path: Path) -> None:
    store.root.mkdir(parents=True)
    os.symlink(tmp_path, store.root / "signed")
    with pytest.raises(StoreError, match="is a link"):
        store.signed.keep(vouched(b"{}", ANN))


def test_openssl_says_the_same_of_a_signature(store: Store, tmp_path: Path) -> None:
    import subprocess

    from llmops.signing.ed25519 import spki

    envelope = vouched(b"{}", ANN)
    (tmp_path / "key.der").write_bytes(spki(ANN.public))
    (tmp_path / "said").write_bytes(dsse.pae(envelope.payload_type, envelope.payload))
    (tmp_path / "sig").write_bytes(envelope.signatures[0].value)
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key.der", "-keyform",
         "DER", "-in", "said", "-sigfile", "sig"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "Signature Verified Successfully"
