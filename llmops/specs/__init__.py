"""Documents -> Specs: typed kinds, each field with one role, every mistake with its place.

In: `Document`s, plain values of one file each. Out: `Spec` records and diagnostics; nothing
raises for what a user wrote. A kind is a file with a frozen pydantic model and a `check` for what
types cannot say; `load.py` has the table. `shape.py` compiles a model to its roles, by which a
spec is cut into projections. What is announced but not built stands in `not_yet.py` and is
refused by name, so that nothing is believed to hold that does not. Verbatim blocks of the tools
are checked against key lists of the pinned versions (`upstream/`).

To add a kind: its file, one line each in the two tables of `load.py`, tests, golden mistakes.
"""
