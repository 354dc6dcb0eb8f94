"""Where a verdict stands in a log: the newest entry that says the same of the same trees."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from llmops import merkle
from llmops.attest.given import Named
from llmops.attest.seal import seal_of
from llmops.attest.statements import statements
from llmops.digest import of_bytes
from llmops.log.base import EVAL_REPORT
from llmops.log.checkpoint import sign
from llmops.rules.base import Outcome, Verdict
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from tests.attest.test_statements import GIVEN
from tests.keyring import person
from tests.reports.conftest import FAILED, FINE, a_verdict

GATE = person("gate")
VERDICT = a_verdict(Outcome.FAILED, FAILED, FINE)


@dataclass(frozen=True)
class Some:
    """A log of some entries."""

    listed: Sequence[bytes]
    note: bytes | None = b""

    def checkpoint(self) -> bytes | None:
        top = merkle.root(map(merkle.leaf, self.listed))
        return sign("example.org/x", len(self.listed), top, GATE) if self.note == b"" else self.note

    def entries(self) -> Iterator[bytes]:
        yield from self.listed

    def blob(self, digest: str) -> bytes | None:
        raise AssertionError(f"a seal reads no blob: {digest}")


def entries(verdict: Verdict) -> list[bytes]:
    """What the gate writes of a verdict."""
    below = verdict.base
    given = replace(
        GIVEN,
        head=Named(verdict.head.label, verdict.head.tree),
        base=Named(below.label, below.tree) if below else None,
    )
    made = statements(verdict, given)
    return [dsse.encode(dsse.sign(IN_TOTO, one.payload, [GATE])) for one in made]


def test_a_seal_names_the_newest_report_of_the_same_trees() -> None:
    other = replace(VERDICT, head=replace(VERDICT.head, tree="9" * 40))
    log = Some([*entries(VERDICT), *entries(VERDICT), *entries(other)])
    seal = seal_of(log, VERDICT)
    assert seal is not None
    payload = dsse.decode(log.listed[seal.entry]).payload
    assert EVAL_REPORT.encode() in payload
    assert seal.entry >= len(entries(VERDICT))
    assert seal.entry < 2 * len(entries(VERDICT))
    assert (seal.origin, seal.size) == ("example.org/x", len(log.listed))
    assert base64.b64decode(seal.root) == merkle.root(map(merkle.leaf, log.listed))
    assert (seal.statement, seal.trust) == (of_bytes(payload), GIVEN.root)


@pytest.mark.parametrize(
    "other",
    [
        replace(VERDICT, outcome=Outcome.PASSED),
        replace(VERDICT, policy_tree="8" * 40),
        replace(VERDICT, base=None),
        replace(VERDICT, head=replace(VERDICT.head, tree="8" * 40)),
    ],
    ids=["outcome", "policy", "base", "head"],
)
def test_what_was_judged_otherwise_has_no_seal(other: Verdict) -> None:
    assert seal_of(Some(entries(VERDICT)), other) is None
    assert seal_of(Some(entries(other)), other) is not None


def test_without_a_log_or_with_entries_that_are_none_there_is_no_seal() -> None:
    assert seal_of(Some((), None), VERDICT) is None
    assert seal_of(Some([b"", b"{}", b'{"payload":1}', b"\xff"]), VERDICT) is None
    foreign = dsse.encode(dsse.sign("text/plain", b"[]", [GATE]))
    odd = dsse.encode(dsse.sign(IN_TOTO, b'{"predicateType":"%b"}' % EVAL_REPORT.encode(), [GATE]))
    assert seal_of(Some([foreign, odd]), VERDICT) is None
    assert seal_of(Some(entries(VERDICT), b"no checkpoint\n"), VERDICT) is None
