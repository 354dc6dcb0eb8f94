"""Every state of a pull request as it is published: within limits, true, and dead inside."""

from __future__ import annotations

import pytest

from llmops.diagnostics import Diagnostic, Span
from llmops.forge.base import CHECK, COMMENT, Publication, Repo
from llmops.reports import github_states as states
from tests.reports.conftest import PLANS, VERDICTS

SUBJECT = states.Subject(
    Repo("acme", "support"), 12, "4c1e9ab" + "1" * 33,
    source_url="https://git.example/acme/support/blob/" + "4c1e9ab" + "1" * 33,
    details_url="https://git.example/acme/support/actions/runs/77",
)  # fmt: skip
MISTAKES = (Diagnostic(Span("specs/a.yaml", 3, 5), "unknown-field", 'no field "x"', "did you?"),)


def every() -> dict[str, Publication]:
    return {
        "opened": states.opened(SUBJECT, "2026-11-22T10:00:00Z"),
        "running": states.running(SUBJECT, PLANS["change"], 2, 5),
        "not-judged": states.not_judged(SUBJECT, "the store is gone", "start it again"),
        "invalid": states.invalid(SUBJECT, MISTAKES),
        "refused": states.refused(SUBJECT, "conflict in a.yaml", "merge main into it"),
        "waiting": states.waiting_for_person(SUBJECT, "a fork"),
        "closed": states.closed(SUBJECT),
        **{f"judged-{name}": states.judged(SUBJECT, one) for name, one in VERDICTS.items()},
    }


@pytest.mark.parametrize(
    ("name", "found"), every().items(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_state_has_a_check_that_blocks_or_says_why(name: str, found: Publication) -> None:
    check = found.check
    assert check is not None
    assert check["name"] == CHECK
    assert (check["status"] == "completed") == ("conclusion" in check)
    assert check.get("conclusion", "success") in ("success", "failure", "action_required")
    assert (found.comment or "").startswith(COMMENT)
