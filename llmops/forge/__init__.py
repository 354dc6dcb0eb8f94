"""The HTTP client of GitHub: what the gate reads there, and what it publishes. Wet.

In: a `Repo`, a token or an App's key, payloads that `reports/github*.py` made. Out: values of
`base.py`, and effects that happened once. `wire.py` is the one layer between us and the network:
retries, primary and secondary limits, `retry-after`, clock skew, a second between writes; what
github3.py has a call for goes through it, and its session for the rest, under the same layer.
`publish.py` makes a `Publication` visible with at most ten writes, idempotent and resumable.

Nothing here decides anything and nothing here is executed from a pull request: what comes over the
network is data, of bounded size. Tests give a clock and an adapter; no test reaches GitHub.

GitHub is known here and in `reports/github*.py` only. To add another forge: a client that satisfies
`base.Forge`, and payloads of its own.
"""
