"""Graphs -> Plan: every job that some gate needs, to run or reused, each with its reason.

In: the graphs of base and head, the changes between them, and proofs of kept evidence. Out: a
`Plan` of `Job` values. A job's closure is the digest of exactly what its worker will be given
(payload, inputs, seed, processes, pinned tools, the worker's revision), so no input can change a
result without changing the closure; what only places a job (time, memory) stays outside.

To add a job type: a file here with REVISION, TOOLS and `job(...)`, a worker beside the others in
`llmops/workers/`, and its line in `exam.py`. Dry: no disk, no clock.
"""
