"""A verdict as an in-toto test result, v0.1, for whoever reads no more than that. Dry.

https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md: `result` is PASSED,
WARNED or FAILED and has no word for "not shown", which is FAILED here and stands beside it as
`llmops_outcome` and `llmops_inconclusiveTests` (fields that a reader does not know are left alone).
Where base's version of a gate and head's both judge, or a gate has several findings, the worst of
them is its result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.attest.subject import bare, statement
from llmops.digest import of_bytes
from llmops.log.base import TEST_RESULT
from llmops.rules.base import Outcome, Verdict

WORDS: Mapping[Outcome, str] = {
    Outcome.PASSED: "PASSED",
    Outcome.WARNED: "WARNED",
    Outcome.INCONCLUSIVE: "FAILED",
    Outcome.FAILED: "FAILED",
}


def made(verdict: Verdict, report: bytes) -> dict[str, Any]:
    """The statement; `report` is the payload of the eval report beside it."""
    found = _worst(verdict)
    undecided = _named(found, Outcome.INCONCLUSIVE)
    predicate = {
        "result": WORDS[verdict.outcome],
        "configuration": [*_policies(verdict), *_datasets(verdict), _report(report)],
        "passedTests": _named(found, Outcome.PASSED),
        "warnedTests": _named(found, Outcome.WARNED),
        "failedTests": sorted([*_named(found, Outcome.FAILED), *undecided]),
        "llmops_outcome": verdict.outcome.word,
        "llmops_inconclusiveTests": undecided,
    }
    return statement(verdict, TEST_RESULT, predicate)


def _worst(verdict: Verdict) -> Mapping[str, Outcome]:
    worst: dict[str, Outcome] = {}
    for found in verdict.findings:
        worst[found.gate] = max(found.outcome, worst.get(found.gate, found.outcome))
    return worst


def _named(found: Mapping[str, Outcome], outcome: Outcome) -> list[str]:
    return sorted(gate for gate, one in found.items() if one is outcome)


def _policies(verdict: Verdict) -> list[dict[str, Any]]:
    """Base's policies, by the tree that they are; none where base has none."""
    if verdict.policy_tree is None:
        return []
    return [{"name": "policies", "digest": {"gitTree": verdict.policy_tree}}]


def _datasets(verdict: Verdict) -> list[dict[str, Any]]:
    """The rows that claims rest on."""
    return [
        {"name": look.dataset, "digest": {"sha256": bare(look.digest)}} for look in verdict.looks
    ]


def _report(report: bytes) -> dict[str, Any]:
    return {"name": "eval-report", "digest": {"sha256": bare(of_bytes(report))}}
