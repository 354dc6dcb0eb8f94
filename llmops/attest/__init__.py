"""Verdict -> statements that others understand. Dry.

In: a verdict with what it rests on. Out: in-toto Statements as plain JSON, the same bytes for the
same verdict, so that whoever derives it again compares them byte for byte: `eval_report.py` (all
that a verdict says, numbers as decimal strings), `test_result.py` (in-toto test-result v0.1),
`summary.py` (SLSA VSA v1), `ledger.py`, `approvals.py`, `policy_change.py`. All of one verdict
have one subject (`subject.py`): the closures it rests on, the tree and the commit.

To add one: a file with a predicate type from `log.base`, and a line in `statements.py`. What a
statement takes as given stands in the report's `given`; everything else must follow from the log,
the rows and the trees.
"""
