"""A verdict as a SLSA verification summary, v1, for policy engines. Dry.

https://slsa.dev/spec/v1.1/verification_summary: what was verified by which policy from which
attestations. `verifiedLevels` says LLMOPS_GATE_PASSED or LLMOPS_GATE_WARNED; a verdict that lets
nothing land is FAILED, be it failed or inconclusive. Inputs are the runs, by their place in the log
and the digest of their statements.
"""

from __future__ import annotations

from typing import Any

from llmops.attest.given import Given, Run
from llmops.attest.subject import statement
from llmops.log.base import VSA
from llmops.rules.base import Outcome, Verdict

VERIFIER = "https://llmops.dev/gate/v1"


def made(verdict: Verdict, given: Given) -> dict[str, Any]:
    """The statement."""
    held = verdict.outcome <= Outcome.WARNED
    predicate = {
        "verifier": {"id": VERIFIER, "version": {"llmops": verdict.tool_version}},
        "timeVerified": verdict.judged_at,
        "resourceUri": given.repository,
        "policy": _policy(verdict, given),
        "inputAttestations": [_input(given.runs[closure]) for closure in sorted(given.runs)],
        "verificationResult": "PASSED" if held else "FAILED",
        "verifiedLevels": [f"LLMOPS_GATE_{verdict.outcome.name}"] if held else ["FAILED"],
    }
    return statement(verdict, VSA, predicate)


def _policy(verdict: Verdict, given: Given) -> dict[str, Any]:
    tree = verdict.policy_tree
    digest = {"digest": {"gitTree": tree}} if tree is not None else {}
    return {"uri": f"{given.repository}#policies", **digest}


def _input(one: Run) -> dict[str, Any]:
    return {"uri": f"log:{one.entry}", "digest": {"sha256": one.sha256}}
