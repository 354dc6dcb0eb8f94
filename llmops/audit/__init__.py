"""The stream again, over what somebody hands us, trusting nothing but a root that we know.

In: a bundle or a repository, and the digest of a trust root. Out: `Verified`, or every way in
which it is not: keys, log, envelopes, blobs, order, attempts; then each verdict and each figure of
each report derived again from rows, trees and policies, and compared byte for byte.

`bundle.py` writes what an auditor receives: one file, no byte of which is free; what is not signed
is derived. `source.py` reads it (or a clone), `verify.py` checks, `second.py` is another verifier
that shares no code with the rest: the standard library alone, at most 400 lines.
"""
