"""Verdict + what it takes as given -> its statements, in the order in which the log has them. Dry.

In: a verdict that counts. Out: the same bytes for the same verdict on every machine: approvals,
the change of policies, and then, next to each other, eval report, test result and verification
summary.
"""

from __future__ import annotations

from llmops.attest import approvals, eval_report, policy_change, summary, test_result
from llmops.attest.base import Statement
from llmops.attest.given import Given
from llmops.digest import canonical
from llmops.log.base import APPROVAL, EVAL_REPORT, POLICY_CHANGE, TEST_RESULT, VSA
from llmops.rules.base import Verdict


def statements(verdict: Verdict, given: Given) -> tuple[Statement, ...]:
    """Everything that is said of one verdict."""
    report = canonical(eval_report.made(verdict, given))
    return (
        *(Statement(APPROVAL, canonical(one)) for one in approvals.made(verdict, given)),
        *(Statement(POLICY_CHANGE, canonical(one)) for one in policy_change.made(verdict, given)),
        Statement(EVAL_REPORT, report),
        Statement(TEST_RESULT, canonical(test_result.made(verdict, report))),
        Statement(VSA, canonical(summary.made(verdict, given))),
    )
