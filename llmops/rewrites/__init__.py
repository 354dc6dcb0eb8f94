"""Spec text in, spec text out, every comment kept: what `fmt`, `migrate` and importers write. Dry.

`syntax` reads a text into a tree that remembers comments, blank lines and how each value was
written; `order` sorts keys as the kinds declare them; `layout` makes text of a tree. `style` is
the three in a row (`fmt`), `write` makes a tree from plain values, `migrations` changes one. The
tree is our own, not ruamel.yaml's round trip: there a comment belongs to the token before it, so
that a key that moves leaves its comment with a stranger, and one file takes 13 ms instead of 1.
Whatever leaves this room was read back and compared with what was meant.
"""
