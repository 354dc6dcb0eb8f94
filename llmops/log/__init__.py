"""The transparency log: signed envelopes in an order that nobody can change unseen.

In: envelopes. Out: one RFC 6962 Merkle tree over the bytes of its entries, kept as plain files on
the orphan branch `llmops-log`, with a signed checkpoint (C2SP tlog-checkpoint), inclusion and
consistency proofs (`llmops.merkle`). `checkpoint.py` is dry; `branch.py` appends by
compare-and-swap on the branch's tip (locally `update-ref` with the old value, remotely a push that
is never forced); `redact.py` takes a blob away and leaves its digest and the reason.

On the branch: `checkpoint`; `entries/00000/00000042.json`, one canonical DSSE envelope per file,
numbered from 0, cut by thousands so that no folder grows without end; `blobs/sha256/ab/abcd…`. A
leaf is SHA256(0x00 || file bytes). Git's SHA-1 is convenience; this SHA-256 is what counts.
"""
