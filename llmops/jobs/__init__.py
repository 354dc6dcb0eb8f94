"""Graphs -> Plan: every job that some gate needs, to run or reused, each with its reason.

In: the graphs of base and head, the changes between them, and proofs of kept evidence. Out: a
`Plan` of `Job` values with their estimates. What asks (an Evaluation, a suite of a SafetyTest, a
test of a Guardrail) is one shape, `parts.Part`, and put to a target an `exam.Exam`. A job's closure
is the digest of exactly what its worker will be given (payload, inputs, seed, processes, pinned
tools, the worker's revision), so no input can change a result without changing the closure. What
cannot change a result (time, memory, checkpoints to keep, names of secrets, estimates) goes `aside`
and stays outside.

To add a job type: a file here with its `HowTo` (type, revision, tools) and `job(...)`, a worker
beside the others in `llmops/workers/`, and where it is needed `exam.py`. Dry: no disk, no clock.
"""
