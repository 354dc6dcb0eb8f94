"""The gate in its own zone: the state of a pull request -> one published verdict.

In: a clone of the repository that the gate made itself, what the forge says of a pull request, a
merge group or a landed commit, and artifacts of runs as untrusted data. Out: a `Settled`: evidence
that was admitted, a verdict, and what was published of it.

`reconcile.py` is the verb. It looks at the state of the world and not at the event that woke it, so
events that come twice, late, in another order or not at all end in the same state. Policy and gates
come from base by git object id; nothing of a pull request's head is executed; absent evidence never
passes; whatever goes wrong leaves the check in a state that is true.
"""
