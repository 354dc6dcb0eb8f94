"""Specs -> Graph -> Changes. What refers to what, what each means, what differs between two trees.

In: `Spec` records and the digests of the files they name. Out: a `Graph` without circles or
dangling references (or diagnostics, all of them), a fingerprint per spec, and semantic changes.
`environment` says which Environment is in use and lays its overlays over the graph: placement
only, so no fingerprint that makes jobs moves. Dry: the caller reads files. To add a check on
references, extend `build`; nothing here knows about jobs, so a change's category comes from the
roles that the kinds declare.
"""
