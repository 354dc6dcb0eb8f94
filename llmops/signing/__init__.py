"""Who says so: keys, signed envelopes, and the root that tells whose word counts for what.

In: bytes, and a private key or a trust root. Out: DSSE envelopes in their one canonical text
(`dsse.py`, dry), keys in PEM files (`keys.py`, wet), `Root` with roles, thresholds, validity and
rotation (`root.py`, dry), the roots of a tree's `policies/trust/` (`trust.py`).

The trust root lies under `policies/`: whoever may change what must hold may change whose word
counts, nobody else, and a verdict that names base's policies names its keys with them. A root is
followed by the next only if enough keys of both agree (the rule of TUF, specification v1.0.33,
5.3). Nothing here knows what a statement means: that is for the rooms above.
"""
