"""The gate's pen: what happened goes to the log, signed, in an order that proves it.

In: a store, a log, a signer, the trust root of base, a plan, a verdict. Out: entries of the log:
roots that are new, runs before verdicts, the ledger before what counts by it, approvals, then the
statements of the verdict. Asked again it appends nothing: the same statement but for the time it
was made at is the same. Killed in between, the next look goes on where it stopped.

Before rows are judged the runs they came from stand in the log; a verdict rests on nothing else.
"""
