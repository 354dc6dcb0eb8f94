"""Rule `approval`: what a machine wrote is read by people before it lands.

A policy asks for it with `approvals: [{when: machine_author, from: [team], count: 1}]`. A commit
author between base and head is a machine where the name or the address says so: it ends in
`[bot]`, the name is `bot` or ends in `-bot`, or the address begins `noreply@`, `ci@`, `actions@`
and the like (`rules/approvals.py` has the list). A machine that takes a person's name is not
found out. Without the approval the change is inconclusive, whatever the policy's severities say;
no waiver stands in for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops.rules import approvals
from llmops.rules.approvals import Asked
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info

INFO = Info(
    id="approval",
    why="a change that no person has read is nobody's decision",
    fix="let somebody of the named team read the change and say yes",
    controls=("iso27001/A.8.32",),
    good="""\
kind: Policy
metadata: {name: default}
spec:
  approvals:
    - name: machine
      when: machine_author
      from: [team-cs]
""",
    bad="""\
kind: Policy
metadata: {name: default}
spec:
  approvals:
    - name: machine
      when: machine_author
      from: [release-bots]  # nobody is in it who reads
""",
)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each approval that base asks for where a machine wrote the change."""
    found = _shortest(approvals.machines(facts.authors))
    for one in approvals.asked(facts, "machine_author") if found else ():
        yield _finding(one, ", ".join(found[:3]) + (", …" if len(found) > 3 else ""))


def _shortest(names: Sequence[str]) -> list[str]:
    """Each machine by its shortest name: a name is often a part of its address."""
    shown: list[str] = []
    for name in sorted(names, key=len):
        if not any(known in name for known in shown):
            shown.append(name)
    return sorted(shown)


def _finding(one: Asked, machines: str) -> Finding:
    outcome = Outcome.PASSED if one.given else Outcome.INCONCLUSIVE
    by = f": {', '.join(sorted(one.by))}" if one.by else ""
    message = f"written by {machines}; has {one.words}{by}"
    hint = "" if one.given else INFO.fix
    return Finding(INFO.id, one.name, outcome, message, hint, one.place, "base")
