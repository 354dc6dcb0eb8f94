"""Entries in a few words: all that are kinds of ours, and whatever else stands in an envelope."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.digest import canonical
from llmops.log import base
from llmops.log.told import Told, told
from llmops.signing.base import IN_TOTO, ROOT, Envelope

TREE = "5ad030b9f49b" + "0" * 28
REPO = [{"name": "closure", "digest": {"sha256": "ab" * 32}}, {"name": "repo",
        "digest": {"gitTree": TREE}}]  # fmt: skip


def saying(kind: object, predicate: Any, subject: Any = ()) -> Envelope:
    said = {"predicateType": kind, "predicate": predicate, "subject": subject}
    return Envelope(IN_TOTO, canonical(said), ())


@pytest.mark.parametrize(
    ("envelope", "kind", "about", "at"),
    [
        (saying(base.RUN_STARTED, {"job": {"type": "train", "subject": "Recipe/a"},
                                   "startedAt": "2026-11-26T12:00:28.692Z"}),
         "run-started", "train Recipe/a", "2026-11-26T12:00:28Z"),
        (saying(base.RUN, {"job": {"type": "train", "subject": "Recipe/a"}, "result": {
            "status": "ok", "finished_at": "2026-11-26T12:00:29.048227+00:00"}}),
         "run", "train Recipe/a ok", "2026-11-26T12:00:29Z"),
        (saying(base.LEDGER, {"kind": "decided", "entry": {"claim": {"gate": "Evaluation/q/a"},
                              "outcome": "passed", "judged_at": "2026-11-26T12:00:31Z"}}),
         "ledger", "decided Evaluation/q/a passed", "2026-11-26T12:00:31Z"),
        (saying(base.EVAL_REPORT, {"outcome": "warned", "given": {
            "change": "#12", "judged_at": "2026-11-26T12:00:31Z"}}, REPO),
         "eval-report", "warned #12 5ad030b9f49b", "2026-11-26T12:00:31Z"),
        (saying(base.VSA, {"verificationResult": "PASSED", "timeVerified": "2026-11-26T12:00:31Z"},
                REPO), "summary", "PASSED 5ad030b9f49b", "2026-11-26T12:00:31Z"),
        (saying(base.PROVENANCE, {}, [{"name": "adapter"}]), "provenance", "adapter", ""),
        (saying("https://example.org/x/v1", {}), "https://example.org/x/v1", "", ""),
        (saying(None, None), "None", "", ""),
        (Envelope(ROOT, b'{"version":2}', ()), "root", "version 2", ""),
        (Envelope("text/plain", b"hello", ()), "text/plain", "", ""),
        (Envelope(IN_TOTO, b"[1]", ()), "unknown", "", ""),
        (Envelope(IN_TOTO, b"[" * 100_000, ()), "unknown", "", ""),
    ],
)  # fmt: skip
def test_an_entry_is_told(envelope: Envelope, kind: str, about: str, at: str) -> None:
    assert told(envelope) == Told(kind, about, at)


def test_every_kind_of_the_log_has_a_name_of_its_own() -> None:
    names = [told(saying(kind, {})).kind for kind in base.ALLOWED]
    assert len(set(names)) == len(names)
    assert all("/" not in name for name in names)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["job", "type", "digest", "gitTree", "name", "entry", "claim"]), inner
    ),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(base.ALLOWED)) | JSON, JSON, JSON)
def test_nothing_in_an_entry_makes_it_stumble(kind: object, predicate: Any, subject: Any) -> None:
    found = told(saying(kind, predicate, subject))
    assert type(found.about) is type(found.at) is str
