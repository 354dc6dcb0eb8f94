"""What makes a verdict another one than the last: one digest of an eval report's predicate. Dry.

Left out are the times, and how far log and ledger reached: a second look at the same is the same.
What counts: the trees, who approved and whose yes is none, the evidence, the trust root, and each
finding with its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.digest import of_value

_FINDING = ("rule", "gate", "judged_by", "outcome", "waived_by", "attempt", "level", "evidence")
_GIVEN = ("root", "repository", "environment", "change", "approvals", "authors", "left_out")


def mark(predicate: Mapping[str, Any]) -> str:
    """The digest of what a verdict comes to."""
    given = predicate["given"]
    said = {
        "about": about(predicate),
        "outcome": predicate["outcome"],
        "given": [given[name] for name in _GIVEN],
        "runs": {closure: one["sha256"] for closure, one in given["runs"].items()},
        "missing": given["missing"],
        "findings": [[one[name] for name in _FINDING] for one in predicate["findings"]],
        "loosened": predicate["loosened"],
    }
    return of_value(said)


def about(predicate: Mapping[str, Any]) -> list[Any]:
    """Whom a verdict is about: trees, policies, change; the next on the same comes after it."""
    given = predicate["given"]
    base = given["base"]["tree"] if given["base"] is not None else None
    return [base, given["head"]["tree"], predicate["policy_tree"], given["change"]]
