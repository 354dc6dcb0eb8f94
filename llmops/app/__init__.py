"""The gate as a service: a GitHub App's webhooks in, reconciled subjects out. Wet.

In: signed events, of which nothing is believed but ids and SHAs. Out: `gating.reconcile`, called
for each subject that may have changed, and answers to chat commands. An event only says where to
look, so events that come twice, late, in another order or not at all end in the same state.

    events.py    event -> subjects (dry)       queue.py   what is still to be done, on disk
    door.py      signature, size, allowed?     loop.py    what no event told
    service.py   the same over HTTP            work.py    one subject -> one reconcile
    commands.py  `/llmops why X` -> an answer  settings.py, check.py, manifest.py: wiring

Starlette and uvicorn are imported in `service.py` only, late: whoever only runs `llmops plan` never
pays for them. Nothing of a pull request's head is executed here.
"""
