"""Result -> Statement, kept. What a run found, in a form that outlives it and anyone can check.

In: a `Job`, the `Result` its worker wrote, the digests of what it was given. Out: an in-toto
Statement v1 (`statement.py`, dry) in an append-only store (`store.py`, wet), found again by the
job's closure and trusted only after its bytes were checked. `files.py` writes so that nothing
half-written ever stands under a final name.

Layout below `reports/`: `evidence/<closure>/<sha256 of the statement>.json`, artifacts beside the
run that made them in `runs/<closure>/artifacts/`, outside content by digest in `blobs/sha256/`.

To add a kind of statement: a predicate type of its own in a file like `statement.py`. Evidence
follows the closure, never the commit: a rebase or an edit of a document reuses it.
"""
