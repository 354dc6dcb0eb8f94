"""Facts -> Verdict: what holds, what does not, what cannot be told.

In: graphs at base and head, the plan, kept evidence with its rows and a scan's findings, approvals.
Out: a `Verdict`, a pure function of those; the worst finding wins, and `passed` is only ever said
positively.

To add a rule: a file here named as its id with INFO (id, why, fix) and `check(facts, config)`, a
line in the table of `verdict.py`, a test file and a scenario; a gate that a spec declares has
`findings(facts)` in place of `check`. `claims.py` holds the arithmetic that several rules share,
`asked.py` which claims are made, each once, and `looser*.py` what head holds weaker than base. Dry:
evidence comes in as values.
"""
