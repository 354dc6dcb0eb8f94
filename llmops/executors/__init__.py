"""Plan -> Runs. Brings each job that must run to a result, and each result into the evidence.

In: the steps of a plan, a store, an executor. Out: events while it happens and a `RunReport`.
`run.py` holds the order and the table of executors; `attempt.py` is one job from claim to evidence;
`folder.py` the run folder, the only contract with workers; `inputs.py` finds what a job reads; an
executor (`local.py`) only starts a worker, follows it and stops it; `permitted.py` refuses a job
whose host or secret is not on the lists of both trees. Beside the stream: `machine.py` is the
examination of `doctor`, `clean.py` finds what `gc` may remove.

To add an executor: a file with `render` (pure text of what would be started) and `perform` of
`base.Executor`, and its line in `run.EXECUTORS`.

Two runs never do one job twice, and a killed one resumes: a job is claimed by a lock on its run
folder that the worker inherits, so the claim ends with the last process that works on it. A run
that is killed takes its workers with it (`processes.py`); what is left all the same is ended by who
gets the claim next (`leftovers.py`), who then finds the result, or starts again. Nothing here
trusts a worker: a result counts only after its closure and the digests of its files were checked.
"""
